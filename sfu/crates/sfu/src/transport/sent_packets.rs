//! What was sent lately, by transport-wide sequence numbers, until the client has told when it arrived.

use std::time::{Duration, Instant};

use super::transport_feedback::{REFERENCE_US, TransportFeedback};

/// Packets that are remembered: as many as were sent in this time, but no more than these.
const REMEMBERED: Duration = Duration::from_millis(1500);
const MAX_PACKETS: usize = 4096;
const FIRST_PACKETS: usize = 64;
/// The client's time of reference has 24 bits.
const REFERENCE_BITS: u32 = 24;

/// What a client tells of a packet that was sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub sent: Instant,
    pub bytes: u32,
    pub is_sound: bool,
    /// When it arrived, in microseconds of the client's clock; None if it has not.
    pub arrived_us: Option<i64>,
}

#[derive(Default)]
pub(super) struct SentPackets {
    /// By the remainder of their numbers.
    ring: Vec<Option<Sent>>,
    /// The number of the next packet, beyond 16 bits.
    next: u64,
    /// What is missing before it was reported.
    reported_to: u64,
    reference: Option<i64>,
}

#[derive(Clone, Copy)]
struct Sent {
    at: Instant,
    bytes: u32,
    is_sound: bool,
    has_arrived: bool,
}

impl Sent {
    fn told(self, arrived_us: Option<i64>) -> Arrival {
        Arrival { sent: self.at, bytes: self.bytes, is_sound: self.is_sound, arrived_us }
    }
}

impl SentPackets {
    /// The number of the next packet, as it is sent.
    pub fn next_number(&self) -> u16 {
        self.next as u16
    }

    /// The packet of that number was sent.
    pub fn add(&mut self, now: Instant, bytes: usize, is_sound: bool) {
        if self.ring.is_empty() {
            self.ring.resize(FIRST_PACKETS, None);
        }
        let at = self.place(self.next);
        let is_young = |old: &Sent| now.saturating_duration_since(old.at) < REMEMBERED;
        if self.ring.len() < MAX_PACKETS && self.ring.get(at).and_then(Option::as_ref).is_some_and(is_young) {
            self.grow();
        }
        let at = self.place(self.next);
        if let Some(slot) = self.ring.get_mut(at) {
            *slot = Some(Sent { at: now, bytes: bytes as u32, is_sound, has_arrived: false });
        }
        self.next += 1;
    }

    fn place(&self, number: u64) -> usize {
        (number % self.ring.len().max(1) as u64) as usize
    }

    fn grow(&mut self) {
        let size = self.ring.len() as u64;
        let mut larger = vec![None; 2 * self.ring.len()];
        for number in self.next.saturating_sub(size)..self.next {
            let to = (number % (2 * size)) as usize;
            if let (Some(slot), Some(sent)) = (larger.get_mut(to), self.ring.get((number % size) as usize)) {
                *slot = *sent;
            }
        }
        self.ring = larger;
    }

    /// What is new in a report, in the order of the numbers: each packet is told as missing once at most, and once when
    /// it has arrived.
    pub fn reported(&mut self, feedback: &TransportFeedback) -> Vec<Arrival> {
        let oldest = self.next.saturating_sub(self.ring.len() as u64);
        let behind = u64::from((self.next as u16).wrapping_sub(feedback.first));
        // a number that was not sent yet is one of the last round
        let Some(first) = self.next.checked_sub(if behind == 0 { 1 << 16 } else { behind }) else { return Vec::new() };
        let reference_us = self.reference_us(feedback.reference);
        let mut found = Vec::with_capacity(feedback.arrived.len());
        let end = (first + u64::from(feedback.count)).min(self.next);
        let mut missing_from = self.reported_to.max(first).max(oldest);
        let arrived = feedback.arrived.iter().map(|(offset, time_us)| (first + u64::from(*offset), *time_us));
        for (number, time_us) in arrived.filter(|(number, _)| (oldest..end).contains(number)) {
            found.extend((missing_from..number).filter_map(|number| self.missing(number)));
            missing_from = missing_from.max(number + 1);
            let at = self.place(number);
            let Some(Some(sent)) = self.ring.get_mut(at) else { continue };
            if !std::mem::replace(&mut sent.has_arrived, true) {
                found.push(sent.told(Some(reference_us + time_us)));
            }
        }
        found.extend((missing_from..end).filter_map(|number| self.missing(number)));
        self.reported_to = self.reported_to.max(end);
        found
    }

