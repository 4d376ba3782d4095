//! Outgoing RTP streams, one for each section that sends.

use std::collections::HashMap;

use str0m::Rtc;

use crate::ids::{Mid, Ssrc};

/// The streams of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSsrcs {
    pub media: Ssrc,
    /// The stream of retransmissions (RFC 4588).
    pub rtx: Option<Ssrc>,
}

/// The SSRCs of sections that send; the stream of a section marked true is replaced first.
pub(super) fn prepare(rtc: &mut Rtc, sending: &[(Mid, bool)]) -> HashMap<Mid, StreamSsrcs> {
    let mut direct = rtc.direct_api();
    let mut ssrcs = HashMap::new();
    for (section, is_replaced) in sending {
        let mid = section.as_str().into();
        if *is_replaced {
            // str0m's reset of a stream keeps it under its old SSRC, where feedback for the new one does not reach it
            let old = direct.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
            if let Some((old, old_rtx)) = old {
                direct.remove_stream_tx(old);
                let (ssrc, rtx) = (direct.new_ssrc(), old_rtx.map(|_| direct.new_ssrc()));
                direct.declare_stream_tx(ssrc, rtx, mid, None);
            }
        }
        if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
            let rtx = stream.rtx().map(|rtx| Ssrc(*rtx));
            ssrcs.insert(section.clone(), StreamSsrcs { media: Ssrc(*stream.ssrc()), rtx });
        }
    }
    ssrcs
}
