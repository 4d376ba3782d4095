//! Deadlines of many peers, at most one waiting entry for each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use crate::ids::PeerKey;

/// A heap of (deadline, peer). An entry that is not the peer's current one is out of date: the caller checks.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, PeerKey)>>,
}

impl Timers {
    pub fn push(&mut self, deadline: Instant, peer: PeerKey) {
        self.heap.push(Reverse((deadline, peer)));
    }

    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((deadline, _))| *deadline)
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, PeerKey)> {
        self.heap.peek().filter(|Reverse((deadline, _))| *deadline <= now)?;
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}
