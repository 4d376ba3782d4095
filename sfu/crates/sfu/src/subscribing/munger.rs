//! Sequence numbers and timestamps as one subscriber sees them: they continue without a jump over changes of layer,
//! pauses and losses (RFC 3550 section 5.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::vp8_munger::Vp8Munger;
use crate::timeline::Timeline;
use crate::transport::{Packet, Vp8Patch};

/// How many omissions are remembered for placing late packets.
const MAX_SPANS: usize = 32;
/// A switch never advances media time by more than this.
const MAX_SWITCH_GAP: Duration = Duration::from_secs(60);
/// A sender's clock may run ahead of the arrivals by this much before it is taken for wrong.
const MAX_CLOCK_LEAD: Duration = Duration::from_secs(1);

/// The numbers of an outgoing packet.
#[derive(Debug)]
pub(crate) struct Munged {
    pub sequence: u64,
    pub timestamp: u32,
    /// What the timestamp stands for.
    pub instant: Instant,
    pub vp8: Option<Vp8Patch>,
}

/// Rewrites one subscription's packets. Call [`Munger::switch`] at each change of source, then [`Munger::forward`].
pub(crate) struct Munger {
    clock_rate_hz: u32,
    first_sequence: u64,
    source: Option<SourceMap>,
    last: Option<Last>,
    timeline: Timeline,
    vp8: Vp8Munger,
}

/// From the current source's sequence numbers to the subscriber's.
struct SourceMap {
    /// First packet of the source that is forwarded; earlier ones belong before the switch.
    start: u64,
    highest: u64,
    timestamp_offset: u32,
    /// Ascending, the newest last.
    spans: VecDeque<Span>,
}

/// What holds between two omissions.
#[derive(Clone, Copy)]
struct Span {
    /// The first source number that it holds for.
    from: u64,
    offset: i64,
    /// Pictures that were omitted before, since the switch.
    omitted: u16,
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
            timeline: Timeline::new(clock_rate_hz),
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
            spans: VecDeque::from([Span {
                from: packet.sequence,
                offset: signed_difference(next, packet.sequence),
                omitted: 0,
            }]),
        });
        if let Some(descriptor) = &packet.vp8 {
            self.vp8.switch(descriptor);
        }
    }

    /// None for a packet that is older than the switch: it must not be sent.
    pub fn forward(&mut self, packet: &Packet) -> Option<Munged> {
        let source = self.source.as_mut()?;
        let (sequence, omitted) = source.map(packet.sequence)?;
        source.highest = source.highest.max(packet.sequence);
        let timestamp = packet.timestamp.wrapping_add(source.timestamp_offset);
        let newest = self.last.as_ref().is_none_or(|last| sequence > last.sequence);
        if newest {
            self.last =
                Some(Last { sequence, timestamp, arrival: packet.arrival, sender_clock_us: packet.sender_clock_us });
        }
        let vp8 = packet.vp8.as_ref().map(|descriptor| self.vp8.forward(descriptor, omitted, newest));
        let instant = self.timeline.place(timestamp, packet.arrival);
        Some(Munged { sequence, timestamp, instant, vp8 })
    }

    /// Omit `packet` without leaving a gap, unless newer ones were sent: then the gap stays.
    pub fn skip(&mut self, packet: &Packet) {
        let Some(source) = self.source.as_mut().filter(|source| packet.sequence > source.highest) else { return };
        source.highest = packet.sequence;
        let begins_picture = packet.vp8.as_ref().is_some_and(|descriptor| self.vp8.skip(descriptor));
        source.omit(packet.sequence, u16::from(begins_picture));
    }

    /// Media time advances as the sender's clock did, or else by the time between arrivals; at least by one tick.
    fn timestamp_after_switch(&self, packet: &Packet) -> u32 {
        let Some(last) = &self.last else { return packet.timestamp };
        let arrived = packet.arrival.saturating_duration_since(last.arrival);
        let sampled = match (last.sender_clock_us, packet.sender_clock_us) {
            (Some(before), Some(after)) => u64::try_from(after - before).ok().map(Duration::from_micros),
            _ => None,
        };
        let plausible = |gap: &Duration| *gap <= arrived + MAX_CLOCK_LEAD;
        let gap = sampled.filter(plausible).unwrap_or(arrived).min(MAX_SWITCH_GAP);
        let ticks = (gap.as_micros() * u128::from(self.clock_rate_hz) / 1_000_000).max(1);
        last.timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX))
    }
}

impl SourceMap {
    /// The subscriber's number, and the pictures omitted before it.
    fn map(&self, sequence: u64) -> Option<(u64, u16)> {
        if sequence < self.start {
            return None;
        }
        let span = self.spans.iter().rev().find(|span| span.from <= sequence)?;
        Some((sequence.checked_add_signed(span.offset)?, span.omitted))
    }

    fn omit(&mut self, sequence: u64, pictures: u16) {
        let Some(last) = self.spans.back().copied() else { return };
        if last.from == sequence {
            // nothing was sent since the packet before was omitted
            self.spans.pop_back();
        }
        let omitted = last.omitted.wrapping_add(pictures);
        self.spans.push_back(Span { from: sequence + 1, offset: last.offset - 1, omitted });
        if self.spans.len() > MAX_SPANS {
            self.spans.pop_front();
        }
    }
}

