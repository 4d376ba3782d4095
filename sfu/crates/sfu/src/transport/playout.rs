//! How long a receiver holds pictures back where packets are lost, so that those that are sent again are there in time.
//!
//! Who asks for a lost packet waits a round trip, and asks again after it: without time in hand each second loss is a picture
//! that stands still. Told by the playout-delay extension
//! (<https://webrtc.googlesource.com/src/+/main/docs/native-code/rtp-hdrext/playout-delay>), which holds the sound of the
//! same stream back, too.

use std::time::{Duration, Instant};

/// From this share of lost packets on there are so many tries in hand.
const TRIES: [(f64, u32); 3] = [(0.22, 5), (0.15, 3), (0.08, 2)];
/// From this share on what is asked for is sent twice: as many answers are lost as packets.
const TWICE_FROM: f64 = 0.15;
/// Who waits goes on waiting down to this part of it.
const HYSTERESIS: f64 = 0.6;
const MARGIN: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_millis(1500);
/// Less is wanted for so long before it is told.
const CALM: Duration = Duration::from_secs(10);
/// Units of the extension.
const UNIT: Duration = Duration::from_millis(10);
/// Its other bound, which bounds nothing: clients have their own.
const MAX_UNITS: u16 = 1000;
/// The extension has 12 bits for a bound.
const MAX_BOUND: u16 = 0xfff;
/// Packets after which a report counts by half; reports of few packets count less.
const PACKETS: f64 = 50.0;

/// Of one stream to one receiver, or of all that one client sends.
#[derive(Default)]
pub(super) struct Playout {
    loss: f64,
    units: u16,
    /// Since when less would do.
    calm_since: Option<Instant>,
    is_told: bool,
}

impl Playout {
    /// So much was lost since the last report. `retry`: how long it takes from one try to the next.
    pub fn reported(&mut self, now: Instant, expected: f64, lost: f64, retry: Duration) {
        if expected <= 0.0 {
            return;
        }
        let weight = (0.5 * expected / PACKETS).min(0.5);
        self.loss += weight * (lost / expected - self.loss);
        let (wanted, enough) = (self.units_from(1.0, retry), self.units_from(HYSTERESIS, retry));
        if wanted > self.units {
            (self.units, self.is_told) = (wanted, true);
        }
        if enough >= self.units {
            self.calm_since = None;
        } else if now.saturating_duration_since(*self.calm_since.get_or_insert(now)) >= CALM {
            self.units = enough;
        }
    }

    /// The share of packets that are lost.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// What is wanted where the borders are at this share of theirs.
    fn units_from(&self, share: f64, retry: Duration) -> u16 {
        let Some((_, tries)) = TRIES.into_iter().find(|(from, _)| self.loss >= from * share) else { return 0 };
        let delay = (tries * retry + MARGIN).min(MAX_DELAY);
        (delay.as_millis() / UNIT.as_millis()) as u16
    }

    /// How often a packet that is asked for is sent again.
    pub fn copies(&self) -> usize {
        if self.loss >= TWICE_FROM { 2 } else { 1 }
    }

    /// The bounds that the receiver is told, in units of 10 ms. `own`: those of the way before.
    pub fn bounds(&self, own: Option<(u16, u16)>) -> Option<(u16, u16)> {
        if !self.is_told {
            return own;
        }
        // what was told once counts until something else is told
        let (min, max) = own.unwrap_or((0, MAX_UNITS));
        let min = (min + self.units).min(MAX_BOUND);
        Some((min, max.max(min)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    const RETRY: Duration = Duration::from_millis(100);

    fn after(losses: &[f64], retry: Duration) -> Playout {
        let (start, mut playout) = (Instant::now(), Playout::default());
        for (loss, second) in losses.iter().zip(0..) {
            playout.reported(start + second * SECOND, 200.0, loss * 200.0, retry);
        }
        playout
    }

    #[test]
    fn a_good_link_is_told_nothing() {
        let playout = after(&[0.0, 0.02, 0.1, 0.0, 0.05, 0.03], RETRY);
        assert_eq!(playout.bounds(None), None);
        assert_eq!(playout.bounds(Some((3, 7))), Some((3, 7)));
        assert_eq!((playout.copies(), after(&[0.3; 3], RETRY).copies()), (1, 2));
    }

    #[test]
    fn more_time_in_hand_the_more_is_lost_and_the_farther_it_is() {
        let units = |loss, retry| after(&[loss; 6], retry).bounds(None).map(|(min, _)| min);
        assert_eq!(units(0.1, RETRY), Some(25));
        assert_eq!(units(0.2, RETRY), Some(35));
        assert_eq!(units(0.3, RETRY), Some(55));
        assert_eq!(units(0.3, 2 * RETRY), Some(105));
        assert_eq!(units(0.3, SECOND), Some(150));
        let own = after(&[0.3; 6], RETRY);
        assert_eq!((own.bounds(Some((60, 90))), own.bounds(Some((0, 0)))), (Some((115, 115)), Some((55, 55))));
    }

    #[test]
    fn a_bound_stays_within_its_bits() {
        assert_eq!(after(&[0.3; 6], RETRY).bounds(Some((4090, 4095))), Some((4095, 4095)));
    }

    #[test]
    fn it_is_taken_back_when_the_link_has_been_good_for_a_while() {
        let bad = [0.3; 6];
        assert_eq!(after(&[&bad[..], &[0.0; 8]].concat(), RETRY).units, 55);
        let good = after(&[&bad[..], &[0.0; 20]].concat(), RETRY);
        assert_eq!(good.bounds(None), Some((0, MAX_UNITS)), "the client has to be told");
        let mixed = after(&[&bad[..], &[0.16; 20]].concat(), RETRY);
        assert_eq!(mixed.units, 55, "the border is not crossed again and again");
    }

    #[test]
    fn reports_of_few_packets_say_little() {
        let mut playout = Playout::default();
        let now = Instant::now();
        playout.reported(now, 2.0, 2.0, RETRY);
        playout.reported(now, 0.0, 0.0, RETRY);
        assert_eq!(playout.bounds(None), None);
    }
}
