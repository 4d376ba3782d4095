//! What is rewritten of our own offers and read of their answers.

use std::collections::HashMap;

use crate::ids::Ssrc;
use crate::sdp::{
    Direction, MAX_BYTES, MAX_SECTIONS, Parts, Sending, attribute, direction, is_identity, is_stopped, join, kind,
    push_identity, push_line, session_line, sources,
};

/// What a track is called where it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub stream: String,
    pub track: String,
}

/// The transport's offer with our identities and feedback; `identities` by mid, None for a section that sends nothing.
/// `replaced`: (old, new) texts, for ICE credentials that are not the transport's own.
pub(crate) fn finish_offer(
    sdp: &str,
    identities: &HashMap<String, Option<Identity>>,
    replaced: &[(String, String)],
) -> String {
    let parts = Parts::cut(sdp);
    let mut lines = Vec::new();
    for part in &parts.0 {
        if kind(part).is_none() {
            lines.extend(part.iter().map(|line| session_line(line)));
            continue;
        }
        part.iter().filter(|line| !is_identity(line)).for_each(|line| push_line(line, &mut lines));
        let identity = attribute(part, "mid").and_then(|mid| identities.get(mid)).cloned().flatten();
        if let (Some(Identity { stream, track }), Some((ssrc, rtx))) = (identity, streams(part)) {
            push_identity(&Sending { stream, track, ssrc, rtx }, &mut lines);
        }
    }
    let mut text = join(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    for (old, new) in replaced {
        text = text.replace(old.as_str(), new);
    }
    text
}

/// The streams that the transport sends in a section: of media, and of retransmissions (RFC 5576 section 4.2).
fn streams(part: &[&str]) -> Option<(u32, Option<u32>)> {
    let group = part.iter().find_map(|line| line.strip_prefix("a=ssrc-group:FID ")?.split_once(' '));
    match group {
        Some((media, rtx)) => Some((media.parse().ok()?, Some(rtx.trim().parse().ok()?))),
        None => sources(part).first().map(|Ssrc(ssrc)| (*ssrc, None)),
    }
}

/// The answer for the transport: without candidates, see [`crate::sdp::prepare_offer`], and without anything that the client
/// would send, because it only receives here. The error says what is wrong with it.
pub(crate) fn prepare_answer(sdp: &str) -> Result<String, String> {
    if sdp.len() > MAX_BYTES {
        return Err(format!("the answer is larger than {MAX_BYTES} bytes"));
    }
    let parts = Parts::cut(sdp);
    if parts.0.len() > MAX_SECTIONS {
        return Err(format!("the answer has more than {MAX_SECTIONS} sections"));
    }
    let mut lines: Vec<&str> = Vec::new();
    for part in &parts.0 {
        if kind(part).is_some()
            && !is_stopped(part)
            && matches!(direction(part), Direction::SendOnly | Direction::SendRecv)
        {
            return Err("the client sends where it can only receive".to_owned());
        }
        let is_left_out = |line: &str| {
            is_identity(line) || ["a=candidate:", "a=rid:", "a=simulcast:"].iter().any(|name| line.starts_with(name))
        };
        lines.extend(part.iter().filter(|line| !is_left_out(line)));
    }
    Ok(join(&lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\na=msid-semantic: WMS x\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n\
        a=ice-ufrag:old\r\na=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=sendonly\r\n\
        a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\na=msid:x y\r\na=ssrc:5 cname:y\r\na=ssrc:6 cname:y\r\n\
        a=ssrc-group:FID 5 6\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:2\r\na=sendonly\r\na=ssrc:7 cname:y\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:3\r\na=inactive\r\na=ssrc:8 cname:y\r\n";

    #[test]
    fn an_offer_carries_our_identities() {
        let identity = |track: &str| Some(Identity { stream: format!("PA_a|{track}"), track: track.into() });
        let identities =
            [("1".into(), identity("TR_v")), ("2".into(), identity("TR_a")), ("3".into(), None)].into_iter().collect();
        let text = finish_offer(OFFER, &identities, &[("old".into(), "new".into())]);
        for line in ["a=msid:PA_a|TR_v TR_v", "a=ssrc-group:FID 5 6", "a=msid:PA_a|TR_a TR_a", "a=ssrc:7 ", "ufrag:new"]
        {
            assert!(text.contains(line), "{line} in {text}");
        }
        for line in ["a=ssrc:8", "a=msid:x", "WMS x"] {
            assert!(!text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("transport-cc") && text.contains("goog-remb"));
    }

    #[test]
    fn an_answer_sends_nothing_and_is_bounded() {
        let section =
            "m=audio 9 x 111\r\na=mid:2\r\na=recvonly\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=ssrc:9 x\r\n";
        assert_eq!(
            prepare_answer(&format!("v=0\r\n{section}")).as_deref(),
            Ok("v=0\r\nm=audio 9 x 111\r\na=mid:2\r\na=recvonly\r\n")
        );
        assert!(prepare_answer("v=0\r\nm=audio 9 x 111\r\na=mid:2\r\n").is_err(), "it sends");
        assert!(prepare_answer(&section.repeat(MAX_SECTIONS)).is_err());
        assert!(prepare_answer(&"x".repeat(MAX_BYTES + 1)).is_err());
    }
}
