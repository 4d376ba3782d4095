//! What was sent on a stream and may be asked for again (RFC 4588).

use std::time::{Duration, Instant};

use super::packet::Written;

/// Packets kept, as many as came in this time but no more than these: 3 s of a large video.
const MAX_PACKETS: usize = 1024;
const MAX_AGE: Duration = Duration::from_secs(3);
const FIRST_PACKETS: usize = 64;
/// Packets kept as they were sealed, by the remainder of their numbers: two seconds of sound, more than a receiver waits.
const MAX_SEALED: usize = 128;
/// Retransmissions may take 0.6 of what is sent in a second on a stream: so many bytes for each byte of media. At 30 %
/// loss, where lost retransmissions are asked for again, they are a third of it; a receiver that asks for everything
/// again and again is bounded, and so is what a narrow link is sent at once, in whose queue sound waits too.
const SHARE: f64 = 1.5;
/// Of that second: parts that are forgotten one by one.
const PARTS: usize = 10;
const PART: Duration = Duration::from_millis(100);

/// The packets of a stream, in a ring by their numbers that grows as far as it is needed.
#[derive(Default)]
pub(super) struct Resends {
    ring: Vec<Option<Written>>,
    recent: Recent,
}

/// The packets of a stream without a stream for retransmissions: such a one is sent again as it was sealed. Nothing is kept
/// for those who have never asked.
#[derive(Default)]
pub(super) struct SealedResends {
    ring: Vec<Option<(u16, Vec<u8>)>>,
    recent: Recent,
}

/// What was sent in the last second.
#[derive(Default)]
struct Recent {
    /// Bytes of media and of retransmissions, by the remainder of the part's number.
    parts: [(usize, usize); PARTS],
    start: Option<Instant>,
    /// The number of the newest part.
    newest: u128,
}

impl Resends {
    pub fn keep(&mut self, packet: Written) {
        self.recent.sent(packet.source.arrival, packet.payload().len(), 0);
        if self.ring.is_empty() {
            self.ring.resize(FIRST_PACKETS, None);
        }
        while self.ring.len() < MAX_PACKETS && self.would_lose(&packet) {
            self.grow();
        }
        let at = self.place(packet.sequence);
        if let Some(slot) = self.ring.get_mut(at)
            && slot.as_ref().is_none_or(|old| old.sequence < packet.sequence)
        {
            *slot = Some(packet);
        }
    }

    /// The packet with these low 16 bits of its number, if it is still there and may be sent again.
    pub fn take(&mut self, now: Instant, number: u16) -> Option<Written> {
        let at = self.place(u64::from(number));
        let packet = self.ring.get(at)?.as_ref()?;
        let is_asked =
            packet.sequence as u16 == number && now.saturating_duration_since(packet.source.arrival) <= MAX_AGE;
        if !is_asked || !self.recent.has_room(now) {
            return None;
        }
        self.recent.sent(now, 0, packet.payload().len());
        Some(packet.clone())
    }

    fn place(&self, sequence: u64) -> usize {
        // sizes are powers of two, so that the low 16 bits suffice
        (sequence % self.ring.len().max(1) as u64) as usize
    }

    fn would_lose(&self, packet: &Written) -> bool {
        let old = self.ring.get(self.place(packet.sequence)).and_then(Option::as_ref);
        old.is_some_and(|old| packet.source.arrival.saturating_duration_since(old.source.arrival) < MAX_AGE)
    }

    fn grow(&mut self) {
        let mut larger = vec![None; 2 * self.ring.len()];
        for packet in self.ring.drain(..).flatten() {
            let at = (packet.sequence % larger.len() as u64) as usize;
            if let Some(slot) = larger.get_mut(at) {
                *slot = Some(packet);
            }
        }
        self.ring = larger;
    }
}

impl SealedResends {
    pub fn keep(&mut self, now: Instant, number: u16, sealed: &[u8]) {
        if let Some(slot) = self.ring.get_mut(usize::from(number) % MAX_SEALED) {
            *slot = Some((number, sealed.to_vec()));
            self.recent.sent(now, sealed.len(), 0);
        }
    }

