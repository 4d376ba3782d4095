//! Numbers as one subscriber sees them: whatever layer is forwarded, pauses and losses in between, sequence numbers,
//! timestamps and VP8 picture ids run on without a jump (RFC 3550 5.1, RFC 7741 4.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use str0m::rtp::{Vp8Descriptor, Vp8Patch};

use crate::message::Packet;

/// How many left-out packets are remembered for placing late ones.
const MAX_SPANS: usize = 32;
/// A switch never moves media time by more than this.
const MAX_SWITCH_GAP: Duration = Duration::from_secs(60);

/// The numbers of an outgoing packet.
#[derive(Debug)]
pub(crate) struct Munged {
    pub sequence: u64,
    pub timestamp: u32,
    pub vp8: Option<Vp8Patch>,
}

/// Rewrites one subscription's packets. Feed it [`Munger::switch`] at each change of source, then the packets.
pub(crate) struct Munger {
    clock_rate_hz: u32,
    first_sequence: u64,
    source: Option<SourceMap>,
    last: Option<Last>,
    vp8: Vp8Munger,
}

/// The present source's numbers → ours.
struct SourceMap {
    /// First packet of the source that is forwarded; earlier ones belong before the switch.
    start: u64,
    highest: u64,
    timestamp_offset: u32,
    /// (from this source number on, add this); ascending, the newest last.
    spans: VecDeque<(u64, i64)>,
}

/// The newest packet sent.
struct Last {
    sequence: u64,
    timestamp: u32,
    arrival: Instant,
    sender_clock_us: Option<i64>,
}

impl Munger {
    /// `first_sequence` has to be below 2^16: the receiver takes the roll-over count to be 0 (RFC 3711 3.3.1).
    pub fn new(clock_rate_hz: u32, first_sequence: u16) -> Self {
        Self {
            clock_rate_hz,
            first_sequence: u64::from(first_sequence),
            source: None,
            last: None,
            vp8: Vp8Munger::default(),
        }
    }

    /// `packet` begins another source, or the same one after a pause.
    pub fn switch(&mut self, packet: &Packet) {
        let next = self.last.as_ref().map_or(self.first_sequence, |last| last.sequence + 1);
        self.source = Some(SourceMap {
            start: packet.sequence,
            highest: packet.sequence,
            timestamp_offset: self.timestamp_after_switch(packet).wrapping_sub(packet.timestamp),
            spans: VecDeque::from([(packet.sequence, signed_difference(next, packet.sequence))]),
        });
        if let Some(descriptor) = &packet.vp8 {
            self.vp8.switch(descriptor);
        }
    }

    /// None for a packet that must not be sent any more: it is older than the switch.
    pub fn forward(&mut self, packet: &Packet) -> Option<Munged> {
        let source = self.source.as_mut()?;
        let sequence = source.map(packet.sequence)?;
        source.highest = source.highest.max(packet.sequence);
        let timestamp = packet.timestamp.wrapping_add(source.timestamp_offset);
        let newest = self.last.as_ref().is_none_or(|last| sequence > last.sequence);
        if newest {
            self.last =
                Some(Last { sequence, timestamp, arrival: packet.arrival, sender_clock_us: packet.sender_clock_us });
        }
        let vp8 = packet.vp8.as_ref().and_then(|descriptor| self.vp8.forward(descriptor, newest));
        Some(Munged { sequence, timestamp, vp8 })
    }

    /// Leave `packet` out without leaving a gap, if it is the next one; else the gap stays.
    pub fn skip(&mut self, packet: &Packet) {
        let Some(source) = self.source.as_mut() else { return };
        if packet.sequence != source.highest + 1 {
            return;
        }
        source.highest = packet.sequence;
        if let Some((_, offset)) = source.spans.back().copied() {
            source.spans.push_back((packet.sequence + 1, offset - 1));
            if source.spans.len() > MAX_SPANS {
                source.spans.pop_front();
            }
        }
    }

    /// Media time goes on by what the sender's clock says, or by what went by here; at least by one tick.
    fn timestamp_after_switch(&self, packet: &Packet) -> u32 {
        let Some(last) = &self.last else { return packet.timestamp };
        let arrived = packet.arrival.saturating_duration_since(last.arrival);
        let sampled = match (last.sender_clock_us, packet.sender_clock_us) {
            (Some(before), Some(after)) => u64::try_from(after - before).ok().map(Duration::from_micros),
            _ => None,
        };
        let plausible = |gap: &Duration| *gap <= arrived + Duration::from_secs(1);
        let gap = sampled.filter(plausible).unwrap_or(arrived).min(MAX_SWITCH_GAP);
        let ticks = (gap.as_micros() * u128::from(self.clock_rate_hz) / 1_000_000).max(1);
        last.timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX))
    }
}

impl SourceMap {
    fn map(&self, sequence: u64) -> Option<u64> {
        if sequence < self.start {
            return None;
        }
        let (_, offset) = self.spans.iter().rev().find(|(from, _)| *from <= sequence)?;
        sequence.checked_add_signed(*offset)
    }
}

fn signed_difference(a: u64, b: u64) -> i64 {
    // both are counters of packets of one session, far below 2^63
    a as i64 - b as i64
}

/// Offsets that keep picture id (15 or 7 bits), TL0PICIDX (8) and KEYIDX (5) running on.
#[derive(Default)]
struct Vp8Munger {
    picture_offset: u16,
    tl0_offset: u8,
    key_offset: u8,
    last_picture: u16,
    last_tl0: u8,
    last_key: u8,
    begun: bool,
}

impl Vp8Munger {
    fn switch(&mut self, descriptor: &Vp8Descriptor) {
        if !self.begun {
            return;
        }
        let next_picture = self.last_picture.wrapping_add(1);
        self.picture_offset = next_picture.wrapping_sub(descriptor.picture_id().unwrap_or_default()) & 0x7fff;
        self.tl0_offset = self.last_tl0.wrapping_add(1).wrapping_sub(descriptor.tl0_pic_idx().unwrap_or_default());
        self.key_offset = self.last_key.wrapping_add(1).wrapping_sub(descriptor.key_idx().unwrap_or_default()) & 0x1f;
    }

    fn forward(&mut self, descriptor: &Vp8Descriptor, newest: bool) -> Option<Vp8Patch> {
        let picture = descriptor.picture_id().map(|id| id.wrapping_add(self.picture_offset) & 0x7fff);
        let tl0 = descriptor.tl0_pic_idx().map(|index| index.wrapping_add(self.tl0_offset));
        let key = descriptor.key_idx().map(|index| index.wrapping_add(self.key_offset) & 0x1f);
        if newest {
            self.begun = true;
            self.last_picture = picture.unwrap_or(self.last_picture);
            self.last_tl0 = tl0.unwrap_or(self.last_tl0);
            self.last_key = key.unwrap_or(self.last_key);
        }
        let with = |picture: Option<u16>| {
            let mut patch = descriptor.patch();
            if let Some(picture) = picture {
                patch = patch.picture_id(picture);
            }
            if let Some(tl0) = tl0 {
                patch = patch.tl0_pic_idx(tl0);
            }
            if let Some(key) = key {
                patch = patch.key_idx(key);
            }
            patch.build()
        };
        // a sender with 7-bit ids: the wide number does not fit, its low bits run on as well
        with(picture).or_else(|_| with(picture.map(|id| id & 0x7f))).ok()
    }
}