fn signed_difference(a: u64, b: u64) -> i64 {
    // both count packets of one session, far below 2^63
    a as i64 - b as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 90_000;

    fn packet(sequence: u64, timestamp: u32, arrival: Instant) -> Packet {
        Packet::of(sequence, timestamp, &[1], arrival)
    }

    /// xorshift: the tests are the same on every run.
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn losses_stay_gaps_of_the_same_size_and_late_packets_fall_into_them() {
        let now = Instant::now();
        let mut munger = Munger::new(RATE, 7);
        munger.switch(&packet(70_000, 0, now));
        let forwarded =
            |munger: &mut Munger, sequence| munger.forward(&packet(sequence, 0, now)).map(|out| out.sequence);
        assert_eq!(forwarded(&mut munger, 70_000), Some(7));
        assert_eq!(forwarded(&mut munger, 70_003), Some(10));
        assert_eq!(forwarded(&mut munger, 70_001), Some(8));
        assert_eq!(forwarded(&mut munger, 69_999), None, "older than the first packet");
    }

    #[test]
    fn omitted_packets_leave_no_gap() {
        let now = Instant::now();
        let mut munger = Munger::new(RATE, 0);
        munger.switch(&packet(100, 0, now));
        munger.forward(&packet(100, 0, now));
        munger.skip(&packet(101, 0, now));
        assert_eq!(munger.forward(&packet(102, 0, now)).map(|out| out.sequence), Some(1));
        assert_eq!(munger.forward(&packet(104, 0, now)).map(|out| out.sequence), Some(3));
        assert_eq!(munger.forward(&packet(103, 0, now)).map(|out| out.sequence), Some(2));
    }

    #[test]
    fn a_packet_that_is_omitted_after_a_lost_one_keeps_the_gap_of_the_lost_one_only() {
        let now = Instant::now();
        let mut munger = Munger::new(RATE, 0);
        munger.switch(&packet(100, 0, now));
        munger.forward(&packet(100, 0, now));
        munger.skip(&packet(102, 0, now));
        munger.skip(&packet(103, 0, now));
        assert_eq!(munger.forward(&packet(104, 0, now)).map(|out| out.sequence), Some(2));
        assert_eq!(munger.forward(&packet(101, 0, now)).map(|out| out.sequence), Some(1));
    }

    #[test]
    fn any_order_of_switches_losses_and_late_packets_keeps_the_rules() {
        for seed in 1..200u64 {
            let mut state = seed;
            let start = Instant::now();
            let mut munger = Munger::new(RATE, 65_000);
            let mut sources = [(10u64, 5u32), (1 << 33, u32::MAX - 7), (65_535, 1 << 31)];
            let mut active = 0usize;
            let mut seen = std::collections::HashMap::new();
            let mut newest: Option<(u64, u32)> = None;
            for step in 0..400u64 {
                let now = start + Duration::from_millis(step * 33);
                for source in &mut sources {
                    source.0 += 1 + u64::from(random(&mut state).is_multiple_of(10));
                    source.1 = source.1.wrapping_add(2970);
                }
                let switching = step == 0 || random(&mut state).is_multiple_of(20);
                if switching {
                    active = (random(&mut state) % 3) as usize;
                }
                let (sequence, timestamp) = sources[active];
                let next = packet(sequence, timestamp, now);
                if switching {
                    munger.switch(&next);
                }
                let out = munger.forward(&next).expect("the newest packet is always sent");
                assert!(seen.insert(out.sequence, ()).is_none(), "seed {seed}: a sequence number was used twice");
                if let Some((last_sequence, last_timestamp)) = newest {
                    assert!(out.sequence > last_sequence, "seed {seed}");
                    assert!(!switching || out.sequence == last_sequence + 1, "seed {seed}: a gap at a switch");
                    let passed = out.timestamp.wrapping_sub(last_timestamp);
                    assert!((1..=RATE).contains(&passed), "seed {seed}: media time moved by {passed}");
                }
                newest = Some((out.sequence, out.timestamp));
            }
        }
    }

    #[test]
    fn media_time_follows_the_senders_clock_over_a_switch() {
        let now = Instant::now();
        let mut munger = Munger::new(RATE, 0);
        let before = Packet { sender_clock_us: Some(1_000_000), ..packet(1, 500, now) };
        munger.switch(&before);
        munger.forward(&before);
        // sampled 100 ms later, though it arrived 300 ms later
        let after =
            Packet { sender_clock_us: Some(1_100_000), ..packet(77, 123_456, now + Duration::from_millis(300)) };
        munger.switch(&after);
        assert_eq!(munger.forward(&after).map(|out| out.timestamp), Some(500 + 9000));
        // a clock that runs backwards is ignored: arrivals count
        let backwards = Packet { sender_clock_us: Some(0), ..packet(1, 9, now + Duration::from_millis(400)) };
        munger.switch(&backwards);
        assert_eq!(munger.forward(&backwards).map(|out| out.timestamp), Some(500 + 9000 + 9000));
    }
}
