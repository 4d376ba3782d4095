//! What may be spent: refilled steadily, up to a limit.

use std::time::{Duration, Instant};

/// A rate and how much may come at once.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub per_second: f64,
    pub burst: f64,
}

#[derive(Default)]
pub(crate) struct TokenBucket {
    spent: f64,
    since: Option<Instant>,
}

impl TokenBucket {
    /// False if so much is not there now.
    pub fn take(&mut self, now: Instant, amount: f64, rate: Rate) -> bool {
        let elapsed = self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.since = Some(now);
        self.spent = (self.spent - elapsed.as_secs_f64() * rate.per_second).max(0.0);
        if self.spent + amount > rate.burst {
            return false;
        }
        self.spent += amount;
        true
    }

    /// Whether nothing of it was in use at the last look.
    pub fn is_full(&self, amount: f64) -> bool {
        self.spent <= amount
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let (mut bucket, rate, start) = (TokenBucket::default(), Rate { per_second: 10.0, burst: 5.0 }, Instant::now());
        let mut taken = |at: Duration| (0..100).filter(|_| bucket.take(start + at, 1.0, rate)).count();
        assert_eq!(taken(Duration::ZERO), 5);
        assert_eq!(taken(Duration::from_millis(310)), 3);
        assert_eq!(taken(Duration::from_secs(100)), 5);
    }
}
