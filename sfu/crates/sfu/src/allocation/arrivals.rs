//! What arrivals of the last moments tell of a link: whether a queue stands in front of it, and how fast it is emptied.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::transport::Arrival;

const MS: i64 = 1000;
/// What is kept, and what is looked at to judge the link, by when it was sent.
const KEPT_US: i64 = 600 * MS;
const WINDOW_US: i64 = 300 * MS;
/// Its newest part, which tells how long packets wait now: what was read late by a client that is short of CPU is there
/// at once then, and the newest of it did not wait.
const TAIL_US: i64 = 100 * MS;
const MIN_TAIL: usize = 5;
/// Of nothing that has arrived for so long: the link was gone.
const OUTAGE_US: i64 = 150 * MS;
/// The fastest way is that of the last two of such periods.
const BASE_PERIOD_US: i64 = 10_000 * MS;
/// Packets that wait longer stand in a queue; a shorter one is one, too, where it loses some.
const QUEUE_US: i64 = 50 * MS;
const SHORT_QUEUE_US: i64 = 15 * MS;
/// The share that is lost in front of a full queue at least, one that tells enough without a queue, and one that makes sure.
const LOSS: f64 = 0.05;
const HEAVY_LOSS: f64 = 0.5;
const SURE_LOSS: f64 = 0.2;
/// A queue grows when packets arrive so much slower than they are sent.
const GROWTH: f64 = 1.05;
/// Packets that waited less do not tell how fast a queue is emptied.
const WAITED_US: i64 = 10 * MS;
const MIN_SPAN_US: i64 = 30 * MS;
/// A queue that stays as it is for so long, while nothing is lost, is the way itself.
const STILL_US: i64 = 2_000 * MS;
/// One that stays as it is and loses is the way itself, too, if half as much is sent as at first and so much less arrives:
/// a full link carries what it can.
const CARRIED_LESS: f64 = 0.7;

/// A link that is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Overload {
    /// What it carries, in bits per second.
    pub carried_bps: u64,
    /// It cannot be anything else.
    pub is_sure: bool,
}

/// How packets that were sent in a certain time have arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Passage {
    /// Rates in bits per second: as they were sent, and as they arrived.
    pub sent_bps: u64,
    pub carried_bps: u64,
    /// How much longer they took to arrive than to be sent.
    pub late: Duration,
    /// 0.0 to 1.0
    pub loss: f64,
}

#[derive(Clone, Copy)]
struct Seen {
    /// Since the first one.
    sent_us: i64,
    bytes: u32,
    /// How long it took, by two clocks: comparable with each other only.
    delay_us: Option<i64>,
}

impl Seen {
    fn arrived_us(&self) -> Option<i64> {
        self.delay_us.map(|delay_us| self.sent_us + delay_us)
    }
}

#[derive(Default)]
pub(super) struct Arrivals {
    start: Option<Instant>,
    seen: VecDeque<Seen>,
    /// The shortest delays of this period and of the one before, and when this one began.
    shortest: [Option<i64>; 2],
    period_us: i64,
    /// When the last packet was sent that arrived.
    last_us: Option<i64>,
    still: Option<Still>,
    suspect: Option<Suspect>,
    was_wrong: bool,
}

/// A queue that neither grows nor shrinks.
struct Still {
    since_us: i64,
    least_us: i64,
}

/// A queue that loses: the most that was sent and carried since it was first seen, and how long it was last.
#[derive(Clone, Copy)]
struct Suspect {
    sent_bps: u64,
    carried_bps: u64,
    least_us: i64,
}

impl Arrivals {
    pub fn add(&mut self, arrival: &Arrival) {
        let start = *self.start.get_or_insert(arrival.sent);
        let sent_us = arrival.sent.saturating_duration_since(start).as_micros() as i64;
        let delay_us = arrival.arrived_us.map(|arrived_us| arrived_us - sent_us);
        if let Some(delay_us) = delay_us {
            self.arrived(sent_us, delay_us);
        }
        if self.seen.back().is_some_and(|newest| sent_us < newest.sent_us) {
            // it was overtaken, and taken for missing
            let mut missing = self.seen.iter_mut().rev().filter(|seen| seen.delay_us.is_none());
            if let Some(seen) = missing.find(|seen| seen.sent_us == sent_us) {
                seen.delay_us = delay_us;
            }
            return;
        }
        self.seen.push_back(Seen { sent_us, bytes: arrival.bytes, delay_us });
        while self.seen.front().is_some_and(|oldest| sent_us - oldest.sent_us > KEPT_US) {
            self.seen.pop_front();
        }
    }

