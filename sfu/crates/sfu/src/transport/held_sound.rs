//! Sound of a client that loses much, held back until what is missing of it has come.
//!
//! Receivers of sound wait for some tens of milliseconds; an answer to a request takes a round trip, and may be lost. Where
//! redundancy does not suffice, sound goes on as regularly as it was sent, but later, so that answers fall into their places.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use super::packet::ReceivedPacket;
use crate::ids::Ssrc;
use crate::timeline::Timeline;

/// Sound is held from this share of lost packets on, down to the second one.
const FROM: f64 = 0.15;
const DOWN_TO: f64 = 0.08;
/// From this share on there is time for a second answer: of those that are asked for a third would still be missing.
const TWO_ANSWERS_FROM: f64 = 0.22;
/// In addition: the first request may be lost, and the second.
const MARGIN: Duration = Duration::from_millis(100);
/// More would make talking hard: those who are farther away than 300 ms get one answer in time.
const MAX_HOLD: Duration = Duration::from_millis(450);
/// Less is wanted for so long before less is held.
const CALM: Duration = Duration::from_secs(10);
/// While it grows, sound is slower by this part, and while it shrinks, faster: as far as receivers stretch it without a gap.
/// What is not held long enough yet has gaps, so that it grows as fast as it can.
const GROWTH: u32 = 4;
const SHRINKAGE: u32 = 8;
/// Packets that are held of one stream; more are not.
const MAX_HELD: usize = 256;
/// A stream that has been silent for so long begins without a hold.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(10);

/// How long sound of one client is held.
#[derive(Default)]
pub(super) struct Patience {
    hold: Duration,
    calm_since: Option<Instant>,
}

impl Patience {
    /// So much is lost, and an answer takes so long.
    pub fn reported(&mut self, now: Instant, loss: f64, answer: Duration) {
        let answers = if loss >= TWO_ANSWERS_FROM { 2 } else { u32::from(loss >= DOWN_TO) };
        let wanted = if answers == 0 { Duration::ZERO } else { (answers * answer + MARGIN).min(MAX_HOLD) };
        if loss >= FROM {
            self.hold = self.hold.max(wanted);
        }
        if wanted >= self.hold.mul_f64(0.8) {
            self.calm_since = None;
        } else if now.saturating_duration_since(*self.calm_since.get_or_insert(now)) >= CALM {
            (self.hold, self.calm_since) = (wanted, None);
        }
    }

    pub fn hold(&self) -> Duration {
        self.hold
    }
}

/// By streams.
#[derive(Default)]
pub(super) struct HeldSound(HashMap<Ssrc, Stream>);

struct Stream {
    timeline: Timeline,
    /// When the newest packet should have come.
    newest: Option<Instant>,
    hold: Duration,
    /// By the times at which they go on.
    held: BTreeMap<(Instant, u64), ReceivedPacket>,
}

impl HeldSound {
    /// Hold a packet for so long. It is returned if it does not have to wait.
    pub fn pass(&mut self, now: Instant, hold: Duration, received: ReceivedPacket) -> Option<ReceivedPacket> {
        let codec = received.codec;
        if !codec.is_sound() || (hold.is_zero() && self.0.is_empty()) {
            return Some(received);
        }
        let stream = self.0.entry(received.ssrc).or_insert_with(|| Stream::new(codec.clock_rate_hz()));
        let due = stream.due(now, hold, received.packet.timestamp);
        let is_behind = stream.held.first_key_value().is_some_and(|((first, _), _)| *first <= due);
        if (due <= now && !is_behind) || stream.held.len() >= MAX_HELD {
            self.0.retain(|_, stream| stream.is_holding(now) || !hold.is_zero());
            return Some(received);
        }
        stream.held.insert((due, received.packet.sequence), received);
        None
    }

    /// When [`HeldSound::take`] is due.
    pub fn next_at(&self) -> Option<Instant> {
        self.0.values().filter_map(|stream| stream.held.first_key_value()).map(|((due, _), _)| *due).min()
    }

    /// The next packet that has waited long enough.
    pub fn take(&mut self, now: Instant) -> Option<ReceivedPacket> {
        let is_due = |stream: &&mut Stream| stream.held.first_key_value().is_some_and(|((due, _), _)| *due <= now);
        self.0.values_mut().find(is_due)?.held.pop_first().map(|(_, received)| received)
    }
}

impl Stream {
    fn new(clock_rate_hz: u32) -> Self {
        Self { timeline: Timeline::new(clock_rate_hz), newest: None, hold: Duration::ZERO, held: BTreeMap::new() }
    }

    fn is_holding(&self, now: Instant) -> bool {
        let is_young = |newest| now.saturating_duration_since(newest) < FORGOTTEN_AFTER;
        !self.held.is_empty() || (!self.hold.is_zero() && self.newest.is_some_and(is_young))
    }

    /// When a packet goes on that has come now.
    fn due(&mut self, now: Instant, wanted: Duration, timestamp: u32) -> Instant {
        let placed = self.timeline.place(timestamp, now);
        let passed = placed.saturating_duration_since(self.newest.unwrap_or(placed));
        self.newest = self.newest.max(Some(placed));
        self.hold = wanted.clamp(self.hold.saturating_sub(passed / SHRINKAGE), self.hold + passed / GROWTH);
        placed + self.hold
    }
}

#[cfg(test)]
#[path = "held_sound_tests.rs"]
mod tests;
