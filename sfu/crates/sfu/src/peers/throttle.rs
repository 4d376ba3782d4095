//! Flow control of what a client sends on its data channels: while it has to wait, its datagrams do.
//!
//! str0m reads and acknowledges whatever arrives, so that SCTP's receive window never closes. What is held back here is
//! not acknowledged, and the client's congestion control adapts to it as to a slow link: nothing is lost that the client
//! does not send again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::data::DataFlow;
use crate::datagram::Origin;

/// What is held back of one client; more is dropped. A second's worth of a slow link: its acknowledgements wait, too.
const MAX_HELD_BYTES: usize = 256 * 1024;
/// After this time without progress small datagrams pass, as acknowledgements of what the client receives: two clients
/// that wait for each other would wait for ever. What is held is lost then: DTLS discards what is older by 64 than what
/// has passed (RFC 6347, section 4.1.2.6).
const STALLED: Duration = Duration::from_millis(250);
const SMALL_BYTES: usize = 300;
const SMALL_PER_S: f64 = 200.0;
const SMALL_AT_ONCE: f64 = 20.0;

pub(super) struct Throttle {
    flow: Arc<DataFlow>,
    until: Option<Instant>,
    held: VecDeque<(Origin, Vec<u8>)>,
    held_bytes: usize,
    /// When something passed, or was held as the first.
    progress_at: Option<Instant>,
    small_left: f64,
    small_at: Option<Instant>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            flow: Arc::default(),
            until: None,
            held: VecDeque::new(),
            held_bytes: 0,
            progress_at: None,
            small_left: SMALL_AT_ONCE,
            small_at: None,
        }
    }
}

/// What is to be done with a datagram.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Pass,
    Held,
    Dropped,
}

impl Throttle {
    /// How much of this client's data is on its way.
    pub fn flow(&self) -> &Arc<DataFlow> {
        &self.flow
    }

    /// Let the client wait until then at least.
    pub fn wait_until(&mut self, until: Instant) {
        self.until = self.until.max(Some(until));
    }

    fn is_waiting(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until) || self.flow.is_full()
    }

    /// Decide about a datagram with data. What is held, [`Throttle::take`] returns later.
    pub fn admit(&mut self, now: Instant, from: Origin, data: &[u8]) -> Verdict {
        if self.held.is_empty() && !self.is_waiting(now) {
            return Verdict::Pass;
        }
        let progress_at = *self.progress_at.get_or_insert(now);
        let is_stalled = now.saturating_duration_since(progress_at) >= STALLED;
        if is_stalled && data.len() <= SMALL_BYTES && self.is_small_allowed(now) {
            return Verdict::Pass;
        }
        if self.held_bytes + data.len() > MAX_HELD_BYTES {
            return Verdict::Dropped;
        }
        self.held_bytes += data.len();
        self.held.push_back((from, data.to_vec()));
        Verdict::Held
    }

    fn is_small_allowed(&mut self, now: Instant) -> bool {
        let elapsed = self.small_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.small_at = Some(now);
        self.small_left = (self.small_left + elapsed.as_secs_f64() * SMALL_PER_S).min(SMALL_AT_ONCE);
        if self.small_left < 1.0 {
            return false;
        }
        self.small_left -= 1.0;
        true
    }

    /// The next datagram that was held, None while the client still has to wait.
    pub fn take(&mut self, now: Instant) -> Option<(Origin, Vec<u8>)> {
        if self.is_waiting(now) {
            return None;
        }
        let (from, data) = self.held.pop_front()?;
        self.held_bytes -= data.len();
        self.progress_at = (!self.held.is_empty()).then_some(now);
        Some((from, data))
    }

    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }
}

/// Whether a datagram carries what was sent on data channels, or acknowledges it: encrypted DTLS (RFC 7983; content
/// type `application_data` of RFC 6347, unified header of RFC 9147).
pub(crate) fn is_channel_data(data: &[u8]) -> bool {
    matches!(data.first(), Some(23 | 32..=63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataMessage;
    use crate::datagram::Path;
    use crate::ids::ShardId;

    const LARGE: [u8; 1200] = [23; 1200];

    fn source() -> Origin {
        (Path::udp(([192, 0, 2, 9], 7882).into(), ([192, 0, 2, 1], 4000).into()), ShardId(0))
    }

    #[test]
    fn what_is_held_is_bounded_and_comes_in_order() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        assert_eq!(throttle.admit(now, source(), &LARGE), Verdict::Pass);
        let on_its_way = DataMessage::new(vec![0; 600_000], Some(throttle.flow().clone()));
        let verdicts: Vec<_> = (0..2000).map(|_| throttle.admit(now, source(), &LARGE)).collect();
        let held = verdicts.iter().filter(|verdict| **verdict == Verdict::Held).count();
        assert_eq!(held, MAX_HELD_BYTES / LARGE.len());
        assert_eq!(verdicts.last(), Some(&Verdict::Dropped));
        assert!(throttle.take(now).is_none());
        drop(on_its_way);
        assert_eq!(throttle.admit(now, source(), &[24; 1200]), Verdict::Dropped, "never before what is held");
        let taken = std::iter::from_fn(|| throttle.take(now)).count();
        assert_eq!((taken, throttle.is_holding()), (held, false));
        assert_eq!(throttle.admit(now, source(), &LARGE), Verdict::Pass);
    }

    #[test]
    fn acknowledgements_pass_at_a_bounded_rate_where_nothing_else_does() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        throttle.wait_until(start + Duration::from_secs(1));
        let mut passed = |from: u32, to: u32| {
            let at = |n: u32| start + Duration::from_millis(1) * n;
            (from..to).filter(|n| throttle.admit(at(*n), source(), &[23; 80]) == Verdict::Pass).count()
        };
        assert_eq!(passed(0, 250), 0, "a short wait leaves the order as it is");
        let passed = passed(250, 1000);
        assert!((150..=171).contains(&passed), "{passed}");
        assert!(throttle.take(start + Duration::from_millis(999)).is_none());
        assert!(throttle.take(start + Duration::from_secs(1)).is_some());
    }
}
