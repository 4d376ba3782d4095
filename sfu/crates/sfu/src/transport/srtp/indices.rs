//! seal-once: an index of a stream is sealed at most once under one key. With AES-GCM a second time would reveal the
//! key that authenticates; so an index cannot be had but by taking it away.

use crate::ids::Ssrc;

/// How far behind the newest index a late packet may still be sealed.
const WINDOW: u64 = 1024;
const WORDS: usize = (WINDOW / 64) as usize;
/// There are 48 bits of them (RFC 3711 section 3.3.1).
const END: u64 = 1 << 48;

/// The right to seal one packet. It is made by [`Indices::claim`] alone and used up by sealing.
#[derive(Debug)]
pub(super) struct Claimed {
    ssrc: Ssrc,
    index: u64,
}

/// The indices of one stream that are used up. It only moves forward.
pub(super) struct Indices {
    ssrc: Ssrc,
    /// The one after the highest that was ever claimed.
    next: u64,
    /// Of the last [`WINDOW`] before `next`, by their remainder: those that were claimed.
    claimed: [u64; WORDS],
}

impl Claimed {
    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    pub fn index(&self) -> u64 {
        self.index
    }
}

impl Indices {
    pub fn new(ssrc: Ssrc) -> Self {
        Self { ssrc, next: 0, claimed: [0; WORDS] }
    }

    pub fn ssrc(&self) -> Ssrc {
        self.ssrc
    }

    /// The right to seal the packet of this index, extended beyond 16 bits. None if that was given before, or may have
    /// been.
    pub fn claim(&mut self, index: u64) -> Option<Claimed> {
        if index >= END || index + WINDOW < self.next {
            return None;
        }
        if index >= self.next {
            let skipped = (index - self.next).min(WINDOW);
            for fresh in self.next..self.next + skipped {
                self.set(fresh, false);
            }
            self.set(index, false);
            self.next = index + 1;
        }
        if self.is_set(index) {
            return None;
        }
        self.set(index, true);
        Some(Claimed { ssrc: self.ssrc, index })
    }

    fn is_set(&self, index: u64) -> bool {
        let (word, bit) = place(index);
        self.claimed.get(word).is_none_or(|bits| bits & bit != 0)
    }

    fn set(&mut self, index: u64, is_claimed: bool) {
        let (word, bit) = place(index);
        if let Some(bits) = self.claimed.get_mut(word) {
            if is_claimed { *bits |= bit } else { *bits &= !bit }
        }
    }
}

fn place(index: u64) -> (usize, u64) {
    let at = index % WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A cheap generator of numbers that look random (xorshift).
    fn random(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn whatever_is_asked_for_no_index_is_given_twice() {
        for seed in 1..200 {
            let (mut state, mut indices, mut given) = (seed, Indices::new(Ssrc(7)), HashSet::new());
            let mut newest = random(&mut state) % 70_000;
            for _ in 0..3000 {
                let jump = [1, 1, 1, 1, 2, 70, 1023, 1024, 1025, 70_000][(random(&mut state) % 10) as usize];
                let index = match random(&mut state) % 4 {
                    0 => newest.saturating_sub(random(&mut state) % 1200),
                    1 => newest,
                    _ => {
                        newest += jump;
                        newest
                    }
                };
                if let Some(claimed) = indices.claim(index) {
                    assert_eq!((claimed.ssrc(), claimed.index()), (Ssrc(7), index));
                    assert!(given.insert(index), "{index} was given twice, seed {seed}");
                }
            }
            assert!(given.len() > 1000);
        }
    }

    #[test]
    fn late_packets_within_the_window_are_sealed_and_others_are_not() {
        let mut indices = Indices::new(Ssrc(1));
        assert!(indices.claim(5000).is_some());
        assert!(indices.claim(5000 - 1023).is_some());
        assert!(indices.claim(5001 - 1025).is_none());
        assert!(indices.claim(4999).is_some());
        assert!(indices.claim(4999).is_none());
    }

    #[test]
    fn there_are_no_more_than_48_bits() {
        let mut indices = Indices::new(Ssrc(1));
        assert!(indices.claim((1 << 48) - 1).is_some());
        assert!(indices.claim(1 << 48).is_none());
        assert!(indices.claim(u64::MAX).is_none());
    }
}
