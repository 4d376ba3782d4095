//! How much one subscriber may be sent.
//!
//! The client estimates what it could receive (REMB, draft-alvestrand-rmcat-remb). Such an estimate never rises far
//! above what is being received, so it shows shortage but not spare capacity: after a shortage the limit is raised step
//! by step, and lowered again, for longer each time, when that was too much.
//!
//! An estimate also falls when the client is short of CPU and reads its packets late. So it alone takes layers, but never
//! the last one: for that the client has to have lost packets.

use std::time::{Duration, Instant};

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
/// Videos are paused only after the lowest layers have not fit for this long, and have been lost in part.
const STARVED_AFTER: Duration = Duration::from_secs(10);
const STARVED_LOSS: f64 = 0.1;
/// A report of loss counts for this long: reports come every 5 s.
const LOSS_STALE_AFTER: Duration = Duration::from_secs(12);

/// The bandwidth limit of one subscriber.
#[derive(Default)]
pub(crate) struct Budget {
    estimate: Option<(Instant, u64)>,
    loss: Option<(Instant, f64)>,
    limit_bps: Option<u64>,
    short_since: Option<Instant>,
    last_short: Option<Instant>,
    raise_at: Option<Instant>,
    raise_after: Duration,
    starved_since: Option<Instant>,
    is_starved: bool,
}

impl Budget {
    /// The client's newest estimate in bits per second.
    pub fn estimated(&mut self, now: Instant, bps: u64) {
        self.estimate = Some((now, bps));
    }

    /// The share of packets that the client has lost, 0.0 to 1.0.
    pub fn lost(&mut self, now: Instant, share: f64) {
        self.loss = Some((now, share));
    }

    /// The limit for all media in bits per second, None without one. `sent_bps`: what is being sent; `is_satisfied`:
    /// every video is at the quality that is asked for.
    pub fn update(&mut self, now: Instant, sent_bps: u64, is_satisfied: bool) -> Option<u64> {
        let fresh = self.estimate.filter(|(at, _)| now.saturating_duration_since(*at) < STALE_AFTER);
        let Some((_, estimate)) = fresh else {
            self.short_since = None;
            return self.limit_bps;
        };
        if (estimate as f64) < sent_bps as f64 * SHORTAGE_SHARE {
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
            self.limit_bps = (!is_satisfied).then(|| (limit.max(sent_bps) as f64 * RAISE_FACTOR) as u64);
            self.raise_at = Some(now + FIRST_RAISE);
        }
        self.limit_bps
    }

    fn lower(&mut self, now: Instant, estimate: u64) {
        let long_ago = self.last_short.is_none_or(|last| now.saturating_duration_since(last) > INDEPENDENT_AFTER);
        let is_independent = long_ago && self.limit_bps.is_none();
        self.raise_after = if is_independent { FIRST_RAISE } else { (self.raise_after * 2).min(LAST_RAISE) };
        self.limit_bps = Some((estimate as f64 * USABLE_SHARE) as u64);
        self.last_short = Some(now);
        self.raise_at = Some(now + self.raise_after);
        self.short_since = None;
    }

    /// True once the lowest layers have not fit for 10 s, while many of their packets were lost; then until they fit.
    pub fn is_starved(&mut self, now: Instant, lowest_bps: u64) -> bool {
        if self.limit_bps.is_none_or(|limit| limit >= lowest_bps) {
            self.starved_since = None;
            self.is_starved = false;
            return false;
        }
        let since = *self.starved_since.get_or_insert(now);
        let is_long = now.saturating_duration_since(since) >= STARVED_AFTER;
        let fresh = self.loss.filter(|(at, _)| now.saturating_duration_since(*at) < LOSS_STALE_AFTER);
        // once paused, little is sent and little is lost
        self.is_starved |= is_long && fresh.is_some_and(|(_, share)| share >= STARVED_LOSS);
        self.is_starved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pausing_takes_a_shortage_and_loss_for_ten_seconds() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let starve = |loss: f64| {
            let mut budget = Budget::default();
            (0..30).any(|second| {
                budget.estimated(at(second), 50_000);
                budget.lost(at(second), loss);
                budget.update(at(second), 150_000, false);
                let is_starved = budget.is_starved(at(second), 150_000);
                assert!(!is_starved || second >= 10, "too early: {second}");
                is_starved
            })
        };
        assert!(starve(0.2));
        assert!(!starve(0.02), "late, but not lost");
    }

    #[test]
    fn what_is_paused_stays_so_until_it_is_tried_again() {
        let start = Instant::now();
        let at = |s| start + Duration::from_secs(s);
        let mut budget = Budget::default();
        let (mut is_starved, mut starved) = (false, Vec::new());
        for second in 0..20 {
            budget.estimated(at(second), 50_000);
            budget.lost(at(second), if is_starved { 0.0 } else { 0.3 });
            budget.update(at(second), if is_starved { 0 } else { 150_000 }, false);
            is_starved = budget.is_starved(at(second), 150_000);
            starved.extend(is_starved.then_some(second));
        }
        assert_eq!(starved.first(), Some(&12));
        assert!(starved.len() >= 4 && starved.windows(2).all(|pair| pair[1] == pair[0] + 1), "{starved:?}");
        assert!(!budget.is_starved(at(20), 10_000), "what fits is sent");
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
