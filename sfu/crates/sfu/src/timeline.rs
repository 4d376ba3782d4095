//! Which instant the media times of one stream stand for. The sender reports of a subscriber's stream say so (RFC 3550
//! section 6.4.1), and receivers play sound and pictures together by them; held sound is released by it.
//!
//! The instant is that of the arrival, without what single packets were late: resent ones are by a round trip or more.

use std::time::{Duration, Instant};

/// Later arrivals move the line by at most this part of the time that has passed: clocks differ by less.
const DRIFT: u32 = 1000;
/// What is later than this was not delayed: the sender's clock stood still.
const MAX_LATE: Duration = Duration::from_secs(2);

pub(crate) struct Timeline {
    clock_rate_hz: u32,
    /// The newest media time, and its instant.
    newest: Option<(u32, Instant)>,
}

impl Timeline {
    pub fn new(clock_rate_hz: u32) -> Self {
        Self { clock_rate_hz, newest: None }
    }

    /// The instant of a packet; never after its arrival.
    pub fn place(&mut self, timestamp: u32, arrival: Instant) -> Instant {
        let Some((newest, at)) = self.newest else {
            self.newest = Some((timestamp, arrival));
            return arrival;
        };
        let ticks = timestamp.wrapping_sub(newest).cast_signed();
        let passed = self.duration(ticks.unsigned_abs());
        if ticks < 0 {
            return at.checked_sub(passed).unwrap_or(at).min(arrival);
        }
        let expected = at + passed;
        let late = arrival.saturating_duration_since(expected);
        let placed = if late > MAX_LATE { arrival } else { arrival.min(expected + late.min(passed / DRIFT)) };
        self.newest = Some((timestamp, placed));
        placed
    }

    fn duration(&self, ticks: u32) -> Duration {
        Duration::from_micros(u64::from(ticks) * 1_000_000 / u64::from(self.clock_rate_hz.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 90_000;

    #[test]
    fn late_packets_stand_for_when_they_should_have_come() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timeline = Timeline::new(RATE);
        assert_eq!(timeline.place(0, at(0)), at(0));
        assert!(timeline.place(9000, at(350)) <= at(101), "resent, as the newest one");
        assert!(timeline.place(18_000, at(200)) <= at(200));
        assert_eq!(timeline.place(4500, at(400)), at(50), "resent, as an older one");
        assert_eq!(timeline.place(27_000, at(290)), at(290), "earlier than all before");
        assert_eq!(timeline.place(36_000, at(9000)), at(9000), "the sender's clock stood still");
    }

    #[test]
    fn a_slow_clock_is_followed() {
        let start = Instant::now();
        let mut timeline = Timeline::new(RATE);
        let (mut arrival, mut placed) = (start, start);
        for second in 0..600u32 {
            arrival = start + Duration::from_micros(u64::from(second) * 1_000_300);
            placed = timeline.place(second * RATE, arrival);
        }
        assert_eq!(placed, arrival);
    }
}
