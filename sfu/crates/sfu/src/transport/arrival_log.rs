//! When a client's packets have come, by their transport-wide sequence numbers: what it learns of its way to us
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::number_window::extended;
use super::transport_feedback::TransportFeedback;
use crate::ids::Ssrc;

/// What has come is told after this time, with the next packet.
const INTERVAL: Duration = Duration::from_millis(50);
/// Without a next packet it is told a little later.
const SLACK: Duration = Duration::from_millis(25);
/// Packets of one report.
const MAX_ARRIVALS: usize = 400;
/// Who leaves out more than this has begun again.
const MAX_GAP: u64 = 4096;

/// What has come and was not told yet.
#[derive(Default)]
pub(super) struct ArrivalLog {
    arrivals: BTreeMap<u64, Instant>,
    newest: Option<u64>,
    /// The first number that was not told of.
    next: u64,
    /// When the first of these packets came.
    since: Option<Instant>,
    /// The beginning of the times that are told.
    epoch: Option<Instant>,
    reports: u8,
}

impl ArrivalLog {
    /// A packet with this number has come.
    pub fn received(&mut self, now: Instant, number: u16) {
        let number = match self.newest {
            Some(newest) => extended(number, newest),
            None => {
                self.next = u64::from(number);
                self.next
            }
        };
        self.newest = self.newest.max(Some(number));
        self.arrivals.entry(number).or_insert(now);
        self.since.get_or_insert(now);
    }

    /// Whether it is time to tell, now that a packet has come.
    pub fn is_due(&self, now: Instant) -> bool {
        self.arrivals.len() >= MAX_ARRIVALS || self.since.is_some_and(|since| since + INTERVAL <= now)
    }

    /// When it is time to tell although no packet comes.
    pub fn next_at(&self) -> Option<Instant> {
        self.since.map(|since| since + INTERVAL + SLACK)
    }

    /// Tell what has come. None if that is nothing.
    pub fn take(&mut self, of: Ssrc) -> Option<Vec<u8>> {
        self.since = None;
        let arrivals = std::mem::take(&mut self.arrivals);
        let (oldest, newest) = (*arrivals.first_key_value()?.0, *arrivals.last_key_value()?.0);
        // what was missing in between is told, too; what came late was told as missing
        let first = if oldest.saturating_sub(self.next) > MAX_GAP { oldest } else { oldest.min(self.next) };
        let first = first.max(newest.saturating_sub(2 * MAX_GAP));
        self.next = self.next.max(newest + 1);
        let epoch = *self.epoch.get_or_insert(*arrivals.values().min()?);
        let arrived = arrivals.range(first..).map(|(number, at)| {
            let since = at.saturating_duration_since(epoch).as_micros() as i64;
            ((*number - first) as u16, since)
        });
        let report = TransportFeedback::of(first as u16, (newest - first + 1) as u16, arrived.collect());
        let count = self.reports;
        self.reports = self.reports.wrapping_add(1);
        Some(report.write(of, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    type Told = (u16, u16, Vec<(u16, i64)>);

    fn told(log: &mut ArrivalLog) -> Option<Told> {
        let report = TransportFeedback::read(&log.take(Ssrc(7))?).expect("well-formed");
        let begin_us = i64::from(report.reference) * 64_000;
        let arrived = report.arrived.into_iter().map(|(offset, at)| (offset, at + begin_us)).collect();
        Some((report.first, report.count, arrived))
    }

    #[test]
    fn what_has_come_is_told_with_what_is_missing() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        assert_eq!((told(&mut log), log.next_at()), (None, None));
        log.received(now, 65_534);
        log.received(now + MS, 1);
        log.received(now + 2 * MS, 65_535);
        log.received(now + 2 * MS, 65_535);
        assert!(!log.is_due(now + 49 * MS) && log.is_due(now + 50 * MS));
        assert_eq!(log.next_at(), Some(now + 75 * MS));
        assert_eq!(told(&mut log), Some((65_534, 4, vec![(0, 0), (1, 2000), (3, 1000)])));
        assert_eq!((told(&mut log), log.next_at()), (None, None));
        // what is missing before the next one is told with it
        log.received(now + 300 * MS, 5);
        assert_eq!(told(&mut log), Some((2, 4, vec![(3, 300_000)])));
        // late, but there
        log.received(now + 310 * MS, 3);
        log.received(now + 310 * MS, 6);
        assert_eq!(told(&mut log), Some((3, 4, vec![(0, 310_000), (3, 310_000)])));
    }

    #[test]
    fn who_begins_again_is_followed() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        log.received(now, 100);
        told(&mut log);
        log.received(now + MS, 30_000);
        assert_eq!(told(&mut log), Some((30_000, 1, vec![(0, 1000)])));
        log.received(now + 2 * MS, 100);
        log.received(now + 3 * MS, 30_001);
        let (first, count, arrived) = told(&mut log).expect("arrivals");
        assert_eq!((first.wrapping_add(count), arrived.len()), (30_002, 1), "a bounded report");
    }

    #[test]
    fn a_flood_is_told_in_parts() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        (0..399).for_each(|number| log.received(now, number));
        assert!(!log.is_due(now));
        log.received(now, 399);
        assert!(log.is_due(now));
        let report = log.take(Ssrc(7)).expect("arrivals");
        assert!(report.len() < 600, "{}", report.len());
    }
}
