//! Which of a stream's newest packets have come, so that a frame of redundant sound is forwarded once.

use crate::ids::Ssrc;

/// Packets that are remembered.
const REMEMBERED: u64 = u64::BITS as u64;

#[derive(Default)]
pub(super) struct History {
    newest: Option<(Ssrc, u64)>,
    /// Bit n: the packet that many before the newest one.
    come: u64,
}

impl History {
    /// A packet has come. Returns whether the one before it has not, so far as it is remembered; None if this one has
    /// come already, or is older than what is remembered.
    pub fn on_packet(&mut self, ssrc: Ssrc, sequence: u64) -> Option<bool> {
        let is_first = self.newest.is_none_or(|(of, _)| of != ssrc);
        if is_first {
            *self = Self { newest: Some((ssrc, sequence)), come: 1 };
            return Some(false);
        }
        self.mark(ssrc, sequence).then(|| sequence.checked_sub(1).is_some_and(|before| !self.has(before)))
    }

    /// A packet has come, or its frame. False if it had come before.
    pub fn mark(&mut self, ssrc: Ssrc, sequence: u64) -> bool {
        let newest = self.newest.map_or(0, |(_, newest)| newest);
        if let Some(ahead) = sequence.checked_sub(newest).filter(|ahead| *ahead > 0) {
            let shifted = if ahead < REMEMBERED { self.come << ahead } else { 0 };
            self.come = shifted | 1;
            self.newest = Some((ssrc, sequence));
            return true;
        }
        let is_new = !self.has(sequence);
        if let Some(bit) = self.bit(sequence) {
            self.come |= bit;
        }
        is_new
    }

    /// Whether a packet has come, or is older than what is remembered.
    fn has(&self, sequence: u64) -> bool {
        self.bit(sequence).is_none_or(|bit| self.come & bit != 0)
    }

    fn bit(&self, sequence: u64) -> Option<u64> {
        let (_, newest) = self.newest?;
        newest.checked_sub(sequence).filter(|age| *age < REMEMBERED).map(|age| 1 << age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSRC: Ssrc = Ssrc(1);

    #[test]
    fn what_is_missing_is_told_once_and_what_comes_twice_is_known() {
        let mut history = History::default();
        assert_eq!(history.on_packet(SSRC, 100), Some(false), "nothing is known of what was before");
        assert_eq!(history.on_packet(SSRC, 101), Some(false));
        assert_eq!(history.on_packet(SSRC, 103), Some(true));
        assert!(history.mark(SSRC, 102));
        assert_eq!(history.on_packet(SSRC, 102), None, "it was recovered");
        assert_eq!(history.on_packet(SSRC, 103), None);
        assert_eq!(history.on_packet(SSRC, 500), Some(true));
        assert_eq!(history.on_packet(SSRC, 104), None, "too old");
    }

    #[test]
    fn another_stream_starts_over() {
        let mut history = History::default();
        history.on_packet(SSRC, 1 << 20);
        assert_eq!(history.on_packet(Ssrc(2), 7), Some(false));
        assert_eq!(history.on_packet(Ssrc(2), 9), Some(true));
    }
}
