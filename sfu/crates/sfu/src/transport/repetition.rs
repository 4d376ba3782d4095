//! How often sound is sent on a link that loses much: receivers of sound wait too short for what they would have to ask for.
//!
//! A packet goes once more with the next one, and with the one after it: as it was sealed, so that a receiver that has it
//! already drops it. Pictures are asked for instead, for which receivers are told to wait ([`super::playout`]).

use std::time::{Duration, Instant};

use super::sent_packets::Arrival;

/// From this share of lost packets on sound is sent so often once more.
const COPIES: [(f64, u16); 2] = [(0.2, 2), (0.12, 1)];
/// It goes on down to this part of the share, until less has sufficed for a while.
const HYSTERESIS: f64 = 0.6;
const CALM: Duration = Duration::from_secs(5);
/// If of sound so much is still lost after this time, copies are no help: the link is full, or lost for long at once. They
/// are tried again after the second time.
const USELESS_FROM: f64 = 0.15;
const TRIED_FOR: Duration = Duration::from_secs(10);
const NOT_AGAIN_FOR: Duration = Duration::from_secs(60);
/// On a link that carries less than this many times the sound, copies would be lost for want of room.
const ROOM: u64 = 10;
/// One stream of sound, before it was counted.
const LEAST_SOUND_BPS: u64 = 40_000;
/// What sound takes is counted over this time.
const COUNTED: Duration = Duration::from_secs(1);
/// What each packet of pictures counts.
const WEIGHT: f64 = 1.0 / 64.0;
/// Packets of sound after which a report counts by half.
const PACKETS: f64 = 50.0;
/// Pictures tell what is lost, while there are any, and soon: of sound only that is known which was lost with all copies,
/// and browsers report it every five seconds.
const PICTURES: Duration = Duration::from_secs(2);

/// To one receiver.
#[derive(Default)]
pub(super) struct Repetition {
    /// 0.0 to 1.0
    picture_loss: f64,
    sound_loss: f64,
    picture_sent: Option<Instant>,
    copies: u16,
    /// Since when there are copies, and when they were no help.
    began: Option<Instant>,
    useless_at: Option<Instant>,
    /// Since when fewer would do.
    calm_since: Option<Instant>,
    sound: Sound,
}

/// What sound takes.
#[derive(Default)]
struct Sound {
    since: Option<Instant>,
    bytes: u64,
    bps: u64,
}

impl Sound {
    fn add(&mut self, arrival: &Arrival) {
        let since = *self.since.get_or_insert(arrival.sent);
        self.bytes += if arrival.is_sound { u64::from(arrival.bytes) } else { 0 };
        let passed = arrival.sent.saturating_duration_since(since);
        if passed >= COUNTED {
            self.bps = (self.bytes as f64 * 8.0 / passed.as_secs_f64()) as u64;
            (self.since, self.bytes) = (Some(arrival.sent), 0);
        }
    }
}

impl Repetition {
    /// Whether a link has no room for copies that carries so much (None: it has not been full).
    pub fn is_narrow(&self, limit_bps: Option<u64>) -> bool {
        limit_bps.is_some_and(|limit| limit < ROOM * self.sound.bps.max(LEAST_SOUND_BPS))
    }

    /// The receiver tells of packets; its link carries so much, if it is full at times.
    pub fn arrived(&mut self, arrivals: &[Arrival], limit_bps: Option<u64>) {
        arrivals.iter().for_each(|arrival| self.sound.add(arrival));
        for arrival in arrivals.iter().filter(|arrival| !arrival.is_sound) {
            let lost = if arrival.arrived_us.is_none() { 1.0 } else { 0.0 };
            self.picture_loss += WEIGHT * (lost - self.picture_loss);
            self.picture_sent = Some(arrival.sent);
        }
        if let Some(newest) = arrivals.last() {
            self.update(newest.sent, self.is_narrow(limit_bps));
        }
    }

    /// The receiver reports so much of a stream of sound; less than none is lost where what was told so came after all.
    pub fn reported(&mut self, now: Instant, expected: f64, lost: f64, limit_bps: Option<u64>) {
        if expected > 0.0 {
            let is_narrow = self.is_narrow(limit_bps);
            let weight = expected / (expected + PACKETS);
            self.sound_loss = (self.sound_loss + weight * (lost / expected - self.sound_loss)).max(0.0);
            let is_tried = self.began.is_some_and(|began| now.saturating_duration_since(began) >= TRIED_FOR);
            if is_tried && !is_narrow && self.sound_loss >= USELESS_FROM {
                (self.copies, self.began, self.useless_at) = (0, None, Some(now));
            }
            self.update(now, is_narrow);
        }
    }

