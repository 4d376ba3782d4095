//! Outgoing RTP streams, one for each section that sends.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use str0m::Rtc;

use crate::ids::{Mid, Ssrc};

/// The streams of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSsrcs {
    pub media: Ssrc,
    /// The stream of retransmissions (RFC 4588).
    pub rtx: Option<Ssrc>,
}

/// Packets kept for retransmission, as many as came in this time but no more than these: 3 s of a large video.
const RESEND_PACKETS: usize = 1024;
const RESEND_AGE: Duration = Duration::from_secs(3);
/// Retransmissions may take this share of what is sent on a stream. At 30 % loss, where lost retransmissions are asked
/// for again, they are a third of it; a receiver that asks for everything again and again is bounded. (The library's
/// default, 0.15, gives up at 13 % loss.)
const RESEND_SHARE: f32 = 0.6;

/// Outgoing streams of one connection.
#[derive(Default)]
pub(super) struct OutgoingStreams {
    /// Those whose retransmission is configured: doing so again would forget what they have sent.
    configured: HashSet<Ssrc>,
    /// Those of video, and their retransmissions.
    video: HashSet<Ssrc>,
    /// The section of each stream of media.
    sections: HashMap<Ssrc, str0m::media::Mid>,
}

impl OutgoingStreams {
    /// The SSRCs of sections that send; the stream of a section marked true is replaced first.
    pub fn prepare(&mut self, rtc: &mut Rtc, sending: &[(Mid, bool)]) -> HashMap<Mid, StreamSsrcs> {
        let mut ssrcs = HashMap::new();
        for (section, is_replaced) in sending {
            let mid = section.as_str().into();
            let is_video = rtc.media(mid).is_some_and(|media| media.kind().is_video());
            let mut direct = rtc.direct_api();
            if *is_replaced {
                // str0m's reset of a stream keeps it under its old SSRC, where feedback for the new one does not reach it
                let old = direct.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
                if let Some((old, old_rtx)) = old {
                    direct.remove_stream_tx(old);
                    self.configured.remove(&Ssrc(*old));
                    self.sections.remove(&Ssrc(*old));
                    for ssrc in old_rtx.into_iter().chain([old]) {
                        self.video.remove(&Ssrc(*ssrc));
                    }
                    let (ssrc, rtx) = (direct.new_ssrc(), old_rtx.map(|_| direct.new_ssrc()));
                    direct.declare_stream_tx(ssrc, rtx, mid, None);
                }
            }
            if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
                let (media, rtx) = (Ssrc(*stream.ssrc()), stream.rtx().map(|rtx| Ssrc(*rtx)));
                if self.configured.insert(media) {
                    stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
                }
                if is_video {
                    self.video.extend(rtx.into_iter().chain([media]));
                }
                self.sections.insert(media, mid);
                ssrcs.insert(section.clone(), StreamSsrcs { media, rtx });
            }
        }
        ssrcs
    }

    /// The section of a stream of media.
    pub fn section_of(&self, ssrc: Ssrc) -> Option<str0m::media::Mid> {
        self.sections.get(&ssrc).copied()
    }

    /// Whether a stream carries video, or its retransmissions.
    pub fn is_video(&self, ssrc: Ssrc) -> bool {
        self.video.contains(&ssrc)
    }
}
