//! How much one subscriber may be sent.
//!
//! Clients that tell when packets arrive leave the estimate to us ([`Estimator`]). Others estimate themselves what they
//! could receive (REMB, draft-alvestrand-rmcat-remb). Such an estimate never rises far above what is being received, so
//! it shows shortage but not spare capacity: after a shortage the limit is raised step by step, and lowered again, for
//! longer each time, when that was too much.
//!
//! An estimate also falls when the client is short of CPU and reads its packets late. So it alone takes layers, but never
//! the last one: for that the link has to be full ([`Congestion`]).

use std::time::{Duration, Instant};

use super::congestion::Congestion;
use super::estimator::Estimator;
use crate::transport::{Arrival, Padding};

/// An estimate below this share of what is sent, for [`SHORTAGE_AFTER`], is a shortage.
const SHORTAGE_SHARE: f64 = 0.9;
const SHORTAGE_AFTER: Duration = Duration::from_secs(2);
/// What may be used of an estimate.
const USABLE_SHARE: f64 = 0.95;
/// An estimate older than this is ignored.
const STALE_AFTER: Duration = Duration::from_secs(5);
/// The limit is raised by this factor, after the first and at most the last of these times.
const RAISE_FACTOR: f64 = 1.5;
const FIRST_RAISE: Duration = Duration::from_secs(4);
const LAST_RAISE: Duration = Duration::from_secs(60);
/// A shortage this long after the last one starts with [`FIRST_RAISE`] again.
const INDEPENDENT_AFTER: Duration = Duration::from_secs(30);
/// Videos are paused only after the lowest layers have not fit for this long, on a link that is full.
const STARVED_AFTER: Duration = Duration::from_secs(10);
/// That long when they were paused a short time ago and have been tried again.
const STARVED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The bandwidth limit of one subscriber.
#[derive(Default)]
pub(crate) struct Budget {
    estimator: Estimator,
    estimate: Option<(Instant, u64)>,
    limit_bps: Option<u64>,
    short_since: Option<Instant>,
    last_short: Option<Instant>,
    raise_at: Option<Instant>,
    raise_after: Duration,
    /// The limit has been raised since it was lowered last.
    is_tried: bool,
    congestion: Congestion,
    /// Since when the lowest layers do not fit.
    starved_since: Option<Instant>,
    is_starved: bool,
    last_starved: Option<Instant>,
    /// What the paused videos need at least: less is not worth a try.
    needed_bps: u64,
}

impl Budget {
    /// The client's newest estimate in bits per second.
    pub fn estimated(&mut self, now: Instant, bps: u64) {
        self.estimate = Some((now, bps));
    }

    /// What the client tells of packets that were sent to it. True if the limit has changed by it.
    pub fn arrived(&mut self, now: Instant, arrivals: &[Arrival]) -> bool {
        self.estimator.arrived(now, arrivals)
    }

    /// Padding that is to be sent to learn whether there is room for more. `wanted_bps`: what everything takes that the
    /// client is to get; `lowest_bps`: the lowest layers and sound.
    pub fn probe(&mut self, now: Instant, wanted_bps: u64, lowest_bps: u64) -> Option<Padding> {
        self.estimator.probe(now, wanted_bps, lowest_bps)
    }

    /// How fast pictures may be sent, where that is known.
    pub fn pace_bps(&self, now: Instant) -> Option<u64> {
        self.estimator.limit_bps().filter(|_| self.estimator.is_known(now))
    }

    /// Whether the link has been full a short time ago, as we estimate.
    pub fn is_full(&self, now: Instant) -> bool {
        self.estimator.is_known(now) && self.estimator.is_full(now)
    }

    /// What the client reports of its link: the share of packets that it has lost, and the round-trip time.
    pub fn reported(&mut self, now: Instant, loss: f64, rtt: Option<Duration>) {
        self.congestion.reported(now, loss, rtt);
    }

    /// The estimate in bits per second, unless it is old; what arrives, while the link is not full.
    pub fn estimate_bps(&self, now: Instant) -> Option<u64> {
        if self.estimator.is_known(now) {
            return self.estimator.limit_bps().or(Some(self.estimator.sent_bps()));
        }
        let fresh = self.estimate.filter(|(at, _)| now.saturating_duration_since(*at) < STALE_AFTER);
        fresh.map(|(_, bps)| bps)
    }