    fn update(&mut self, now: Instant, is_narrow: bool) {
        if is_narrow {
            // what is lost now tells nothing of copies
            (self.copies, self.began) = (0, None);
            return;
        }
        if self.useless_at.is_some_and(|at| now.saturating_duration_since(at) < NOT_AGAIN_FOR) {
            return;
        }
        let has_pictures = self.picture_sent.is_some_and(|sent| now.saturating_duration_since(sent) < PICTURES);
        let loss =
            if has_pictures { self.picture_loss } else { self.sound_loss.powf(1.0 / f64::from(1 + self.copies)) };
        self.copies = self.copies.max(copies(loss));
        if copies(loss / HYSTERESIS) >= self.copies {
            self.calm_since = None;
        } else if now.saturating_duration_since(*self.calm_since.get_or_insert(now)) >= CALM {
            (self.copies, self.calm_since) = (copies(loss), None);
        }
        self.began = (self.copies > 0).then(|| self.began.unwrap_or(now));
    }

    /// How often each packet of sound is sent once more.
    pub fn copies(&self) -> u16 {
        self.copies
    }
}

fn copies(loss: f64) -> u16 {
    COPIES.into_iter().find(|(from, _)| loss >= *from).map_or(0, |(_, copies)| copies)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packets of pictures, 20 ms apart, of which every so many-th is lost.
    fn tell(repetition: &mut Repetition, seconds: u32, lost: Option<u32>, start: Instant) -> Instant {
        for n in 0..seconds * 50 {
            let arrived_us = lost.is_none_or(|lost| n % lost != 0).then_some(0);
            let sent = start + n * Duration::from_millis(20);
            repetition.arrived(&[Arrival { sent, bytes: 100, is_sound: false, arrived_us }], None);
        }
        start + Duration::from_secs(seconds.into())
    }

    /// Reports of five seconds of sound, of which so many packets are lost, so often: the copies after them.
    fn reports() -> impl FnMut(f64, usize) -> u16 {
        let (mut repetition, mut now) = (Repetition::default(), Instant::now());
        move |lost, times| {
            for _ in 0..times {
                now += Duration::from_secs(5);
                repetition.reported(now, 250.0, lost, None);
            }
            repetition.copies()
        }
    }

    #[test]
    fn the_more_is_lost_the_more_often_sound_is_sent() {
        for (lost, copies) in [(None, 0), (Some(20), 0), (Some(7), 1), (Some(3), 2)] {
            let mut repetition = Repetition::default();
            tell(&mut repetition, 5, lost, Instant::now());
            assert_eq!(repetition.copies(), copies, "one of {lost:?}");
        }
    }

    #[test]
    fn it_ends_when_the_link_has_been_good_for_a_while() {
        let mut repetition = Repetition::default();
        let bad = tell(&mut repetition, 5, Some(3), Instant::now());
        let good = tell(&mut repetition, 3, None, bad);
        assert_eq!(repetition.copies(), 2);
        tell(&mut repetition, 10, None, good);
        assert_eq!(repetition.copies(), 0);
    }

    #[test]
    fn sound_alone_tells_what_is_lost_with_all_copies() {
        let mut report = reports();
        assert_eq!(report(2.0, 3), 0);
        assert_eq!(report(75.0, 1), 2);
        // a third of a third of a third
        assert_eq!(report(9.0, 10), 2);
        assert_eq!(report(0.0, 4), 0);
    }

    #[test]
    fn what_is_no_help_is_not_tried_again_soon() {
        let mut report = reports();
        assert_eq!(report(75.0, 2), 2);
        assert_eq!(report(60.0, 2), 0, "a link that is full");
        assert_eq!(report(75.0, 10), 0);
        assert_eq!(report(75.0, 2), 2);
    }

    #[test]
    fn one_bad_report_of_few_packets_ends_no_copies() {
        let (mut repetition, start) = (Repetition::default(), Instant::now());
        let now = tell(&mut repetition, 11, Some(3), start);
        for n in 0..20 {
            repetition.reported(now + n * Duration::from_millis(250), 12.0, if n % 10 == 9 { 4.0 } else { 0.0 }, None);
        }
        assert_eq!(repetition.copies(), 2);
    }

    #[test]
    fn a_link_is_narrow_that_carries_little_more_than_the_sound() {
        let (mut repetition, start) = (Repetition::default(), Instant::now());
        for n in 0..101 {
            let sent = start + n * Duration::from_millis(20);
            repetition.arrived(&[Arrival { sent, bytes: 200, is_sound: true, arrived_us: None }], None);
        }
        assert!(repetition.is_narrow(Some(780_000)), "sound takes 80 kbit/s");
        assert!(!repetition.is_narrow(Some(820_000)) && !repetition.is_narrow(None));
    }

    #[test]
    fn on_a_narrow_link_nothing_is_repeated_and_nothing_learnt_of_copies() {
        let (mut repetition, start) = (Repetition::default(), Instant::now());
        tell(&mut repetition, 5, Some(3), start);
        let after = |seconds| start + Duration::from_secs(seconds);
        for second in 5..30 {
            repetition.reported(after(second), 50.0, 15.0, Some(399_000));
            assert_eq!(repetition.copies(), 0);
        }
        repetition.reported(after(30), 50.0, 15.0, Some(400_000));
        assert_eq!(repetition.copies(), 2, "pictures can give way");
        repetition.reported(after(35), 250.0, 75.0, None);
        assert_eq!(repetition.copies(), 2, "the report is of the time before");
    }
}
