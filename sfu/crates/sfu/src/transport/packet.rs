//! RTP packets as the rest of the crate sees them (RFC 3550 section 5.1).

use std::sync::Arc;
use std::time::Instant;

use super::codec::{CodecFormat, PayloadTypes, ReceivedFormat};
use super::dependency::{DependencyDescriptor, Structures};
use super::red::{self, Before};
use super::scalability::{SpatialPart, TemporalPart};
use super::vp8::{Vp8Descriptor, Vp8Patch};
use crate::ids::Ssrc;

/// One received media packet, parsed once, shared by all who forward it.
#[derive(Debug)]
pub struct Packet {
    /// The simulcast or spatial layer; 0 without layers.
    pub layer: u8,
    /// Its place among the spatial layers of its picture.
    pub spatial: Option<SpatialPart>,
    /// Its place among the temporal layers.
    pub temporal: TemporalPart,
    /// Sequence number in its layer, extended beyond 16 bits.
    pub sequence: u64,
    /// RTP timestamp in units of the codec's clock.
    pub timestamp: u32,
    /// For video: the last packet of a frame.
    pub marker: bool,
    /// Whether it is the first packet of a key frame (always true for audio).
    pub keyframe: bool,
    /// The descriptor of a VP8 payload.
    pub vp8: Option<Vp8Descriptor>,
    /// The RTP payload; empty for padding that only probes bandwidth.
    pub payload: Arc<[u8]>,
    /// The payload with earlier frames again, if the publisher sends it so (RFC 2198).
    pub redundant: Option<Arc<RedundantPayload>>,
    /// When it was received.
    pub arrival: Instant,
    /// The sender's clock at this packet's sampling instant in microseconds since 1970; from its sender reports
    /// (RFC 3550 section 6.4.1).
    pub sender_clock_us: Option<i64>,
    /// Header extensions that are forwarded.
    pub extensions: HeaderExtensions,
    /// Of AV1: what the packet's frame needs.
    pub dependencies: Option<DependencyDescriptor>,
}

/// Values of RTP header extensions (RFC 8285) that are forwarded as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderExtensions {
    /// RFC 6464: 0 (loudest) to −127 dBov.
    pub audio_level: Option<i8>,
    /// RFC 6464: whether the sender takes it for speech.
    pub voice_activity: Option<bool>,
    /// RFC 7742 section 5: how the camera was turned, in the numbering of 3GPP TS 26.114 section 7.4.5.
    pub video_orientation: Option<u8>,
    /// The least and greatest playout delay in units of 10 ms.
    pub playout_delay: Option<(u16, u16)>,
}

/// Redundant audio as it came.
#[derive(Clone, Debug)]
pub struct RedundantPayload {
    payload: Arc<[u8]>,
    /// What its blocks call their codec: only who calls it so too can read them.
    payload_type: u8,
    before: Option<Before>,
}

/// What was opened of a packet.
pub(super) struct Arrived {
    pub ssrc: Ssrc,
    pub format: ReceivedFormat,
    /// Extended beyond 16 bits.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    pub payload: Arc<[u8]>,
    pub extensions: HeaderExtensions,
    pub dependencies: Option<DependencyDescriptor>,
    pub sender_clock_us: Option<i64>,
}

/// A packet whose track and layer are not known yet: [`Packet::layer`] is still 0.
pub(crate) struct ReceivedPacket {
    pub ssrc: Ssrc,
    pub codec: CodecFormat,
    pub packet: Packet,
}

/// A media packet with the numbers of one subscriber's stream.
pub(crate) struct Outgoing<'a> {
    pub ssrc: Ssrc,
    pub payload_types: PayloadTypes,
    /// Extended sequence number.
    pub sequence: u64,
    pub timestamp: u32,
    /// What the timestamp stands for in the stream's sender reports.
    pub instant: Instant,
    pub vp8: Option<Vp8Patch>,
    /// The last packet of what this subscriber gets of a frame.
    pub marker: bool,
    /// Everything that is the same for all subscribers.
    pub packet: &'a Arc<Packet>,
}

/// An [`Outgoing`] packet, as it is queued and kept.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Extended sequence number.
    pub sequence: u64,
    pub timestamp: u32,
    /// What the timestamp stands for in the stream's sender reports.
    pub instant: Instant,
    pub marker: bool,
    pub payload_type: u8,
    /// That of its retransmissions; None if it cannot be asked for again.
    pub rtx: Option<u8>,
    pub vp8: Option<Vp8Patch>,
    /// Whether it carries earlier frames again.
    is_redundant: bool,
    /// Everything that is the same for all subscribers: whatever else is kept of a packet, it is kept once.
    pub source: Arc<Packet>,
}