    /// The limit for all media in bits per second, None without one. `sent_bps`: what is being sent; `is_satisfied`:
    /// every video is at the quality that is asked for.
    pub fn update(&mut self, now: Instant, sent_bps: u64, is_satisfied: bool) -> Option<u64> {
        if self.estimator.is_known(now) {
            self.limit_bps = self.estimator.limit_bps();
            return self.limit_bps;
        }
        let fresh = self.estimate.filter(|(at, _)| now.saturating_duration_since(*at) < STALE_AFTER);
        // a client that is sent no picture may estimate nothing: that is no reason to pause it for ever
        if fresh.is_none() && !self.is_starved {
            self.short_since = None;
            return self.limit_bps;
        }
        if let Some((_, estimate)) = fresh
            && (estimate as f64) < sent_bps as f64 * SHORTAGE_SHARE
        {
            let since = *self.short_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= SHORTAGE_AFTER {
                self.lower(now, estimate);
            }
            return self.limit_bps;
        }
        self.short_since = None;
        if let (Some(limit), Some(raise_at)) = (self.limit_bps, self.raise_at)
            && now >= raise_at
        {
            let raised = (limit.max(sent_bps) as f64 * RAISE_FACTOR) as u64;
            self.limit_bps = (!is_satisfied).then_some(raised.max(self.needed_bps));
            self.raise_at = Some(now + FIRST_RAISE);
            self.is_tried = true;
        }
        self.limit_bps
    }

    fn lower(&mut self, now: Instant, estimate: u64) {
        let long_ago = self.last_short.is_none_or(|last| now.saturating_duration_since(last) > INDEPENDENT_AFTER);
        let is_independent = long_ago && self.limit_bps.is_none();
        if is_independent {
            self.raise_after = FIRST_RAISE;
        } else if std::mem::take(&mut self.is_tried) {
            self.raise_after = (self.raise_after * 2).min(LAST_RAISE);
        }
        self.limit_bps = Some((estimate as f64 * USABLE_SHARE) as u64);
        self.last_short = Some(now);
        self.raise_at = Some(now + self.raise_after);
        self.short_since = None;
    }

