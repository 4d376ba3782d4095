//! How much one subscriber may be sent.
//!
//! The client estimates what it could receive (REMB, draft-alvestrand-rmcat-remb). Such an estimate never rises far
//! above what is being received, so it shows shortage but not spare capacity: after a shortage the limit is raised step
//! by step, and lowered again, for longer each time, when that was too much.

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
/// Videos are paused only after the lowest layers have not fit for this long.
const STARVED_AFTER: Duration = Duration::from_secs(10);

/// The bandwidth limit of one subscriber.
#[derive(Default)]
pub(crate) struct Budget {
    estimate: Option<(Instant, u64)>,
    limit_bps: Option<u64>,
    short_since: Option<Instant>,
    last_short: Option<Instant>,
    raise_at: Option<Instant>,
    raise_after: Duration,
    starved_since: Option<Instant>,
}

impl Budget {
    /// The client's newest estimate in bits per second.
    pub fn estimated(&mut self, now: Instant, bps: u64) {
        self.estimate = Some((now, bps));
    }

    /// The client's estimate in bits per second, unless it is old.
    pub fn estimate_bps(&self, now: Instant) -> Option<u64> {
        let fresh = self.estimate.filter(|(at, _)| now.saturating_duration_since(*at) < STALE_AFTER);
        fresh.map(|(_, bps)| bps)
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

    /// True once the lowest layers have not fit for 10 s.
    pub fn is_starved(&mut self, now: Instant, lowest_bps: u64) -> bool {
        if self.limit_bps.is_none_or(|limit| limit >= lowest_bps) {
            self.starved_since = None;
            return false;
        }
        now.saturating_duration_since(*self.starved_since.get_or_insert(now)) >= STARVED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
