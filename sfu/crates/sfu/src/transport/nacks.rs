//! Which packets of received streams are missing, and when each is asked for (RFC 4585 section 6.2.1).
//!
//! On a link that loses 30 % each way half of all tries fail: a packet is asked for up to two dozen times, each time
//! as soon as an answer to the try before would have come.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::held_sound::Patience;
use super::playout::Playout;
use super::reports;
use crate::ids::Ssrc;

/// How far behind the newest packet one may be that is still asked for: 3 s of a large video.
const WINDOW: u64 = 1024;
/// What is missing when a packet comes is asked for, if it is no more than this: otherwise the sender has begun again,
/// or nothing got through for so long that a key frame is sooner there.
const MAX_GAP: u64 = 256;
const MAX_TRIES: u8 = 24;
/// Over a full link, which loses what is sent again as well.
const MAX_TRIES_WHEN_FULL: u8 = 2;
/// A receiver that has waited for longer has asked for a key frame.
const MAX_AGE: Duration = Duration::from_secs(4);
/// A packet that is this late was overtaken, not lost.
const OVERTAKEN: Duration = Duration::from_millis(5);
/// Between two tries: the sender's own time is part of the round trip. Twice as long after each [`TRIES_TO_DOUBLE`] of
/// them, so that what is lost in a burst is still asked for after it.
const MIN_WAIT: Duration = Duration::from_millis(20);
const TRIES_TO_DOUBLE: u8 = 4;
const MARGIN: Duration = Duration::from_millis(5);
/// Until one was measured.
const FIRST_ROUND_TRIP: Duration = Duration::from_millis(100);
/// Who has answered none of so many requests is asked no more.
const MAX_IN_VAIN: usize = 100;
/// Losses are counted for so long.
const COUNTED: Duration = Duration::from_secs(1);
/// Answers that tell how long it takes.
const RECENT: usize = 16;
/// Sound is not asked for where it takes longer than this, unless it is held for so long.
const MAX_WAIT_FOR_SOUND: Duration = Duration::from_millis(200);
/// Where requests are lost, too, or there is time for few answers (held sound), each answer is asked for so often, with this
/// time between. libwebrtc answers once a round trip, however often it was asked.
const REPEATS: u8 = 3;
const REPEATED_AFTER: Duration = Duration::from_millis(40);
/// Packets of one stream that are asked for at once.
const MAX_ASKED: usize = 256;

/// The missing packets of all streams of a connection.
#[derive(Default)]
pub(super) struct Nacks {
    streams: HashMap<Ssrc, Stream>,
    round_trip: RoundTrip,
    /// Not after the first request that is due.
    next_at: Option<Instant>,
    counted: Counted,
    playout: Playout,
    patience: Patience,
    is_link_full: bool,
}

/// Packets of all streams since then.
#[derive(Default)]
struct Counted {
    since: Option<Instant>,
    expected: u64,
    lost: u64,
}

struct Stream {
    highest: u64,
    missing: BTreeMap<u64, Request>,
    is_sound: bool,
    /// Requests so far, and whether one of them was answered.
    asked: usize,
    is_answered: bool,
}

struct Request {
    missed_at: Instant,
    ask_at: Instant,
    first_asked_at: Option<Instant>,
    tries: u8,
}

/// How long it takes from a request to its answer: rather short of the times from a packet's first request until it came.
/// In the long ones the first request, or the answer to it, was lost; in the shortest ones the packet was overtaken.
#[derive(Default)]
struct RoundTrip {
    recent: VecDeque<Duration>,
    known: Option<Duration>,
}

impl Nacks {
    /// Whether no later packet of its stream was received.
    pub fn is_newest(&self, ssrc: Ssrc, sequence: u64) -> bool {
        self.streams.get(&ssrc).is_none_or(|stream| stream.highest < sequence)
    }

    /// Whether this packet is missing, and was asked for.
    pub fn was_asked_for(&self, ssrc: Ssrc, sequence: u64) -> bool {
        let request = self.streams.get(&ssrc).and_then(|stream| stream.missing.get(&sequence));
        request.is_some_and(|request| request.tries > 0)
    }

    /// A packet with this extended sequence number was received. How many before it are missing now.
    pub fn received(&mut self, now: Instant, ssrc: Ssrc, sequence: u64) -> u64 {
        let Some(stream) = self.streams.get_mut(&ssrc) else {
            self.streams.insert(ssrc, Stream::new(sequence));
            return 0;
        };
        if sequence <= stream.highest {
            match stream.missing.remove(&sequence).map(|request| request.first_asked_at) {
                Some(Some(asked_at)) => {
                    stream.is_answered = true;
                    self.round_trip.answered(now, asked_at);
                }
                Some(None) => self.counted.lost = self.counted.lost.saturating_sub(1),
                None => {}
            }
            return 0;
        }
        let gap = stream.highest + 1..sequence;
        let lost = sequence - gap.start;
        stream.highest = sequence;
        if lost <= MAX_GAP {
            self.counted.add(lost);
        }
        if lost > MAX_GAP || stream.is_in_vain() {
            stream.missing.clear();
        } else if !gap.is_empty() {
            let ask_at = now + OVERTAKEN;
            stream.missing.extend(gap.map(|number| (number, Request::new(now, ask_at))));
            self.next_at = Some(self.next_at.map_or(ask_at, |at| at.min(ask_at)));
        }
        while stream.missing.first_key_value().is_some_and(|(oldest, _)| oldest + WINDOW < sequence) {
            stream.missing.pop_first();
        }
        if self.is_link_full {
            return lost;
        }
        if let Some((expected, lost)) = self.counted.take(now) {
            let wait = self.round_trip.wait();
            self.playout.reported(now, expected, lost, wait);
            self.patience.reported(now, self.playout.loss(), wait);
        }
        lost
    }

