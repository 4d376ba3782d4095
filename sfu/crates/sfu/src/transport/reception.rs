//! What is received of one stream, as it is reported to its sender (RFC 3550 section 6.4.1 and appendix A).

use std::time::{Duration, Instant};

use super::codec::CodecFormat;
use super::reception_reports::{ReceptionBlock, SenderClock};
use crate::ids::Ssrc;

/// The resolution of jitter while it is computed (RFC 3550 appendix A.8).
const JITTER_UNIT: i64 = 16;
/// Seconds from 1900, as NTP counts them, to 1970.
const NTP_TO_UNIX_S: i64 = 2_208_988_800;

/// Of sound less is told, as libwebrtc does, unless this part of it was lost: its encoder can do something about that.
const SOUND_INTERVAL: Duration = Duration::from_secs(5);
const LOSSY_FROM: f64 = 0.05;

/// One stream of media.
pub(super) struct Reception {
    clock_rate_hz: u32,
    is_sound: bool,
    reported_at: Option<Instant>,
    first: u64,
    highest: u64,
    counted: Counted,
    /// Packets of sound that were lost and have come after all: their sender is not told. Opus puts a second, coarser copy
    /// of each frame into the next one only for those who lose packets (RFC 6716 section 2.1.7), and what is asked for
    /// may not come in time.
    repaired: u64,
    /// What the last report, and the last statistics, told.
    reported: Counted,
    told: Counted,
    /// When the first packet came, and the newest packet's time on the way, which differs by a constant from the true one.
    began: Instant,
    transit: Option<i64>,
    jitter: i64,
    sender: Option<(SenderClock, Instant)>,
}

#[derive(Clone, Copy, Default)]
struct Counted {
    expected: u64,
    received: u64,
}

/// What was received since the last statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReceivedStats {
    pub expected: u64,
    pub received: u64,
    /// Of the stream that has most of it; None without packets.
    pub jitter: Option<Duration>,
}

impl Reception {
    /// A stream of which this is the first packet's number.
    pub fn new(now: Instant, first: u64, codec: CodecFormat) -> Self {
        Self {
            clock_rate_hz: codec.clock_rate_hz().max(1),
            is_sound: codec.is_sound(),
            reported_at: None,
            first,
            highest: first,
            counted: Counted::default(),
            repaired: 0,
            reported: Counted::default(),
            told: Counted::default(),
            began: now,
            transit: None,
            jitter: 0,
            sender: None,
        }
    }

    /// A packet has come. `is_resent`: it had to be asked for.
    pub fn received(&mut self, now: Instant, number: u64, timestamp: u32, is_resent: bool) {
        (self.first, self.highest) = (self.first.min(number), self.highest.max(number));
        self.counted = Counted { expected: self.highest - self.first + 1, received: self.counted.received + 1 };
        if is_resent {
            self.repaired += u64::from(self.is_sound);
            return;
        }
        let elapsed = now.saturating_duration_since(self.began).as_micros() as i64;
        let arrived = elapsed * i64::from(self.clock_rate_hz) / 1_000_000;
        // 32 bits, as timestamps have
        let transit = i64::from((arrived as u32).wrapping_sub(timestamp).cast_signed());
        if let Some(before) = self.transit.replace(transit) {
            let change = i64::from(((transit - before) as i32).unsigned_abs());
            self.jitter += change - (self.jitter + JITTER_UNIT / 2) / JITTER_UNIT;
        }
    }

    /// The sender's clock, as its last report told it.
    pub fn sender_reported(&mut self, now: Instant, clock: SenderClock) {
        self.sender = Some((clock, now));
    }

    /// The sender's clock at this timestamp in microseconds since 1970. None without a report.
    pub fn sender_clock_us(&self, timestamp: u32) -> Option<i64> {
        let (SenderClock { ntp, timestamp: reported }, _) = self.sender?;
        let fraction_us = ((ntp & 0xffff_ffff) * 1_000_000) >> 32;
        let reported_us = ((ntp >> 32) as i64 - NTP_TO_UNIX_S) * 1_000_000 + fraction_us as i64;
        let ticks = i64::from(timestamp.wrapping_sub(reported).cast_signed());
        (reported_us >= 0).then(|| reported_us + ticks * 1_000_000 / i64::from(self.clock_rate_hz))
    }