    fn arrived(&mut self, sent_us: i64, delay_us: i64) {
        if self.last_us.is_some_and(|last_us| sent_us - last_us > OUTAGE_US) {
            self.seen.clear();
        }
        self.last_us = self.last_us.max(Some(sent_us));
        if sent_us - self.period_us >= BASE_PERIOD_US {
            self.period_us = sent_us;
            self.shortest = [None, self.shortest[0]];
        }
        self.shortest[0] = self.shortest[0].into_iter().chain([delay_us]).min();
    }

    /// How long a packet waited.
    fn waited_us(&self, delay_us: i64) -> i64 {
        let shortest = self.shortest.iter().flatten().min();
        shortest.map_or(0, |shortest| delay_us - shortest)
    }

    /// The packets of the window that have arrived, in the order in which they were sent.
    fn received(&self) -> impl DoubleEndedIterator<Item = (&Seen, i64)> {
        self.seen.iter().filter_map(|seen| Some((seen, self.waited_us(seen.delay_us?))))
    }

    /// How long packets wait now; the first and the last of the newest, and the least.
    fn tail_us(&self) -> Option<(i64, i64, i64)> {
        let (newest, last_us) = self.received().next_back()?;
        let mut tail = (last_us, last_us, last_us);
        for (count, (seen, waited_us)) in self.received().rev().enumerate() {
            if count >= MIN_TAIL && newest.sent_us - seen.sent_us > TAIL_US {
                return Some(tail);
            }
            tail = (waited_us, last_us, tail.2.min(waited_us));
        }
        // fewer than that do not tell
        (self.received().count() >= MIN_TAIL).then_some(tail)
    }

    /// How long the newest packets have waited at least.
    pub fn queue(&self) -> Duration {
        self.tail_us().map_or(Duration::ZERO, |(_, _, least_us)| Duration::from_micros(least_us.max(0) as u64))
    }

    /// What was sent in the window.
    fn window(&self) -> impl Iterator<Item = &Seen> {
        let newest_us = self.seen.back().map_or(0, |newest| newest.sent_us);
        self.seen.iter().filter(move |seen| newest_us - seen.sent_us <= WINDOW_US)
    }

    /// The share that has not arrived, 0.0 to 1.0.
    pub fn loss(&self) -> f64 {
        let (lost, all) =
            self.window().fold((0, 0), |(lost, all), seen| (lost + u32::from(seen.delay_us.is_none()), all + 1));
        f64::from(lost) / f64::from(all.max(1))
    }

    /// What is being sent, in bits per second.
    pub fn sent_bps(&self) -> u64 {
        self.window().map(|seen| u64::from(seen.bytes)).sum::<u64>() * 8_000_000 / WINDOW_US as u64
    }

    /// Whether the link is full.
    pub fn overload(&mut self) -> Option<Overload> {
        let (first_us, last_us, least_us) = self.tail_us()?;
        let loss = self.loss();
        let waits = least_us >= QUEUE_US || (least_us >= SHORT_QUEUE_US && loss >= LOSS);
        if !waits {
            self.suspect = None;
        }
        if !waits && loss < HEAVY_LOSS {
            self.still = None;
            return None;
        }
        // a queue that shrinks has enough
        if waits && last_us < first_us * 8 / 10 {
            return None;
        }
        let passage = passage(self.window())?;
        let grows = passage.carried_bps as f64 * GROWTH < passage.sent_bps as f64;
        if waits && !grows && loss < LOSS {
            self.is_still(least_us);
            return None;
        }
        if waits && self.is_the_way(least_us, passage.carried_bps) {
            return None;
        }
        let has_waited = |seen: &&Seen| seen.delay_us.is_none_or(|delay| !waits || self.waited_us(delay) >= WAITED_US);
        let queued = self::passage(self.window().filter(has_waited))?;
        Some(Overload { carried_bps: queued.carried_bps, is_sure: waits && loss >= SURE_LOSS })
    }

