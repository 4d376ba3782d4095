//! How many connectivity checks of addresses that are nobody's yet are looked at.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// The time in which checks are counted.
const WINDOW: Duration = Duration::from_millis(100);
/// Checks of one ufrag in that time. A client with ten addresses sends about twenty before it has chosen one.
const MAX_CHECKS: u16 = 20;
/// Ufrags share this many counters: the table has one size, whatever arrives.
const SLOTS: usize = 4096;

/// A small table, emptied ten times a second.
pub(super) struct Probation {
    counted: Box<[u16]>,
    since: Option<Instant>,
    hasher: RandomState,
}

impl Default for Probation {
    fn default() -> Self {
        Self { counted: vec![0; SLOTS].into(), since: None, hasher: RandomState::new() }
    }
}

impl Probation {
    /// Whether a check for this ufrag may go on to the peer's own verification, which costs much more.
    pub fn admits(&mut self, now: Instant, ufrag: &str) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            self.since = Some(now);
            self.counted.fill(0);
        }
        let slot = self.hasher.hash_one(ufrag) as usize % SLOTS;
        let Some(count) = self.counted.get_mut(slot) else { return false };
        *count += u16::from(*count < MAX_CHECKS);
        *count < MAX_CHECKS
    }
}
