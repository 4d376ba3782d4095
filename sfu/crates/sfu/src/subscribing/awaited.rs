//! Packets of layers that a subscriber waits for, so that a key frame whose first packet comes late is whole all the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::transport::Packet;

/// As long as a first packet may take that is asked for again over a far way, twice.
const MAX_AGE: Duration = Duration::from_secs(1);
const MAX_PACKETS: usize = 512;

/// What came before the first packet of a key frame that it may belong to; the same for all subscribers of a track.
#[derive(Default)]
pub(super) struct Awaited {
    packets: VecDeque<Arc<Packet>>,
}

impl Awaited {
    /// A packet came that a subscriber waits for, but cannot begin with.
    pub fn keep(&mut self, packet: &Arc<Packet>) {
        let is_old = |old: &Arc<Packet>| packet.arrival.saturating_duration_since(old.arrival) > MAX_AGE;
        while self.packets.len() >= MAX_PACKETS || self.packets.front().is_some_and(is_old) {
            self.packets.pop_front();
        }
        self.packets.push_back(Arc::clone(packet));
    }

    /// What follows the first packet of a key frame on its stream and has come already, in the order of its numbers.
    pub fn after(&self, first: &Packet, is_svc: bool) -> Vec<Arc<Packet>> {
        let follows = |kept: &&Arc<Packet>| kept.sequence > first.sequence && (is_svc || kept.layer == first.layer);
        let mut found: Vec<_> = self.packets.iter().filter(follows).cloned().collect();
        found.sort_unstable_by_key(|kept| kept.sequence);
        found
    }

    /// No subscriber waits any more.
    pub fn clear(&mut self) {
        self.packets = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn packet(sequence: u64, layer: u8, arrival: Instant) -> Arc<Packet> {
        Arc::new(Packet { layer, ..Packet::of(sequence, 0, &[1], arrival) })
    }

    #[test]
    fn what_follows_on_the_same_stream_is_found_in_its_order() {
        let (mut awaited, now) = (Awaited::default(), Instant::now());
        for (sequence, layer) in [(9, 2), (12, 2), (11, 2), (13, 1)] {
            awaited.keep(&packet(sequence, layer, now));
        }
        let numbers =
            |is_svc| awaited.after(&packet(10, 2, now), is_svc).iter().map(|it| it.sequence).collect::<Vec<_>>();
        assert_eq!(numbers(false), [11, 12]);
        assert_eq!(numbers(true), [11, 12, 13]);
    }

    #[test]
    fn no_more_is_kept_than_a_late_packet_needs() {
        let (mut awaited, start) = (Awaited::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        for n in 1..=1500 {
            awaited.keep(&packet(n, 0, at(n)));
        }
        assert_eq!(awaited.packets.len(), MAX_PACKETS);
        awaited.keep(&packet(1501, 0, at(2900)));
        assert_eq!(awaited.packets.len(), 1);
        awaited.clear();
        assert!(awaited.after(&packet(0, 0, start), false).is_empty());
    }
}
