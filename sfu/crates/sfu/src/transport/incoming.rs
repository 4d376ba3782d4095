//! Which received RTP streams a connection takes in. Their number is bounded, and only an authentic packet makes one:
//! str0m maps an SSRC to a section by header extensions before it has verified the packet, and keeps what it has seen.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{Mid, Rid};

use crate::ids::Ssrc;
use crate::token_bucket::{Rate, TokenBucket};

/// Packets of unknown streams that are looked at. A client that publishes begins a dozen streams at once.
const TRIES: Rate = Rate { per_second: 50.0, burst: 100.0 };
/// Streams that a connection may begin in [`PERIOD`], and altogether.
const MAX_IN_PERIOD: usize = 256;
const PERIOD: Duration = Duration::from_secs(10);
const MAX_STREAMS: usize = 4096;
/// SSRCs that offers have announced; above this, those that the last one does not name are removed.
const MAX_DECLARED: usize = 512;
/// Where the SSRC is in an RTP header (RFC 3550 section 5.1).
const SSRC: std::ops::Range<usize> = 8..12;
/// First bytes of RTP and RTCP (RFC 7983 section 7), and second bytes of RTCP (RFC 5761 section 4).
const RTP: std::ops::RangeInclusive<u8> = 128..=191;
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

#[derive(Default)]
pub(super) struct IncomingStreams {
    /// Those of which an authentic packet was received.
    known: HashSet<Ssrc>,
    /// Those that offers have named.
    declared: HashSet<Ssrc>,
    tries: TokenBucket,
    /// When the current period began, and how many were known then.
    period: Option<(Instant, usize)>,
}

/// A stream as str0m has it before a packet that may not be authentic.
pub(super) struct Mapped {
    ssrc: Ssrc,
    rtx: Option<Ssrc>,
    mid: Mid,
    rid: Option<Rid>,
}

/// The SSRC of an RTP packet, None for RTCP and everything else.
pub(super) fn rtp_ssrc(data: &[u8]) -> Option<Ssrc> {
    let is_rtp = RTP.contains(data.first()?) && !RTCP_TYPES.contains(data.get(1)?);
    let ssrc = data.get(SSRC)?.try_into().ok()?;
    is_rtp.then_some(Ssrc(u32::from_be_bytes(ssrc)))
}

pub(super) fn is_rtcp(data: &[u8]) -> bool {
    matches!(data, [first, kind, ..] if RTP.contains(first) && RTCP_TYPES.contains(kind))
}

impl IncomingStreams {
    pub fn is_known(&self, ssrc: Ssrc) -> bool {
        self.known.contains(&ssrc)
    }

    /// Whether a packet of an unknown stream may be looked at.
    pub fn may_try(&mut self, now: Instant) -> bool {
        self.tries.take(now, 1.0, TRIES)
    }

    /// An authentic packet of this stream was received. False if the client begins too many.
    pub fn admit(&mut self, now: Instant, ssrc: Ssrc) -> bool {
        self.known.insert(ssrc);
        let (began, before) = *self.period.get_or_insert((now, 0));
        if now.saturating_duration_since(began) >= PERIOD {
            self.period = Some((now, self.known.len()));
        }
        self.known.len() - before <= MAX_IN_PERIOD && self.known.len() <= MAX_STREAMS
    }

    /// The streams that str0m has now.
    pub fn mapped(&self, rtc: &mut Rtc) -> Vec<Mapped> {
        let mut direct = rtc.direct_api();
        let mut mapped = Vec::new();
        for ssrc in self.known.union(&self.declared) {
            if let Some(stream) = direct.stream_rx(&ssrc.0.into()) {
                let rtx = stream.rtx().map(|rtx| Ssrc(*rtx));
                mapped.push(Mapped { ssrc: *ssrc, rtx, mid: stream.mid(), rid: stream.rid() });
            }
        }
        mapped
    }

    /// Give sections back to the streams that a packet of `intruder`, which was not authentic, took them from.
    pub fn restore(&self, rtc: &mut Rtc, mapped: &[Mapped], intruder: Ssrc) {
        for stream in mapped {
            if rtc.media(stream.mid).is_none() {
                continue;
            }
            let mut direct = rtc.direct_api();
            if direct.stream_rx(&stream.ssrc.0.into()).is_some() {
                continue;
            }
            direct.remove_stream_rx(intruder.0.into());
            let rtx = stream.rtx.map(|rtx| rtx.0.into());
            direct.expect_stream_rx(stream.ssrc.0.into(), rtx, stream.mid, stream.rid).suppress_nack(true);
        }
    }

    /// An accepted offer names these streams.
    pub fn declare(&mut self, rtc: &mut Rtc, named: &[Ssrc]) {
        self.declared.extend(named);
        if self.declared.len() > MAX_DECLARED {
            let named: HashSet<Ssrc> = named.iter().copied().collect();
            let mut direct = rtc.direct_api();
            for ssrc in self.declared.difference(&named) {
                direct.remove_stream_rx(ssrc.0.into());
            }
            self.declared = named;
        }
    }
}

impl Mapped {
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    pub fn section(&self) -> Mid {
        self.mid
    }

    pub fn is_resent_by(&self, ssrc: Ssrc) -> bool {
        self.rtx == Some(ssrc)
    }
}
