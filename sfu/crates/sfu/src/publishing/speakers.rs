//! Who is speaking, from the audio levels in clients' packets (RFC 6464).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::ids::PeerId;

/// Levels are judged over this time of sound. A microphone that sends nothing between words (DTX) is judged by its words.
const WINDOW: Duration = Duration::from_millis(400);
/// Nothing was heard for this long: it is silent.
const SILENT_AFTER: Duration = Duration::from_millis(800);
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
    packets: u32,
    active_packets: u32,
    loudest_db: Option<f64>,
    last_heard: Option<Instant>,
    smoothed: f64,
}

impl Loudness {
    /// `level`: 0 (loudest) to −127, as in the header extension, negated.
    pub fn observe(&mut self, now: Instant, level: i8) {
        let db = f64::from(level).abs();
        self.last_heard = Some(now);
        self.packets += 1;
        if db <= QUIETEST_SPEECH_DB {
            self.active_packets += 1;
            self.loudest_db = Some(self.loudest_db.map_or(db, |loudest| loudest.min(db)));
        }
        if f64::from(self.packets) * PACKET_MS >= WINDOW.as_millis() as f64 {
            self.close_window();
        }
    }

    /// The loudness from 0.0 to 1.0, 0.0 when not speaking.
    pub fn level(&mut self, now: Instant) -> f64 {
        if self.last_heard.is_some_and(|at| now.saturating_duration_since(at) >= SILENT_AFTER) {
            *self = Self::default();
        }
        if self.smoothed >= linear(QUIETEST_SPEECH_DB) { self.smoothed } else { 0.0 }
    }

    fn close_window(&mut self) {
        let active = f64::from(self.active_packets) / f64::from(self.packets.max(1));
        let loudness = match self.loudest_db {
            Some(db) if active >= MIN_ACTIVE => linear(db - DB_PER_DECADE * active.log10()),
            _ => 0.0,
        };
        self.packets = 0;
        self.active_packets = 0;
        self.loudest_db = None;
        self.smoothed += (loudness - self.smoothed) * SMOOTHING;
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
    /// Whether levels are to be reported now.
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

    const PACKET: Duration = Duration::from_millis(20);

    /// A microphone, and the time that it has sent for.
    struct Microphone {
        now: Instant,
        loudness: Loudness,
    }

    impl Microphone {
        fn new() -> Self {
            Self { now: Instant::now(), loudness: Loudness::default() }
        }

        fn send(&mut self, level: i8, packets: u32) -> f64 {
            for _ in 0..packets {
                self.now += PACKET;
                self.loudness.observe(self.now, level);
            }
            self.loudness.level(self.now)
        }

        fn pause(&mut self, packets: u32) -> f64 {
            self.now += PACKET * packets;
            self.loudness.level(self.now)
        }
    }

    #[test]
    fn loud_enough_and_long_enough_is_speech() {
        assert!(Microphone::new().send(-20, 20) > 0.0);
        assert_eq!(Microphone::new().send(-60, 20), 0.0, "too quiet");
        assert_eq!(Microphone::new().send(-20, 5), 0.0, "too short");
        let mut noisy = Microphone::new();
        noisy.send(-20, 5);
        assert_eq!(noisy.send(-60, 15), 0.0, "too little of it");
    }

    #[test]
    fn louder_is_a_higher_level_and_silence_ends_it() {
        let (mut loud, mut soft) = (Microphone::new(), Microphone::new());
        assert!(loud.send(-5, 20) > soft.send(-30, 20));
        assert_eq!(loud.send(-127, 160), 0.0);
        assert_eq!(soft.pause(40), 0.0, "silence without packets");
    }

    #[test]
    fn short_sounds_with_nothing_sent_between_them_are_speech() {
        let mut beeping = Microphone::new();
        let levels: Vec<f64> = (0..6).flat_map(|_| [beeping.send(-15, 10), beeping.pause(20)]).collect();
        assert!(levels.iter().skip(4).all(|level| *level > 0.0), "{levels:?}");
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
