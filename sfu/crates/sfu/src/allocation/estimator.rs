//! How much a client's link carries, estimated on our side by when packets arrive (transport-wide feedback).
//!
//! There is no limit until the link is full: a queue that stands and grows, or loses, tells so within some tenths of a
//! second, and how fast it is emptied tells what the link carries. Whether there is room again is found out by sending
//! padding beside media for a moment, twice as much as the limit allows: what arrives slower than it was sent has met a
//! queue. That costs a few kilobytes, so that it can be tried every few seconds.

use std::time::{Duration, Instant};

use super::arrivals::{Arrivals, Passage};
use crate::transport::{Arrival, Padding};

/// Without feedback for this long nothing is known.
const STALE_AFTER: Duration = Duration::from_secs(3);
/// What may be used of what a full link carries, and of what a probe that failed has shown.
const USABLE: f64 = 0.9;
const USABLE_OF_FAILED: f64 = 0.85;
/// A suspicion is one once it has lasted this long.
const SUSPECTED_FOR: Duration = Duration::from_millis(50);
/// Who was full a short time ago is full: this long.
const FULL_FOR: Duration = Duration::from_secs(7);
/// Probes take so long at least, or until so many bytes are sent, and end without an answer after this time.
const PROBE_TIME: Duration = Duration::from_millis(40);
const LONGEST_PROBE: Duration = Duration::from_millis(150);
const PROBE_BYTES: u64 = 3000;
const PROBE_ANSWERED: Duration = Duration::from_secs(1);
const PROBE_FACTOR: u64 = 2;
/// The least that is probed for.
const LEAST_BPS: u64 = 150_000;
/// A probe has passed if it was no more delayed than by this share of its time and this much, and if no more was lost.
const PASSED_SHARE: f64 = 0.15;
const PASSED_LATE: Duration = Duration::from_millis(5);
const PASSED_LOSS: f64 = 0.2;
/// There is no use in probing while packets wait.
const CALM_QUEUE: Duration = Duration::from_millis(20);
/// The time before the first probe, and the longest between those that fail.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// A limit that had to be lowered this soon after it was raised was raised wrongly: each time the next try is later.
const WRONG_WITHIN: Duration = Duration::from_secs(5);
const LONGEST_WAIT_WRONG: Duration = Duration::from_secs(30);
const RIGHT_AFTER: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(super) struct Estimator {
    arrivals: Arrivals,
    reported_at: Option<Instant>,
    limit_bps: Option<u64>,
    suspected_since: Option<Instant>,
    full_at: Option<Instant>,
    raised_at: Option<Instant>,
    /// How long the next probe waits after one that failed, and after a limit that was raised wrongly.
    wait: Duration,
    wait_wrong: Duration,
    next_probe: Option<Instant>,
    probe: Option<Probe>,
}

#[derive(Clone, Copy)]
struct Probe {
    start: Instant,
    end: Instant,
    /// The share that was lost before it.
    loss: f64,
}

impl Estimator {
    /// What the client tells of packets that were sent to it. True if the limit has changed by it.
    pub fn arrived(&mut self, now: Instant, arrivals: &[Arrival]) -> bool {
        self.reported_at = Some(now);
        arrivals.iter().for_each(|arrival| self.arrivals.add(arrival));
        let before = self.limit_bps;
        if let Some(overload) = self.arrivals.overload() {
            let since = *self.suspected_since.get_or_insert(now);
            if overload.is_sure || now.saturating_duration_since(since) >= SUSPECTED_FOR {
                self.lower(now, (overload.carried_bps as f64 * USABLE) as u64);
            }
        } else {
            self.suspected_since = None;
            self.judge_probe(now);
        }
        if self.arrivals.take_wrong() {
            (self.limit_bps, self.full_at, self.probe) = (None, None, None);
        }
        self.limit_bps != before
    }

