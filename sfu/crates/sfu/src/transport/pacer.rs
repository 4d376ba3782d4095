//! Video to a client whose link is narrow: a picture is sent as fast as the link carries it, not at once, so that sound
//! never waits behind it and no queue overflows.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::packet::Written;
use super::streams::OutletKey;

/// What may be sent at once.
const BURST: Duration = Duration::from_millis(10);
/// What would wait longer is sent faster than the link carries it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);
/// How often some of it is sent at most.
const EVERY: Duration = Duration::from_millis(4);
/// Of a packet, beside its payload.
const HEADER_BYTES: usize = 60;

#[derive(Default)]
pub(super) struct Pacer {
    /// Bits per second; None: nothing waits.
    rate_bps: Option<u64>,
    waiting: VecDeque<(OutletKey, Written)>,
    waiting_bytes: usize,
    /// What may be sent now, or was sent too much, and when that was so.
    credit_bytes: f64,
    at: Option<Instant>,
}

fn bytes_of(packet: &Written) -> usize {
    packet.payload().len() + HEADER_BYTES
}

impl Pacer {
    pub fn set_rate(&mut self, rate_bps: Option<u64>) {
        if self.rate_bps.is_none() {
            // what was sent before the link was narrow counts for nothing
            (self.credit_bytes, self.at) = (0.0, None);
        }
        self.rate_bps = rate_bps;
    }

    /// Let nothing wait any more; returns what it was.
    pub fn open(&mut self) -> Option<u64> {
        self.rate_bps.take()
    }

    pub fn rate_bps(&self) -> Option<u64> {
        self.rate_bps
    }

    /// Whether packets have to wait for their turn.
    pub fn is_on(&self) -> bool {
        self.rate_bps.is_some() || !self.waiting.is_empty()
    }

    pub fn push(&mut self, outlet: OutletKey, packet: Written) {
        self.waiting_bytes += bytes_of(&packet);
        self.waiting.push_back((outlet, packet));
    }

    /// Something was sent that did not wait. Pictures wait for it as long as for others at most.
    pub fn charge(&mut self, bytes: usize) {
        let most = self.bytes_per_s().map_or(0.0, |rate| rate * LONGEST_WAIT.as_secs_f64());
        self.credit_bytes = (self.credit_bytes - bytes as f64).max(-most);
    }

    /// Drop what waits on a stream.
    pub fn forget(&mut self, outlet: OutletKey) {
        self.waiting.retain(|(of, _)| *of != outlet);
        self.waiting_bytes = self.waiting.iter().map(|(_, packet)| bytes_of(packet)).sum();
    }

    /// The next packet whose turn it is.
    pub fn take(&mut self, now: Instant) -> Option<(OutletKey, Written)> {
        if let Some(rate) = self.bytes_per_s() {
            let passed = self.at.map_or(BURST, |at| now.saturating_duration_since(at));
            let most = rate * BURST.as_secs_f64();
            self.credit_bytes = (self.credit_bytes + rate * passed.as_secs_f64()).min(most);
            self.at = Some(now);
            if self.credit_bytes <= 0.0 {
                return None;
            }
        }
        let (outlet, packet) = self.waiting.pop_front()?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(bytes_of(&packet));
        self.charge(bytes_of(&packet));
        Some((outlet, packet))
    }

    fn bytes_per_s(&self) -> Option<f64> {
        let least = self.waiting_bytes as f64 / LONGEST_WAIT.as_secs_f64();
        self.rate_bps.map(|bps| (bps as f64 / 8.0).max(least).max(1.0))
    }

    /// When the next packet's turn is.
    pub fn due(&self) -> Option<Instant> {
        let at = self.at.filter(|_| !self.waiting.is_empty())?;
        let Some(rate) = self.bytes_per_s() else { return Some(at) };
        let missing_s = (-self.credit_bytes).max(0.0) / rate;
        Some(at + Duration::from_secs_f64(missing_s).clamp(EVERY, LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u64, now: Instant) -> Written {
        Written::of(sequence, &[1; 940], now)
    }

    /// When each of so many packets that come at once is sent, in milliseconds.
    fn sent_ms(count: u64, rate_bps: Option<u64>) -> Vec<u128> {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        pacer.set_rate(rate_bps);
        (0..count).for_each(|n| pacer.push(OutletKey::default(), packet(n, start)));
        let (mut now, mut sent) = (start, Vec::new());
        while sent.len() < count as usize {
            while let Some((_, packet)) = pacer.take(now) {
                assert_eq!(packet.sequence, sent.len() as u64);
                sent.push((now - start).as_millis());
            }
            now = pacer.due().unwrap_or(now);
        }
        assert_eq!(pacer.due(), None);
        sent
    }

    #[test]
    fn a_picture_is_sent_as_fast_as_the_link_carries_it() {
        let sent = sent_ms(25, Some(500_000));
        assert_eq!(sent[0], 0);
        assert!((360..420).contains(&sent[24]), "{sent:?}");
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] <= 20), "{sent:?}");
    }

    #[test]
    fn nothing_waits_for_long_or_without_a_rate() {
        let sent = sent_ms(500, Some(100_000));
        assert!(*sent.last().expect("all") < 3000, "ten times as fast as the link: {sent:?}");
        assert!(sent_ms(100, None).iter().all(|ms| *ms == 0));
    }

    #[test]
    fn what_was_sent_again_holds_pictures_up_for_half_a_second_at_most() {
        let (mut pacer, start) = (Pacer::default(), Instant::now());
        pacer.charge(100_000_000);
        pacer.set_rate(Some(500_000));
        pacer.push(OutletKey::default(), packet(0, start));
        assert!(pacer.take(start).is_some(), "the link was wide then");
        pacer.charge(100_000_000);
        pacer.push(OutletKey::default(), packet(1, start));
        assert!(pacer.take(start + LONGEST_WAIT / 2).is_none());
        assert!(pacer.take(start + LONGEST_WAIT + BURST).is_some());
    }
}
