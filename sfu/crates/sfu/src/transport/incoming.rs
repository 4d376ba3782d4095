//! Which received RTP streams a connection takes in, and what each carries. Their number is bounded, and only an
//! authentic packet makes one: what the header of another one says takes nothing from anybody.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{Mid, Rid, Rids};

use super::received_header::Values;
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
/// Packets of padding with which libwebrtc probes without a stream.
const PROBE: Ssrc = Ssrc(0);
/// Where the SSRC is in an RTP header (RFC 3550 section 5.1).
const SSRC: std::ops::Range<usize> = 8..12;
/// First bytes of RTP and RTCP (RFC 7983 section 7), and second bytes of RTCP (RFC 5761 section 4).
const RTP: std::ops::RangeInclusive<u8> = 128..=191;
const RTCP_TYPES: std::ops::RangeInclusive<u8> = 192..=223;

/// A section, and a simulcast layer of it if it has any.
pub(super) type Layer = (Mid, Option<Rid>);

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Media(Layer),
    /// What is sent again of a stream: of this one, or else of the newest one of the layer (RFC 4588).
    Repair(Layer, Option<Ssrc>),
    /// Nothing.
    Probe,
}

#[derive(Default)]
pub(super) struct IncomingStreams {
    /// Those of which an authentic packet was received.
    known: HashMap<Ssrc, Role>,
    /// The newest one that carries the media of each layer.
    newest: HashMap<Layer, Ssrc>,
    /// Those that offers have named.
    declared: HashSet<Ssrc>,
    tries: TokenBucket,
    /// When the current period began, and how many were known then.
    period: Option<(Instant, usize)>,
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
    pub fn role_of(&self, ssrc: Ssrc) -> Option<Role> {
        self.known.get(&ssrc).copied()
    }

    /// Whether a packet of an unknown stream may be looked at.
    pub fn may_try(&mut self, now: Instant) -> bool {
        self.tries.take(now, 1.0, TRIES)
    }

    /// What an unknown stream carries, should the packet with these values be authentic: as an offer has it, or as its
    /// header says (RFC 8843 section 9.2). `is_repair`: whether its payload type is one of retransmissions, None for one
    /// that was not negotiated.
    pub fn guess(&self, rtc: &mut Rtc, ssrc: Ssrc, values: &Values<'_>, is_repair: Option<bool>) -> Option<Role> {
        if ssrc == PROBE {
            return Some(Role::Probe);
        }
        if let Some(role) = self.declared_role(rtc, ssrc) {
            return Some(role);
        }
        let (mid, is_repair) = (Mid::from(values.section?), is_repair?);
        let layers = rtc.media(mid)?.rids_rx();
        let is_layer = |rid: &Rid| match layers {
            Rids::None => false,
            Rids::Any => true,
            Rids::Specific(layers) => layers.contains(rid),
        };
        match (values.layer.map(Rid::from), values.repaired_layer.map(Rid::from)) {
            (Some(rid), _) if is_layer(&rid) => Some(Role::Media((mid, Some(rid)))),
            (None, Some(rid)) if is_layer(&rid) => Some(Role::Repair((mid, Some(rid)), None)),
            (None, None) if matches!(layers, Rids::Specific(_)) => None,
            (None, None) if is_repair => Some(Role::Repair((mid, None), None)),
            (None, None) => Some(Role::Media((mid, None))),
            _ => None,
        }
    }

    fn declared_role(&self, rtc: &mut Rtc, ssrc: Ssrc) -> Option<Role> {
        let mut direct = rtc.direct_api();
        if let Some(stream) = direct.stream_rx(&ssrc.0.into()) {
            return Some(Role::Media((stream.mid(), stream.rid())));
        }
        self.declared.iter().find_map(|media| {
            let stream = direct.stream_rx(&media.0.into())?;
            let is_repaired = stream.rtx().is_some_and(|rtx| Ssrc(*rtx) == ssrc);
            is_repaired.then(|| Role::Repair((stream.mid(), stream.rid()), Some(*media)))
        })
    }

    /// An authentic packet of a new stream was received. False if the client begins too many.
    pub fn admit(&mut self, now: Instant, ssrc: Ssrc, role: Role) -> bool {
        self.known.insert(ssrc, role);
        if let Role::Media(layer) = role {
            self.newest.insert(layer, ssrc);
        }
        let (began, before) = *self.period.get_or_insert((now, 0));
        if now.saturating_duration_since(began) >= PERIOD {
            self.period = Some((now, self.known.len()));
        }
        self.known.len() - before <= MAX_IN_PERIOD && self.known.len() <= MAX_STREAMS
    }

    /// The stream that carries a layer's media.
    pub fn newest_of(&self, layer: Layer) -> Option<Ssrc> {
        self.newest.get(&layer).copied()
    }

    /// A stream of media, or what stands for none.
    pub fn any(&self) -> Ssrc {
        self.newest.values().copied().min().unwrap_or(PROBE)
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