    /// The packet with this number, if it is still there and may be sent again.
    pub fn take(&mut self, now: Instant, number: u16) -> Option<Vec<u8>> {
        let sealed = self.copy(number)?;
        if !self.recent.has_room(now) {
            return None;
        }
        self.recent.sent(now, 0, sealed.len());
        Some(sealed)
    }

    /// The packet with this number, if it is still there.
    pub fn copy(&mut self, number: u16) -> Option<Vec<u8>> {
        if self.ring.is_empty() {
            self.ring.resize(MAX_SEALED, None);
        }
        let slot = self.ring.get(usize::from(number) % MAX_SEALED)?.as_ref();
        slot.filter(|(kept, _)| *kept == number).map(|(_, sealed)| sealed.clone())
    }
}

impl Recent {
    fn sent(&mut self, now: Instant, media_bytes: usize, resent_bytes: usize) {
        self.forget(now);
        if let Some((media, resent)) = self.parts.get_mut((self.newest % PARTS as u128) as usize) {
            *media += media_bytes;
            *resent += resent_bytes;
        }
    }

    /// Whether something may be resent.
    fn has_room(&mut self, now: Instant) -> bool {
        self.forget(now);
        let bytes = self.parts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        bytes.1 as f64 <= SHARE * bytes.0 as f64
    }

    /// Forget what is older.
    fn forget(&mut self, now: Instant) {
        let start = *self.start.get_or_insert(now);
        let part = now.saturating_duration_since(start).as_millis() / PART.as_millis();
        if part >= self.newest + PARTS as u128 {
            self.parts = Default::default();
        }
        for passed in self.newest + 1..=part.min(self.newest + PARTS as u128) {
            if let Some(part) = self.parts.get_mut((passed % PARTS as u128) as usize) {
                *part = (0, 0);
            }
        }
        self.newest = self.newest.max(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, arrival: Instant) -> Written {
        Written::of(sequence, &[1; 1000], arrival)
    }

    #[test]
    fn packets_of_three_seconds_are_found_by_their_number() {
        let (mut resends, start) = (Resends::default(), Instant::now());
        let at = |n: u64| start + Duration::from_millis(n * 5);
        for n in 0..2000 {
            resends.keep(packet(65_000 + n, at(n)));
        }
        let now = at(2000);
        let number = |n: u64| (65_000 + n) as u16;
        assert_eq!(resends.take(now, number(1999)).map(|it| it.sequence), Some(66_999));
        assert_eq!(resends.take(now, number(1450)).map(|it| it.sequence), Some(66_450));
        assert!(resends.take(now, number(1300)).is_none(), "it is older");
        assert!(resends.take(now, number(2000)).is_none(), "it was never sent");
        assert_eq!(resends.ring.len(), MAX_PACKETS);
    }

    #[test]
    fn a_slow_stream_keeps_little() {
        let (mut resends, start) = (Resends::default(), Instant::now());
        for n in 0..1000 {
            resends.keep(packet(n, start + Duration::from_millis(n * 100)));
        }
        assert_eq!(resends.ring.len(), FIRST_PACKETS);
    }

    #[test]
    fn sound_is_kept_as_it_was_sealed_for_those_who_ask() {
        let (mut resends, start) = (SealedResends::default(), Instant::now());
        resends.keep(start, 1, &[1]);
        assert_eq!(resends.take(start, 1), None, "nobody had asked");
        (2..=130).for_each(|number| resends.keep(start, number, &[number as u8; 100]));
        assert_eq!(resends.take(start, 2), None, "it is too old");
        assert_eq!(resends.take(start, 130), Some(vec![130; 100]));
        assert_eq!((0..1000).filter(|_| resends.take(start, 50).is_some()).count(), 193, "bounded");
        assert_eq!(resends.take(start + Duration::from_secs(2), 131), None);
    }

    #[test]
    fn who_asks_again_and_again_is_bounded() {
        let (mut resends, start) = (Resends::default(), Instant::now());
        for n in 0..100 {
            resends.keep(packet(n, start));
        }
        let mut taken = |now| (0..10_000).filter(|n| resends.take(now, (n % 100) as u16).is_some()).count();
        assert_eq!(taken(start), 151);
        assert_eq!(taken(start + Duration::from_millis(900)), 0);
        assert_eq!(taken(start + Duration::from_secs(2)), 1, "nothing was sent in the second before");
    }
}
