//! Whether a client's link is full, by what its receiver reports say of it (RFC 3550 section 6.4.1).

use std::time::{Duration, Instant};

/// A link that loses this share of the packets is full.
const FULL_LOSS: f64 = 0.1;
/// So is one whose round trip takes this much longer than the fastest one: datagrams wait in front of it. A client that
/// is short of CPU answers late too, but hardly by so much.
const FULL_QUEUE: Duration = Duration::from_millis(500);
/// A report counts for this long: they come every 5 s.
const STALE_AFTER: Duration = Duration::from_secs(7);

#[derive(Default)]
pub(super) struct Congestion {
    fastest: Option<Duration>,
    /// When a report said that the link is full.
    full_at: Option<Instant>,
}

impl Congestion {
    pub fn reported(&mut self, now: Instant, loss: f64, rtt: Option<Duration>) {
        self.fastest = self.fastest.into_iter().chain(rtt).min();
        let waits = self.fastest.zip(rtt).map(|(fastest, rtt)| rtt.saturating_sub(fastest));
        if loss >= FULL_LOSS || waits.is_some_and(|waits| waits >= FULL_QUEUE) {
            self.full_at = Some(now);
        }
    }

    /// Only later reports tell whether the link is full.
    pub fn ask_again(&mut self) {
        self.full_at = None;
    }

    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_some_and(|at| now.saturating_duration_since(at) < STALE_AFTER)
    }
}