    /// True once the lowest layers and sound have not fit for 10 s on a link that is full; then until they are tried.
    pub fn is_starved(&mut self, now: Instant, lowest_bps: u64) -> bool {
        if self.limit_bps.is_none_or(|limit| limit >= lowest_bps) {
            self.starved_since = None;
            self.needed_bps = 0;
            if std::mem::take(&mut self.is_starved) {
                // only what is reported from now on tells whether it was too much
                self.congestion.ask_again();
            }
            return false;
        }
        let since = *self.starved_since.get_or_insert(now);
        let is_tried = self.last_starved.is_some_and(|at| now.saturating_duration_since(at) < INDEPENDENT_AFTER);
        let after = if is_tried { STARVED_AGAIN_AFTER } else { STARVED_AFTER };
        let is_long = now.saturating_duration_since(since) >= after;
        if !self.is_starved && is_long && (self.congestion.is_full(now) || self.estimator.is_full(now)) {
            // from now on little is sent: little is lost and the queue is empty
            self.is_starved = true;
            if !is_tried {
                self.raise_after = FIRST_RAISE;
            }
            self.raise_at = Some(now + self.raise_after);
        }
        if self.is_starved {
            self.last_starved = Some(now);
            self.needed_bps = lowest_bps;
        }
        self.is_starved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds in which a budget is starved whose client reports this.
    fn starved(report: impl Fn(u64, bool) -> (f64, u64)) -> Vec<u64> {
        let start = Instant::now();
        let mut budget = Budget::default();
        let mut starved = Vec::new();
        for second in 0..40 {
            let now = start + Duration::from_secs(second);
            let is_starved = starved.last().is_some_and(|last| last + 1 == second);
            let (loss, rtt_ms) = report(second, is_starved);
            budget.estimated(now, 50_000);
            budget.reported(now, loss, Some(Duration::from_millis(rtt_ms)));
            budget.update(now, if is_starved { 0 } else { 150_000 }, false);
            starved.extend(budget.is_starved(now, 150_000).then_some(second));
        }
        starved
    }

    #[test]
    fn an_estimate_alone_starves_nothing() {
        assert_eq!(starved(|_, _| (0.02, 30)), []);
        assert_eq!(starved(|second, _| (0.0, 30 + second % 5 * 60)), [], "reports that are a little late");
    }

    #[test]
    fn loss_and_a_growing_round_trip_show_a_full_link() {
        let lost = starved(|_, is_starved| (if is_starved { 0.0 } else { 0.2 }, 30));
        assert_eq!(lost.first(), Some(&12));
        assert!(lost.len() >= 4, "paused until it is tried again: {lost:?}");
        let queued = starved(|second, is_starved| (0.0, if is_starved { 30 } else { 30 + second * 200 }));
        assert_eq!(queued.first(), Some(&12));
    }

    #[test]
    fn pictures_are_back_soon_after_a_loss_has_ended() {
        let long = |second: u64, _| (if second < 20 { 0.3 } else { 0.0 }, 30);
        let lost = starved(long);
        assert_eq!(lost.first(), Some(&12));
        assert!(lost.last() <= Some(&27), "{lost:?}");
        let before_it_was_paused = |second: u64, _| (if second < 4 { 0.3 } else { 0.0 }, 30);
        assert_eq!(starved(before_it_was_paused), []);
    }

    #[test]
    fn a_queue_that_comes_back_with_the_pictures_pauses_them_again() {
        let lost = starved(|second, is_starved| (0.0, if is_starved || second < 3 { 30 } else { 830 }));
        assert!(lost.chunk_by(|a, b| a + 1 == *b).count() >= 2, "{lost:?}");
    }

    #[test]
    fn pictures_are_tried_again_when_their_client_estimates_nothing() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut budget = Budget::default();
        let mut was_starved = false;
        let is_starved = (0..40).map(|second| {
            if !was_starved {
                budget.estimated(at(second), 50_000);
                budget.reported(at(second), if second < 22 { 0.3 } else { 0.0 }, None);
            }
            budget.update(at(second), if was_starved { 0 } else { 150_000 }, false);
            was_starved = budget.is_starved(at(second), 150_000);
            was_starved
        });
        let is_starved: Vec<_> = is_starved.collect();
        assert!(is_starved[21], "{is_starved:?}");
        assert!(!is_starved[39], "{is_starved:?}");
    }

    #[test]
    fn a_link_that_stays_too_narrow_is_tried_less_and_less_often() {
        let lost = starved(|_, is_starved| (if is_starved { 0.0 } else { 0.2 }, 30));
        let pauses = lost.chunk_by(|a, b| a + 1 == *b).map(<[u64]>::len).collect::<Vec<_>>();
        assert!(pauses.len() >= 2 && pauses[0] < pauses[1], "{pauses:?}");
    }

    #[test]
    fn what_lasts_long_without_a_try_does_not_delay_the_next_one() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut budget = Budget::default();
        for second in 0..60 {
            budget.estimated(at(second), 50_000);
            budget.update(at(second), 150_000, false);
        }
        let low = budget.update(at(60), 150_000, false);
        let raised = (60..80).find(|second| {
            budget.estimated(at(*second), 300_000);
            budget.update(at(*second), 150_000, false) > low
        });
        assert!(raised.is_some_and(|second| second <= 66), "{raised:?}");
    }

    #[test]
    fn a_dip_is_not_a_shortage_and_raising_gets_slower_when_it_fails() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut budget = Budget::default();
        budget.estimated(at(0), 500_000);
        assert_eq!(budget.update(at(0), 1_000_000, true), None);
        budget.estimated(at(1000), 1_500_000);
        assert_eq!(budget.update(at(1000), 1_000_000, true), None);

        let mut raises = Vec::new();
        let (mut now, mut sent) = (2000, 1_000_000);
        let mut last = None;
        while now < 200_000 {
            // the link carries 400 kbit/s, whatever is tried
            budget.estimated(at(now), 400_000);
            let limit = budget.update(at(now), sent, false);
            if limit > last && last.is_some() {
                raises.push(now);
            }
            last = limit;
            sent = limit.map_or(1_000_000, |limit| limit.min(1_000_000));
            now += 500;
        }
        assert!(raises.len() >= 3);
        let gaps: Vec<_> = raises.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).all(|pair| pair[1] >= pair[0]), "{gaps:?}");
    }
}