    /// Receivers of sound do not wait for what takes long, and what comes too late spoils what they play.
    pub fn mark_sound(&mut self, ssrc: Ssrc) {
        if let Some(stream) = self.streams.get_mut(&ssrc) {
            stream.is_sound = true;
        }
    }

    /// Whether the client sends more than its link carries, so that what is lost is to be asked for seldom, and may
    /// tell nothing of the link.
    pub fn set_link_full(&mut self, is_full: bool) {
        self.is_link_full = is_full;
    }

    /// What was lost since the last report was lost on a full link.
    pub fn forget_losses(&mut self) {
        self.counted = Counted::default();
    }

    /// How long sound of this client is to be held.
    pub fn sound_hold(&self) -> Duration {
        self.patience.hold()
    }

    /// How long receivers are to hold pictures of this client back, in addition to `own`.
    pub fn playout_bounds(&self, own: Option<(u16, u16)>) -> Option<(u16, u16)> {
        self.playout.bounds(own)
    }

    /// When [`Nacks::ask`] is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.next_at
    }

    /// The requests that are due, as one compound RTCP packet; empty if there are none.
    pub fn ask(&mut self, now: Instant) -> Vec<u8> {
        let mut compound = Vec::new();
        if self.next_at.is_none_or(|at| at > now) {
            return compound;
        }
        let (wait, hold) = (self.round_trip.wait(), self.patience.hold());
        let is_lossy = self.playout.copies() > 1;
        let max_tries = if self.is_link_full { MAX_TRIES_WHEN_FULL } else { MAX_TRIES };
        for (ssrc, stream) in &mut self.streams {
            stream.give_up(max_tries);
            reports::push_nack(*ssrc, &stream.due(now, wait, hold, is_lossy), &mut compound);
        }
        let waiting = self.streams.values().flat_map(|stream| stream.missing.values());
        self.next_at = waiting.map(|request| request.ask_at).min();
        compound
    }
}

impl Counted {
    /// A packet was received, and so many before it were not.
    fn add(&mut self, lost: u64) {
        self.expected += lost + 1;
        self.lost += lost;
    }

    /// What was counted, once in a while.
    fn take(&mut self, now: Instant) -> Option<(f64, f64)> {
        if now.saturating_duration_since(*self.since.get_or_insert(now)) < COUNTED {
            return None;
        }
        let counted = std::mem::replace(self, Self { since: Some(now), ..Self::default() });
        Some((counted.expected as f64, counted.lost as f64))
    }
}

impl Stream {
    fn new(highest: u64) -> Self {
        Self { highest, missing: BTreeMap::new(), is_sound: false, asked: 0, is_answered: false }
    }

    /// Clients that do not send sound again do not say so.
    fn is_in_vain(&self) -> bool {
        self.asked >= MAX_IN_VAIN && !self.is_answered
    }

    /// What was asked for so often is not asked for again.
    fn give_up(&mut self, tries: u8) {
        self.missing.retain(|_, request| request.tries < tries);
    }

    fn due(&mut self, now: Instant, wait: Duration, hold: Duration, is_lossy: bool) -> Vec<u16> {
        let mut numbers = Vec::new();
        let is_held = self.is_sound && !hold.is_zero();
        let is_too_far = self.is_sound && wait > MAX_WAIT_FOR_SOUND.max(hold);
        let max_age = if is_held { hold } else { MAX_AGE };
        let is_repeated = is_held || (is_lossy && wait > u32::from(REPEATS) * REPEATED_AFTER);
        self.missing.retain(|number, request| {
            if request.ask_at > now {
                return true;
            }
            let age = now.saturating_duration_since(request.missed_at);
            if is_too_far || age >= MAX_AGE {
                return false;
            }
            if age > max_age {
                // an answer to what was asked before still tells that there are any, and how long they take
                request.ask_at = request.missed_at + MAX_AGE;
                return true;
            }
            let answered_after = wait.max(MIN_WAIT * (1 << (request.tries / TRIES_TO_DOUBLE)));
            request.ask_at = now
                + match (request.tries + 1) % REPEATS {
                    _ if !is_repeated => answered_after,
                    // the time of an answer counts from the first of them
                    0 => answered_after.saturating_sub(REPEATED_AFTER * u32::from(REPEATS - 1)).max(REPEATED_AFTER),
                    _ => REPEATED_AFTER.min(wait),
                };
            if numbers.len() < MAX_ASKED {
                numbers.push(*number as u16);
                request.asked(now);
            }
            true
        });
        self.asked += numbers.len();
        numbers
    }
}

impl Request {
    fn new(missed_at: Instant, ask_at: Instant) -> Self {
        Self { missed_at, ask_at, first_asked_at: None, tries: 0 }
    }

    fn asked(&mut self, now: Instant) {
        self.tries += 1;
        self.first_asked_at.get_or_insert(now);
    }
}

impl RoundTrip {
    /// From one try to the next.
    fn wait(&self) -> Duration {
        let round_trip = self.known.unwrap_or(FIRST_ROUND_TRIP);
        (round_trip + round_trip / 8 + MARGIN).max(MIN_WAIT)
    }

    fn answered(&mut self, now: Instant, first_asked_at: Instant) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(now.saturating_duration_since(first_asked_at));
        let mut sorted: Vec<_> = self.recent.iter().copied().collect();
        sorted.sort_unstable();
        self.known = sorted.get(sorted.len() / 4).copied();
    }
}

#[cfg(test)]
#[path = "nacks_tests.rs"]
mod tests;
