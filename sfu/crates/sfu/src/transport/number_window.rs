//! Which numbers of a stream were received, beyond 16 bits (RFC 3711 section 3.3).

/// So far behind the newest number, one that comes is still known to be new: more than is asked for again.
const WINDOW: u64 = 2048;
const WORDS: usize = (WINDOW / 64) as usize;

/// The numbers of one stream. What was received once is not taken a second time.
pub(super) struct NumberWindow {
    highest: u64,
    /// A bit for each of the last numbers, each at its number modulo the window.
    seen: [u64; WORDS],
}

impl NumberWindow {
    /// A stream of which this is the first number.
    pub fn new(first: u64) -> Self {
        let mut window = Self { highest: first, seen: [0; WORDS] };
        window.mark(first);
        window
    }

    /// The number beyond 16 bits that is nearest to the newest one.
    pub fn extended(&self, number: u16) -> u64 {
        extended(number, self.highest)
    }

    /// Whether this number was not received yet; false also for those that are too old to tell.
    pub fn is_new(&self, number: u64) -> bool {
        if number > self.highest {
            return true;
        }
        let (word, bit) = place(number);
        self.highest - number < WINDOW && self.seen.get(word).is_some_and(|seen| seen & bit == 0)
    }

    /// A packet with this number was received, and is authentic.
    pub fn received(&mut self, number: u64) {
        if number > self.highest {
            if number - self.highest >= WINDOW {
                self.seen = [0; WORDS];
            } else {
                (self.highest + 1..number).for_each(|skipped| self.clear(skipped));
            }
            self.highest = number;
        }
        self.mark(number);
    }

    fn mark(&mut self, number: u64) {
        let (word, bit) = place(number);
        if let Some(seen) = self.seen.get_mut(word) {
            *seen |= bit;
        }
    }

    fn clear(&mut self, number: u64) {
        let (word, bit) = place(number);
        if let Some(seen) = self.seen.get_mut(word) {
            *seen &= !bit;
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    ((number % WINDOW / 64) as usize, 1 << (number % 64))
}

/// The number beyond 16 bits that is nearest to `near`.
pub(super) fn extended(number: u16, near: u64) -> u64 {
    let ahead = number.wrapping_sub(near as u16).cast_signed();
    let extended = near.saturating_add_signed(i64::from(ahead));
    // the first round has no one before it
    if extended as u16 == number { extended } else { u64::from(number) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_go_on_beyond_16_bits() {
        assert_eq!(extended(5, 3), 5);
        assert_eq!(extended(65_535, 3), 65_535, "nothing is before the first round");
        assert_eq!(extended(2, 65_530), 65_538);
        assert_eq!(extended(65_530, 65_538), 65_530);
        let mut window = NumberWindow::new(0);
        for number in (1000..200_000_u64).step_by(1000) {
            assert_eq!(window.extended(number as u16), number);
            window.received(number);
        }
    }

    /// Whatever the order, each number is new once, and never after that.
    #[test]
    fn each_number_is_new_once() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (mut window, mut taken, mut newest) = (NumberWindow::new(10_000), HashSet::from([10_000]), 10_000_u64);
        for _ in 0..200_000 {
            let number = match random(10) {
                0 => newest + random(3 * WINDOW) + 1,
                1..5 => newest + 1,
                _ => newest - random(WINDOW + 100),
            };
            let is_young = number > newest || newest - number < WINDOW;
            assert_eq!(window.is_new(number), is_young && !taken.contains(&number), "{number} of {newest}");
            if window.is_new(number) {
                window.received(number);
                taken.insert(number);
                newest = newest.max(number);
            }
        }
    }
}
