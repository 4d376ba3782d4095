//! When a client's packets have come, by their transport-wide sequence numbers: what it learns of its way to us
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::number_window::extended;
use super::transport_feedback::TransportFeedback;
use crate::ids::Ssrc;

/// From one report to the next, which a packet that comes brings with it.
const INTERVAL: Duration = Duration::from_millis(50);
/// Without a next packet it is told a little later.
const SLACK: Duration = Duration::from_millis(25);
/// Packets of one report.
const MAX_ARRIVALS: usize = 400;
/// Of more packets no report tells, present or missing.
const MAX_SPAN: u64 = 8191;
/// If more is missing, the client has begun again, or the link was cut.
const MAX_UNTOLD: u64 = 256;
/// Reports of what came late, at once.
const MAX_LATE: usize = 8;

/// What has come and was not told yet.
#[derive(Default)]
pub(super) struct ArrivalLog {
    arrivals: BTreeMap<u64, Instant>,
    newest: Option<u64>,
    /// The first number that was not told of.
    next: u64,
    /// Not before then is told what has come, and when the first of it came.
    not_before: Option<Instant>,
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
        let may_tell = self.since.is_some() && self.not_before.is_none_or(|at| at <= now);
        may_tell || self.arrivals.len() >= MAX_ARRIVALS
    }

    /// When it is time to tell although no packet comes.
    pub fn next_at(&self) -> Option<Instant> {
        self.since.map(|since| self.not_before.map_or(since, |at| at.max(since)) + SLACK)
    }

    /// Tell what has come: a compound, empty if that is nothing. Of what is missing before it only a client whose link is
    /// full is told: browsers send less for each loss that they know of, also where nothing is full.
    pub fn take(&mut self, now: Instant, of: Ssrc, is_full: bool) -> Vec<u8> {
        (self.since, self.not_before) = (None, Some(now + INTERVAL));
        let mut late = std::mem::take(&mut self.arrivals);
        let arrivals: Vec<_> = late.split_off(&self.next).into_iter().collect();
        let late: Vec<_> = late.into_iter().collect();
        let mut compound = Vec::new();
        // told as missing, but come late; what has come in time is not to be told a second time
        for run in late.chunk_by(|(one, _), (other, _)| one + 1 == *other).take(MAX_LATE) {
            self.tell(of, None, run, &mut compound);
        }
        self.tell(of, is_full.then_some(self.next), &arrivals, &mut compound);
        self.next = arrivals.last().map_or(self.next, |(newest, _)| newest + 1);
        compound
    }

    /// A report of these packets, in order, and of what is missing between them, and since `from`.
    fn tell(&mut self, of: Ssrc, from: Option<u64>, arrivals: &[(u64, Instant)], out: &mut Vec<u8>) {
        let (Some((first, at)), Some((newest, _))) = (arrivals.first(), arrivals.last()) else { return };
        let first = from.filter(|from| first - from <= MAX_UNTOLD).unwrap_or(*first);
        let arrivals = arrivals.iter().filter(|(number, _)| number - first <= MAX_SPAN);
        let newest = (*newest).min(first + MAX_SPAN);
        let epoch = *self.epoch.get_or_insert(*at);
        let arrived = arrivals.map(|(number, at)| {
            let since = at.saturating_duration_since(epoch).as_micros() as i64;
            ((*number - first) as u16, since)
        });
        let report = TransportFeedback::of(first as u16, (newest - first + 1) as u16, arrived.collect());
        report.write(of, self.reports, out);
        self.reports = self.reports.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::super::reports;
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    type Told = (u16, u16, Vec<(u16, i64)>);

    /// What each report tells.
    fn told(log: &mut ArrivalLog, now: Instant) -> Vec<Told> {
        let compound = log.take(now, Ssrc(7), false);
        let reports = reports::transport_feedback(&compound);
        let told = |report: TransportFeedback| {
            let begin_us = i64::from(report.reference) * 64_000;
            let arrived = report.arrived.into_iter().map(|(offset, at)| (offset, at + begin_us)).collect();
            (report.first, report.count, arrived)
        };
        reports.map(told).collect()
    }

    #[test]
    fn where_a_link_is_full_all_that_is_missing_is_told() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        for number in [7, 9] {
            log.received(now, number);
            log.take(now, Ssrc(7), true);
        }
        log.received(now, 12);
        let report = reports::transport_feedback(&log.take(now, Ssrc(7), true)).next().expect("a report");
        assert_eq!((report.first, report.count, report.arrived.len()), (10, 3, 1));
        log.received(now, 5000);
        let report = reports::transport_feedback(&log.take(now, Ssrc(7), true)).next().expect("a report");
        assert_eq!((report.first, report.count), (5000, 1), "it was cut");
    }

    #[test]
    fn what_has_come_is_told_with_what_is_missing_between() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        assert_eq!((told(&mut log, now), log.next_at()), (vec![], None));
        log.received(now, 65_534);
        log.received(now + MS, 1);
        log.received(now + 2 * MS, 65_535);
        log.received(now + 2 * MS, 65_535);
        assert!(!log.is_due(now + 49 * MS) && log.is_due(now + 50 * MS), "the last report was now");
        assert_eq!(log.next_at(), Some(now + 75 * MS));
        assert_eq!(told(&mut log, now), [(65_534, 4, vec![(0, 0), (1, 2000), (3, 1000)])]);
        assert_eq!((told(&mut log, now), log.next_at()), (vec![], None));
        log.received(now + 300 * MS, 5);
        assert_eq!(told(&mut log, now), [(5, 1, vec![(0, 300_000)])]);
        // late, but there: nothing of what was told before is told again
        log.received(now + 310 * MS, 2);
        log.received(now + 311 * MS, 4);
        log.received(now + 312 * MS, 6);
        let late = [(2, 1, vec![(0, 310_000)]), (4, 1, vec![(0, 311_000)])];
        assert_eq!(told(&mut log, now), [&late[..], &[(6, 1, vec![(0, 312_000)])]].concat());
    }

    #[test]
    fn who_begins_again_is_followed() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        log.received(now, 100);
        told(&mut log, now);
        log.received(now + MS, 30_000);
        assert_eq!(told(&mut log, now), [(30_000, 1, vec![(0, 1000)])]);
        (0..400).for_each(|number| log.received(now + 2 * MS, number * 7));
        log.received(now + 3 * MS, 30_001);
        let (bounded, mut again) = (told(&mut log, now), ArrivalLog::default());
        assert_eq!(bounded.len(), MAX_LATE + 1);
        // numbers that leave out nearly all of their round
        (0..20).for_each(|number| again.received(now, number * 3000));
        assert!(told(&mut again, now).iter().all(|(_, count, _)| u64::from(*count) <= MAX_SPAN + 1));
    }

    #[test]
    fn a_flood_is_told_in_parts() {
        let (now, mut log) = (Instant::now(), ArrivalLog::default());
        log.take(now, Ssrc(7), false);
        (0..399).for_each(|number| log.received(now, number));
        assert!(!log.is_due(now));
        log.received(now, 399);
        assert!(log.is_due(now));
        let report = log.take(now, Ssrc(7), false);
        assert!(report.len() < 600, "{}", report.len());
    }
}