    /// A queue that stays as it is for long is taken for the way itself.
    fn is_still(&mut self, least_us: i64) {
        let Some(newest_us) = self.last_us else { return };
        let still = self.still.get_or_insert(Still { since_us: newest_us, least_us });
        if !is_as_long(still.least_us, least_us) {
            *still = Still { since_us: newest_us, least_us };
        } else if newest_us - still.since_us >= STILL_US {
            self.lengthen(least_us);
        }
    }

    /// Whether what seemed to be a queue that loses is a way that has become longer, and loses.
    fn is_the_way(&mut self, least_us: i64, carried_bps: u64) -> bool {
        let sent_bps = self.sent_bps();
        let most = self.suspect.get_or_insert(Suspect { sent_bps, carried_bps, least_us });
        most.sent_bps = most.sent_bps.max(sent_bps);
        most.carried_bps = most.carried_bps.max(carried_bps);
        if !is_as_long(most.least_us, least_us) {
            most.least_us = least_us;
            return false;
        }
        let is_way = 2 * sent_bps <= most.sent_bps && (carried_bps as f64) < most.carried_bps as f64 * CARRIED_LESS;
        if is_way {
            self.lengthen(least_us);
            self.was_wrong = true;
        }
        is_way
    }

    /// Whether what was taken for a full link was none. Told once.
    pub fn take_wrong(&mut self) -> bool {
        std::mem::take(&mut self.was_wrong)
    }

    /// The way takes so much longer than before.
    fn lengthen(&mut self, us: i64) {
        let shortest = self.shortest.iter().flatten().min().map(|shortest| shortest + us);
        self.shortest = [shortest, None];
        (self.still, self.suspect) = (None, None);
    }

    /// How the packets that were sent between two instants have arrived.
    pub fn between(&self, from: Instant, to: Instant) -> Option<Passage> {
        let start = self.start?;
        let sent_us = |at: Instant| at.saturating_duration_since(start).as_micros() as i64;
        let span = sent_us(from)..=sent_us(to);
        passage(self.seen.iter().filter(|seen| span.contains(&seen.sent_us)))
    }

    /// Whether something has arrived that was sent later.
    pub fn is_beyond(&self, at: Instant) -> bool {
        let Some((start, last_us)) = self.start.zip(self.last_us) else { return false };
        last_us > at.saturating_duration_since(start).as_micros() as i64
    }
}

/// Whether packets wait as long as before, to a fifth.
fn is_as_long(before_us: i64, now_us: i64) -> bool {
    (before_us - now_us).abs() <= before_us / 5
}

/// How packets have passed; None if they are too few to tell.
fn passage<'a>(packets: impl Iterator<Item = &'a Seen>) -> Option<Passage> {
    let (mut lost, mut count, mut bytes) = (0u32, 0u32, 0u64);
    let mut spans: Option<[i64; 4]> = None;
    for seen in packets {
        let Some(arrived_us) = seen.arrived_us() else {
            lost += 1;
            continue;
        };
        count += 1;
        // between the first and the last one is what came after the first one
        bytes += if spans.is_some() { u64::from(seen.bytes) } else { 0 };
        let [from, to, first, last] = spans.unwrap_or([seen.sent_us, seen.sent_us, arrived_us, arrived_us]);
        spans = Some([from, to.max(seen.sent_us), first.min(arrived_us), last.max(arrived_us)]);
    }
    let [from, to, first, last] = spans?;
    let (sent_us, arrived_us) = (to - from, last - first);
    if count < MIN_TAIL as u32 || sent_us.max(arrived_us) < MIN_SPAN_US {
        return None;
    }
    let rate = |us: i64| bytes * 8_000_000 / us.max(MS) as u64;
    Some(Passage {
        sent_bps: rate(sent_us),
        carried_bps: rate(arrived_us),
        late: Duration::from_micros((arrived_us - sent_us).max(0) as u64),
        loss: f64::from(lost) / f64::from(lost + count),
    })
}
