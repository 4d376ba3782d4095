//! Who is speaking, from the audio levels that clients put on their packets (RFC 6464).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::PeerId;

/// How often levels are judged.
pub(crate) const WINDOW: Duration = Duration::from_millis(400);
/// A packet quieter than this (in −dBov) is no speech.
const QUIETEST_SPEECH_DB: f64 = 35.0;
/// Share of a window that has to be speech.
const MIN_ACTIVE: f64 = 0.4;
/// What one packet stands for.
const PACKET_MS: f64 = 20.0;
/// Weight of the newest window.
const SMOOTHING: f64 = 2.0 / 3.0;
const STEPS: f64 = 8.0;

/// Levels heard from one track in the present window, and its smoothed loudness.
#[derive(Default)]
pub(crate) struct Loudness {
    active_packets: u32,
    loudest_db: Option<f64>,
    smoothed: f64,
}

impl Loudness {
    /// `level`: 0 (loudest) to −127, as the library hands it over.
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
        let heard = match self.loudest_db {
            Some(db) if active >= MIN_ACTIVE => linear(db - 20.0 * active.log10()),
            _ => 0.0,
        };
        self.active_packets = 0;
        self.loudest_db = None;
        self.smoothed += (heard - self.smoothed) * SMOOTHING;
        if self.smoothed >= linear(QUIETEST_SPEECH_DB) { self.smoothed } else { 0.0 }
    }
}

fn linear(db: f64) -> f64 {
    10f64.powf(-db / 20.0)
}

/// The levels last announced, so that only changes are.
#[derive(Default)]
pub(crate) struct Speakers {
    announced: BTreeMap<PeerId, f64>,
}

impl Speakers {
    /// `levels`: everybody who speaks now. Returns who changed, 0.0 for who stopped.
    pub fn update(&mut self, levels: &BTreeMap<PeerId, f64>) -> Vec<(PeerId, f64)> {
        let stepped = |level: f64| (level * STEPS).ceil() / STEPS;
        let now: BTreeMap<PeerId, f64> = levels.iter().map(|(peer, level)| (peer.clone(), stepped(*level))).collect();
        let started = now.iter().filter(|(peer, level)| self.announced.get(*peer) != Some(*level));
        let mut changes: Vec<_> = started.map(|(peer, level)| (peer.clone(), *level)).collect();
        changes.sort_by(|a, b| b.1.total_cmp(&a.1));
        let stopped = self.announced.keys().filter(|peer| !now.contains_key(*peer));
        changes.extend(stopped.map(|peer| (peer.clone(), 0.0)));
        self.announced = now;
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
    fn louder_is_more_and_silence_ends_it() {
        let (mut loud, mut soft) = (Loudness::default(), Loudness::default());
        assert!(window(&mut loud, -5, 20) > window(&mut soft, -30, 20));
        for _ in 0..8 {
            loud.judge();
        }
        assert_eq!(loud.judge(), 0.0);
    }

    #[test]
    fn only_changes_are_told_in_steps_of_an_eighth() {
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