    /// Whether the client tells what arrives.
    pub fn is_known(&self, now: Instant) -> bool {
        self.reported_at.is_some_and(|at| now.saturating_duration_since(at) < STALE_AFTER)
    }

    /// In bits per second; None without one.
    pub fn limit_bps(&self) -> Option<u64> {
        self.limit_bps
    }

    /// What is being sent, in bits per second.
    pub fn sent_bps(&self) -> u64 {
        self.arrivals.sent_bps()
    }

    /// Whether the link has been full a short time ago.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_some_and(|at| now.saturating_duration_since(at) < FULL_FOR)
    }

    fn lower(&mut self, now: Instant, bps: u64) {
        self.full_at = Some(now);
        self.probe = None;
        if self.limit_bps.is_none_or(|limit| bps < limit) {
            self.limit_bps = Some(bps);
        }
        if let Some(raised_at) = self.raised_at {
            let since = now.saturating_duration_since(raised_at);
            if since < WRONG_WITHIN {
                self.raised_at = None;
                self.wait_wrong = (self.wait_wrong * 2).clamp(FIRST_WAIT * 2, LONGEST_WAIT_WRONG);
            } else if since > RIGHT_AFTER {
                self.wait_wrong = Duration::ZERO;
            }
        }
        self.wait = FIRST_WAIT;
        self.next_probe = Some(now + self.wait.max(self.wait_wrong));
    }

    /// Padding to be sent from now on, to learn whether there is room for more. `wanted_bps`: what all takes that the client
    /// is to get; `least_bps`: less is of no use.
    pub fn probe(&mut self, now: Instant, wanted_bps: u64, least_bps: u64) -> Option<Padding> {
        let limit = self.limit_bps?;
        if limit >= wanted_bps {
            self.limit_bps = None;
            return None;
        }
        if self.probe.is_some_and(|probe| now > probe.end + PROBE_ANSWERED) {
            self.failed(now);
        }
        let is_due = self.next_probe.is_none_or(|at| now >= at) && self.is_known(now);
        if self.probe.is_some() || !is_due || self.arrivals.queue() > CALM_QUEUE {
            return None;
        }
        let bps = (PROBE_FACTOR * limit).max(least_bps).max(LEAST_BPS).min(wanted_bps + wanted_bps / 10);
        let padding_bps = bps.saturating_sub(self.arrivals.sent_bps()).max(bps / 4);
        let enough = Duration::from_micros(PROBE_BYTES * 8_000_000 / padding_bps.max(1));
        let time = enough.clamp(PROBE_TIME, LONGEST_PROBE);
        self.probe = Some(Probe { start: now, end: now + time, loss: self.arrivals.loss() });
        Some(Padding::new(now, time, padding_bps))
    }

    fn judge_probe(&mut self, now: Instant) {
        let Some(probe) = self.probe.filter(|probe| self.arrivals.is_beyond(probe.end)) else { return };
        let Some(passage) = self.arrivals.between(probe.start, probe.end) else { return self.failed(now) };
        let Passage { sent_bps, carried_bps, late, loss } = passage;
        let time = probe.end.saturating_duration_since(probe.start);
        let is_passed = late <= time.mul_f64(PASSED_SHARE) + PASSED_LATE && loss <= probe.loss + PASSED_LOSS;
        if !is_passed {
            self.failed(now);
            return self.raise(now, (sent_bps.min(carried_bps) as f64 * USABLE_OF_FAILED) as u64);
        }
        self.probe = None;
        self.wait = FIRST_WAIT;
        self.next_probe = Some(now);
        self.raise(now, sent_bps);
    }

    fn raise(&mut self, now: Instant, bps: u64) {
        if self.limit_bps.is_some_and(|limit| bps > limit) {
            self.limit_bps = Some(bps);
            self.raised_at = Some(now);
        }
    }

    fn failed(&mut self, now: Instant) {
        self.probe = None;
        self.next_probe = Some(now + self.wait.max(self.wait_wrong));
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
    }
}
