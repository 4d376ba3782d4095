//! What is sent for a moment beside media, to learn whether a link carries that much.

use std::time::{Duration, Instant};

/// How often some of it is sent.
const EVERY: Duration = Duration::from_millis(5);

/// So many bits per second from one instant to another.
#[derive(Clone, Debug)]
pub(crate) struct Padding {
    bps: u64,
    start: Instant,
    end: Instant,
    due: Instant,
    sent_bytes: u64,
}

impl Padding {
    pub fn new(start: Instant, time: Duration, bps: u64) -> Self {
        Self { bps, start, end: start + time, due: start, sent_bytes: 0 }
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether more has to be sent now.
    pub(super) fn is_owed(&self, now: Instant) -> bool {
        let passed = now.min(self.end).saturating_duration_since(self.start);
        u128::from(self.sent_bytes) * 8_000_000 < passed.as_micros() * u128::from(self.bps)
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.sent_bytes += bytes as u64;
    }

    /// What is to be sent later, None at the end.
    pub(super) fn rest(mut self, now: Instant) -> Option<Self> {
        self.due = now + EVERY;
        (now < self.end).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_sent_evenly_and_ends() {
        let start = Instant::now();
        let mut padding = Some(Padding::new(start, Duration::from_millis(40), 1_000_000));
        let mut sent = Vec::new();
        while let Some(mut rest) = padding.take() {
            let now = rest.due();
            let mut bytes = 0;
            while rest.is_owed(now) {
                rest.sent(300);
                bytes += 300;
            }
            sent.push(bytes);
            padding = rest.rest(now);
        }
        assert_eq!(sent.len(), 9, "{sent:?}");
        assert!((5000..5300).contains(&sent.iter().sum()), "{sent:?}");
        assert!(sent.iter().all(|bytes| *bytes <= 900), "{sent:?}");
    }
}