    /// What there is to report; None if nothing has come since the last time, or if that was not long ago.
    pub fn report(&mut self, now: Instant, ssrc: Ssrc) -> Option<ReceptionBlock> {
        let counted = Counted { received: self.counted.received - self.repaired, ..self.counted };
        let (expected, received) = counted.since(self.reported)?;
        let lost = expected.saturating_sub(received);
        let is_recent = |at| now.saturating_duration_since(at) < SOUND_INTERVAL;
        let is_whole = lost as f64 <= LOSSY_FROM * expected as f64;
        if self.is_sound && is_whole && self.reported_at.is_some_and(is_recent) {
            return None;
        }
        (self.reported, self.reported_at) = (counted, Some(now));
        let last_report = self.sender.map(|(clock, came)| {
            let since = now.saturating_duration_since(came);
            ((clock.ntp >> 16) as u32, ((since.as_micros() << 16) / 1_000_000) as u32)
        });
        Some(ReceptionBlock {
            ssrc,
            fraction_lost: (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8,
            lost: counted.expected as i64 - counted.received as i64,
            highest: self.highest as u32,
            jitter: (self.jitter / JITTER_UNIT) as u32,
            last_report: last_report.unwrap_or_default(),
        })
    }

    /// Add what has come since the last time to `stats`.
    pub fn add_to(&mut self, stats: &mut ReceivedStats) {
        let Some((expected, received)) = self.counted.since(self.told) else { return };
        self.told = self.counted;
        stats.expected += expected;
        stats.received += received;
        let jitter_us = (self.jitter / JITTER_UNIT) as u64 * 1_000_000 / u64::from(self.clock_rate_hz);
        stats.jitter = stats.jitter.max(Some(Duration::from_micros(jitter_us)));
    }
}

impl Counted {
    /// None if nothing was received since then.
    fn since(self, then: Self) -> Option<(u64, u64)> {
        let received = self.received - then.received;
        (received > 0).then_some((self.expected.saturating_sub(then.expected), received))
    }
}

impl ReceivedStats {
    /// Share that is missing, 0.0 to 1.0; None where nothing was expected.
    pub fn loss(self) -> Option<f64> {
        (self.expected > 0).then(|| self.expected.saturating_sub(self.received) as f64 / self.expected as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn losses_are_reported_until_they_are_repaired() {
        let mut now = Instant::now();
        let mut reception = Reception::new(now, 65_001, CodecFormat::any(false));
        assert_eq!(reception.report(now, Ssrc(7)), None);
        for number in 65_001..66_000 {
            now += MS;
            if number % 4 > 0 {
                reception.received(now, number, number as u32 * 90, false);
            }
        }
        let report = reception.report(now, Ssrc(7)).expect("news");
        assert_eq!((report.fraction_lost, report.lost, report.highest), (63, 249, 65_999));
        assert_eq!(reception.report(now, Ssrc(7)), None);
        for number in (65_004..66_000).filter(|number| number % 4 == 0) {
            reception.received(now, number, 0, true);
        }
        let report = reception.report(now, Ssrc(7)).expect("news");
        assert_eq!((report.fraction_lost, report.lost, report.jitter), (0, 0, 0));
        let mut stats = ReceivedStats::default();
        reception.add_to(&mut stats);
        assert_eq!((stats.expected, stats.received, stats.loss()), (999, 999, Some(0.0)));
        let mut none = ReceivedStats::default();
        reception.add_to(&mut none);
        assert_eq!((none, none.loss()), (ReceivedStats::default(), None));
    }

    #[test]
    fn jitter_is_the_mean_change_of_the_time_on_the_way() {
        let began = Instant::now();
        let mut reception = Reception::new(began, 1, CodecFormat::any(true));
        for number in 1..2000_u64 {
            // every other packet is 4 ms late; timestamps come to their end on the way
            let late = 4 * (number % 2) as u32;
            let timestamp = (number as u32 * 960).wrapping_sub(960_000);
            reception.received(began + (20 * number as u32 + late) * MS, number, timestamp, false);
        }
        let mut stats = ReceivedStats::default();
        reception.add_to(&mut stats);
        let jitter = stats.jitter.expect("packets");
        assert!((Duration::from_micros(3900)..=4 * MS).contains(&jitter), "{jitter:?}");
    }

    #[test]
    fn of_sound_is_told_every_five_seconds() {
        let began = Instant::now();
        let mut reception = Reception::new(began, 1, CodecFormat::any(true));
        let mut told = Vec::new();
        for second in 0..12_u32 {
            let now = began + second * 1000 * MS;
            reception.received(now, second.into(), second * 48_000, false);
            told.extend(reception.report(now, Ssrc(7)).map(|_| second));
        }
        assert_eq!(told, [0, 5, 10]);
    }

    #[test]
    fn the_sender_of_sound_is_told_at_once_of_what_is_lost_also_if_it_came_in_the_end() {
        let began = Instant::now();
        let mut reception = Reception::new(began, 1, CodecFormat::any(true));
        let (mut told, mut stats) = (Vec::new(), ReceivedStats::default());
        for number in 1..=300_u64 {
            let now = began + number as u32 * 20 * MS;
            reception.received(now, number, number as u32 * 960, number % 4 == 0);
            if number % 50 == 0 {
                told.extend(reception.report(now, Ssrc(7)).map(|report| (report.fraction_lost, report.lost)));
            }
        }
        assert_eq!(told, [(61, 12), (66, 25), (61, 37), (66, 50), (61, 62), (66, 75)]);
        reception.add_to(&mut stats);
        assert_eq!(stats.loss(), Some(0.0), "nobody misses it");
    }

    #[test]
    fn the_senders_clock_is_that_of_its_last_report() {
        let now = Instant::now();
        let mut reception = Reception::new(now, 1, CodecFormat::any(false));
        assert_eq!(reception.sender_clock_us(0), None);
        let second = (NTP_TO_UNIX_S + 1_000_000) as u64;
        reception.sender_reported(now, SenderClock { ntp: second << 32 | 0x8000_0000, timestamp: 90_000 });
        assert_eq!(reception.sender_clock_us(90_000), Some(1_000_000_500_000));
        assert_eq!(reception.sender_clock_us(90_000 - 45_000), Some(1_000_000_000_000));
        assert_eq!(reception.sender_clock_us(90_000_u32.wrapping_sub(180_000)), Some(999_998_500_000));
        reception.received(now, 2, 0, false);
        let report = reception.report(now + 500 * MS, Ssrc(7)).expect("news");
        assert_eq!(report.last_report, ((second as u32) << 16 | 0x8000, 0x8000));
    }
}
