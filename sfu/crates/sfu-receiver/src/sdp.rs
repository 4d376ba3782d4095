//! The streams that an answer announces, section by section (RFC 8866, RFC 5576).

use str0m::media::Mid;
use str0m::rtp::Ssrc;

/// The stream of one section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    pub mid: Mid,
    pub ssrc: Ssrc,
    /// The stream of retransmissions (RFC 4588), if there is one.
    pub rtx: Option<Ssrc>,
}

/// The announced streams; sections without one are omitted.
pub fn announced(sdp: &str) -> Vec<Announced> {
    sdp.split("\nm=").skip(1).filter_map(stream_of).collect()
}

fn stream_of(section: &str) -> Option<Announced> {
    let attributes = |name: &'static str| section.lines().filter_map(move |line| line.trim_end().strip_prefix(name));
    let number = |text: &str| text.split(' ').next()?.parse::<u32>().ok().map(Ssrc::from);
    let mid = attributes("a=mid:").next().map(Mid::from)?;
    let pair = attributes("a=ssrc-group:FID ").next().and_then(|group| group.split_once(' '));
    if let Some((main, rtx)) = pair {
        return Some(Announced { mid, ssrc: number(main)?, rtx: number(rtx) });
    }
    let ssrc = attributes("a=ssrc:").next().and_then(number)?;
    Some(Announced { mid, ssrc, rtx: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_with_and_without_retransmission() {
        let sdp = "v=0\r\na=group:BUNDLE 0 1 2\r\n\
            m=audio 9 x 111\r\na=mid:0\r\na=ssrc:17 cname:c\r\na=ssrc:17 msid:a b\r\n\
            m=video 9 x 96\r\na=mid:v1\r\na=ssrc-group:FID 33 34\r\na=ssrc:33 cname:c\r\na=ssrc:34 cname:c\r\n\
            m=video 9 x 96\r\na=mid:v2\r\na=inactive\r\n";
        let expected = [
            Announced { mid: Mid::from("0"), ssrc: 17.into(), rtx: None },
            Announced { mid: Mid::from("v1"), ssrc: 33.into(), rtx: Some(34.into()) },
        ];
        assert_eq!(announced(sdp), expected);
    }

    #[test]
    fn invalid_sections_announce_nothing() {
        for sdp in ["", "m=", "\nm=audio", "\nm=video\na=mid:1\na=ssrc:x", "\nm=video\na=mid:1\na=ssrc-group:FID 1"] {
            assert_eq!(announced(sdp), [], "{sdp}");
        }
    }
}
