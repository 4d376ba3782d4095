//! Who is speaking, from the audio levels in clients' packets (RFC 6464).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ids::PeerId;

/// Levels are judged over this time.
const WINDOW: Duration = Duration::from_millis(400);
/// A packet quieter than this (in −dBov) is not speech.
const QUIETEST_SPEECH_DB: f64 = 35.0;
/// Share of a window that has to be speech.
const MIN_ACTIVE: f64 = 0.4;
/// Duration of the audio in one packet.
const PACKET_MS: f64 = 20.0;
/// Weight of the newest window.
const SMOOTHING: f64 = 2.0 / 3.0;
/// Levels are reported in steps of 1/8.
const STEPS: f64 = 8.0;
/// Decibels for a tenfold amplitude.
const DB_PER_DECADE: f64 = 20.0;

/// Levels of one track in the current window, and its smoothed loudness.
#[derive(Default)]
pub(super) struct Loudness {
    active_packets: u32,
    loudest_db: Option<f64>,
    smoothed: f64,
}

impl Loudness {
    /// `level`: 0 (loudest) to −127, as in the header extension, negated.
    pub fn observe(&mut self, level: i8) {
        let db = f64::from(level).abs();
        if db <= QUIETEST_SPEECH_DB {
            self.active_packets += 1;
            self.loudest_db = Some(self.loudest_db.map_or(db, |loudest| loudest.min(db)));
        }
    }

    /// Close the window; the loudness from 0.0 to 1.0, 0.0 when not speaking.
    pub fn judge(&mut self) -> f64 {
        let window_ms = WINDOW.as_millis() as f64;
        let active = (f64::from(self.active_packets) * PACKET_MS / window_ms).min(1.0);
        let loudness = match self.loudest_db {
            Some(db) if active >= MIN_ACTIVE => linear(db - DB_PER_DECADE * active.log10()),
            _ => 0.0,
        };
        self.active_packets = 0;
        self.loudest_db = None;
        self.smoothed += (loudness - self.smoothed) * SMOOTHING;
        if self.smoothed >= linear(QUIETEST_SPEECH_DB) { self.smoothed } else { 0.0 }
    }
}

fn linear(db: f64) -> f64 {
    10f64.powf(-db / DB_PER_DECADE)
}

/// The levels reported last, so that only changes are reported.
#[derive(Default)]
pub(super) struct Speakers {
    reported: BTreeMap<PeerId, f64>,
    last_judged: Option<Instant>,
}

impl Speakers {
    /// Whether a window has passed; if so, the next one begins.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let last = *self.last_judged.get_or_insert(now);
        let is_due = now.saturating_duration_since(last) >= WINDOW;
        if is_due {
            self.last_judged = Some(now);
        }
        is_due
    }

    /// `levels`: all peers that speak now. Returns those whose level changed, 0.0 for those that stopped.
    pub fn update(&mut self, levels: &BTreeMap<PeerId, f64>) -> Vec<(PeerId, f64)> {
        let stepped = |level: f64| (level * STEPS).ceil() / STEPS;
        let now: BTreeMap<PeerId, f64> = levels.iter().map(|(peer, level)| (peer.clone(), stepped(*level))).collect();
        let started = now.iter().filter(|(peer, level)| self.reported.get(*peer) != Some(*level));
        let mut changes: Vec<_> = started.map(|(peer, level)| (peer.clone(), *level)).collect();
        changes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let stopped = self.reported.keys().filter(|peer| !now.contains_key(*peer));
        changes.extend(stopped.map(|peer| (peer.clone(), 0.0)));
        self.reported = now;
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(loudness: &mut Loudness, level: i8, packets: usize) -> f64 {
        (0..packets).for_each(|_| loudness.observe(level));
        loudness.judge()
    }

    #[test]
    fn loud_enough_and_long_enough_is_speech() {
        assert!(window(&mut Loudness::default(), -20, 20) > 0.0);
        assert_eq!(window(&mut Loudness::default(), -60, 20), 0.0, "too quiet");
        assert_eq!(window(&mut Loudness::default(), -20, 5), 0.0, "too short");
    }

    #[test]
    fn louder_is_a_higher_level_and_silence_ends_it() {
        let (mut loud, mut soft) = (Loudness::default(), Loudness::default());
        assert!(window(&mut loud, -5, 20) > window(&mut soft, -30, 20));
        for _ in 0..8 {
            loud.judge();
        }
        assert_eq!(loud.judge(), 0.0);
    }

    #[test]
    fn only_changes_are_reported_in_steps_of_an_eighth() {
        let mut speakers = Speakers::default();
        let (ann, bob) = (PeerId::from("PA_ann"), PeerId::from("PA_bob"));
        let levels =
            |entries: &[(&PeerId, f64)]| entries.iter().map(|(peer, level)| ((*peer).clone(), *level)).collect();
        assert_eq!(speakers.update(&levels(&[(&ann, 0.3), (&bob, 0.9)])), [(bob.clone(), 1.0), (ann.clone(), 0.375)]);
        assert_eq!(speakers.update(&levels(&[(&ann, 0.31), (&bob, 0.9)])), []);
        assert_eq!(speakers.update(&levels(&[(&bob, 0.9)])), [(ann, 0.0)]);
        assert_eq!(speakers.update(&levels(&[])), [(bob, 0.0)]);
    }
}