/// Where forwarded media goes: packets are collected, and encrypted and sent at the end of a batch of inputs.
pub(crate) trait Egress {
    /// False if there is no such stream.
    fn send(&mut self, packet: Outgoing<'_>) -> bool;
}

impl ReceivedPacket {
    pub(super) fn read(now: Instant, structures: &mut Structures, arrived: Arrived) -> Self {
        let Arrived { ssrc, sequence, timestamp, marker, extensions, sender_clock_us, .. } = arrived;
        let ReceivedFormat { codec, is_redundant, .. } = arrived.format;
        let (payload, redundant) =
            if is_redundant { unwrap_redundant(&arrived.payload) } else { (arrived.payload, None) };
        let inspected = codec.inspect(&payload);
        let dependencies = arrived.dependencies.filter(|_| codec.has_dependencies());
        let placed = dependencies.as_ref().and_then(|descriptor| structures.place(ssrc, descriptor));
        let (spatial, temporal) = placed.unzip();
        Self {
            ssrc,
            codec,
            packet: Packet {
                layer: 0,
                spatial: spatial.or(inspected.spatial),
                temporal: temporal.unwrap_or(inspected.temporal),
                dependencies,
                sequence,
                timestamp,
                marker,
                keyframe: inspected.is_keyframe,
                vp8: inspected.vp8,
                arrival: now,
                sender_clock_us,
                extensions,
                payload,
                redundant,
            },
        }
    }
}

/// The newest frame, and the whole for those who can read it; nothing of what is not well-formed.
pub(super) fn unwrap_redundant(payload: &Arc<[u8]>) -> (Arc<[u8]>, Option<Arc<RedundantPayload>>) {
    let Some(newest) = red::newest(payload) else { return (Arc::from([]), None) };
    let before = newest.before;
    let redundant = newest
        .payload_type
        .map(|payload_type| Arc::new(RedundantPayload { payload: payload.clone(), payload_type, before }));
    (payload.get(newest.bytes).unwrap_or_default().into(), redundant)
}

impl RedundantPayload {
    #[cfg(test)]
    pub(super) fn payload(&self) -> &Arc<[u8]> {
        &self.payload
    }
}

impl Packet {
    /// One without layers, extensions or a codec's header.
    #[cfg(test)]
    pub(crate) fn of(sequence: u64, timestamp: u32, payload: &[u8], arrival: Instant) -> Self {
        Self {
            layer: 0,
            spatial: None,
            temporal: TemporalPart::default(),
            sequence,
            timestamp,
            marker: false,
            keyframe: true,
            vp8: None,
            payload: payload.into(),
            redundant: None,
            arrival,
            sender_clock_us: None,
            extensions: HeaderExtensions::default(),
            dependencies: None,
        }
    }

    /// The bytes of its payload as it came.
    pub(crate) fn received_bytes(&self) -> usize {
        self.redundant.as_ref().map_or(self.payload.len(), |redundant| redundant.payload.len())
    }

    /// The packet before this one, as far as redundant sound tells what it was.
    pub(crate) fn before(&self) -> Option<Self> {
        let redundant = self.redundant.as_ref()?;
        let before = redundant.before.as_ref()?;
        Some(Self {
            layer: self.layer,
            spatial: None,
            temporal: TemporalPart::default(),
            sequence: self.sequence.checked_sub(1)?,
            timestamp: self.timestamp.wrapping_sub(before.ticks),
            marker: false,
            keyframe: self.keyframe,
            vp8: None,
            payload: redundant.payload.get(before.bytes.clone())?.into(),
            redundant: None,
            arrival: self.arrival,
            sender_clock_us: None,
            extensions: HeaderExtensions::default(),
            dependencies: None,
        })
    }
}

impl Outgoing<'_> {
    #[inline]
    /// `rtx`: the payload type of the plain one's retransmissions.
    pub(super) fn write(self, rtx: Option<u8>) -> Written {
        let packet = self.packet;
        let PayloadTypes { plain, redundant } = self.payload_types;
        let is_readable = packet.redundant.as_ref().is_some_and(|it| it.payload_type == plain.0);
        let readable = redundant.filter(|_| is_readable);
        Written {
            sequence: self.sequence,
            timestamp: self.timestamp,
            instant: self.instant,
            marker: self.marker,
            payload_type: readable.unwrap_or(plain).0,
            rtx: rtx.filter(|_| readable.is_none()),
            vp8: self.vp8,
            is_redundant: readable.is_some(),
            source: packet.clone(),
        }
    }
}

impl Written {
    pub fn payload(&self) -> &[u8] {
        match &self.source.redundant {
            Some(redundant) if self.is_redundant => &redundant.payload,
            _ => &self.source.payload,
        }
    }

    #[cfg(test)]
    pub fn of(sequence: u64, payload: &[u8], arrival: Instant) -> Self {
        Self {
            sequence,
            timestamp: 0,
            instant: arrival,
            marker: false,
            payload_type: 96,
            rtx: Some(97),
            vp8: None,
            is_redundant: false,
            source: Arc::new(Packet::of(sequence, 0, payload, arrival)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::PayloadType;
    use super::*;

    #[test]
    fn redundant_sound_goes_to_those_who_can_read_it_and_plain_sound_to_others() {
        let came: Arc<[u8]> = [0x80 | 111, 0, 0, 2, 111, 9, 9, 1, 2, 3].into();
        let (payload, redundant) = unwrap_redundant(&came);
        assert_eq!(*payload, [1, 2, 3]);
        let packet = Arc::new(Packet { payload, redundant, ..Packet::of(1, 0, &[], Instant::now()) });
        let sent = |plain: u8, redundant: Option<u8>| {
            let payload_types = PayloadTypes { plain: PayloadType(plain), redundant: redundant.map(PayloadType) };
            let (packet, instant) = (&packet, packet.arrival);
            let outgoing = Outgoing {
                ssrc: Ssrc(1),
                payload_types,
                sequence: 1,
                timestamp: 0,
                instant,
                vp8: None,
                marker: false,
                packet,
            };
            let written = outgoing.write(Some(97));
            (written.payload_type, *written.payload() == *came, written.rtx)
        };
        assert_eq!(sent(111, Some(63)), (63, true, None), "redundant sound is not asked for again");
        assert_eq!(sent(111, None), (111, false, Some(97)), "has not negotiated it");
        assert_eq!(sent(109, Some(63)), (109, false, Some(97)), "calls Opus otherwise");
    }
}