    fn missing(&self, number: u64) -> Option<Arrival> {
        let sent = self.ring.get(self.place(number)).copied().flatten().filter(|sent| !sent.has_arrived)?;
        Some(sent.told(None))
    }

    /// The time of reference beyond its bits, in microseconds.
    fn reference_us(&mut self, reference: u32) -> i64 {
        let before = self.reference.unwrap_or(i64::from(reference));
        let unused = 32 - REFERENCE_BITS;
        let passed = (reference.wrapping_sub(before as u32) << unused).cast_signed() >> unused;
        let reference = before + i64::from(passed);
        self.reference = Some(reference);
        reference * REFERENCE_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feedback(first: u16, count: u16, arrived: &[(u16, i64)]) -> TransportFeedback {
        TransportFeedback { first, count, reference: 0xFF_FFFF, arrived: arrived.to_vec() }
    }

    fn sent(count: u64, every: Duration) -> (SentPackets, Instant) {
        let (mut packets, start) = (SentPackets::default(), Instant::now());
        (0..count).for_each(|n| packets.add(start + every * n as u32, 100 + n as usize, false));
        (packets, start)
    }

    fn brief(arrivals: &[Arrival]) -> Vec<(u32, bool)> {
        arrivals.iter().map(|it| (it.bytes - 100, it.arrived_us.is_some())).collect()
    }

    #[test]
    fn each_packet_is_told_of_once() {
        let (mut packets, start) = sent(10, Duration::from_millis(5));
        let first = packets.reported(&feedback(0, 4, &[(0, 500), (2, 750)]));
        assert_eq!(brief(&first), [(0, true), (1, false), (2, true), (3, false)]);
        let reference = 0xFF_FFFF * REFERENCE_US;
        assert_eq!((first[2].sent, first[2].arrived_us), (start + Duration::from_millis(10), Some(reference + 750)));
        assert_eq!(
            brief(&packets.reported(&feedback(1, 5, &[(0, 0), (2, 0)]))),
            [(1, true), (3, true), (4, false), (5, false)]
        );
        assert_eq!(packets.reported(&feedback(0, 4, &[(0, 500), (2, 750)])), []);
        // more than was sent
        assert_eq!(
            brief(&packets.reported(&feedback(9, 60_000, &[(0, 0), (1, 0), (50_000, 0)]))),
            [(6, false), (7, false), (8, false), (9, true)][3..]
        );
    }

    #[test]
    fn the_clients_clock_goes_on_behind_its_24_bits() {
        let (mut packets, _) = sent(10, Duration::from_millis(5));
        let mut time = |first, reference| {
            let report = TransportFeedback { reference, ..feedback(first, 1, &[(0, 0)]) };
            packets.reported(&report)[0].arrived_us
        };
        assert_eq!(time(0, 0xFF_FFFF), Some(0xFF_FFFF * REFERENCE_US));
        assert_eq!(time(1, 1), Some(0x100_0001 * REFERENCE_US));
        assert_eq!(time(2, 0xFF_FFFE), Some(0xFF_FFFE * REFERENCE_US));
    }

    #[test]
    fn a_ring_grows_as_far_as_it_is_needed_and_numbers_go_round() {
        let (mut slow, _) = sent(70_000, Duration::from_millis(40));
        assert_eq!(slow.ring.len(), FIRST_PACKETS);
        let first = (70_000 - 10) as u16;
        assert_eq!(slow.reported(&feedback(first, 10, &[(9, 0)])).len(), 10);
        assert_eq!(slow.reported(&feedback(first.wrapping_sub(1000), 10, &[(9, 0)])), [], "too long ago");
        let (mut fast, _) = sent(70_000, Duration::from_micros(400));
        assert_eq!(fast.ring.len(), MAX_PACKETS);
        assert_eq!(fast.reported(&feedback((70_000 - 4000) as u16, 4000, &[])).len(), 4000);
    }
}
