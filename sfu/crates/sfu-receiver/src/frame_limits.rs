//! What one publisher may send: limits of single frames, and of how many there are.

use std::time::{Duration, Instant};

use str0m::media::MediaData;

use crate::picture_size::announced_pixels;

/// The largest picture: 4K, in either orientation; 14 MB when it is decoded.
pub const MAX_PICTURE_PIXELS: u64 = 4096 * 2304;
const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;
/// At the usual 1,200 bytes: what a frame of that size needs.
const MAX_FRAME_PACKETS: u64 = 3_600;
/// Each request brings one, and requests are at most two a second and subscriber.
const MAX_KEY_FRAMES_PER_S: f64 = 10.0;
const MAX_FRAMES_PER_S: f64 = 240.0;
/// What may come at once after the machine stood still, in seconds.
const BURST_S: f64 = 3.0;
const SUSPENDED: Duration = Duration::from_secs(5);

/// The limits of one section's video. What breaks one is withheld for some seconds, and all that follows it.
pub(crate) struct FrameLimits {
    frames: Allowance,
    key_frames: Allowance,
    suspended_until: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fits,
    /// The first frame that breaks a limit: the section is suspended from now on.
    Refused,
    Suspended,
}

impl FrameLimits {
    pub fn new(now: Instant) -> Self {
        Self {
            frames: Allowance::new(MAX_FRAMES_PER_S, now),
            key_frames: Allowance::new(MAX_KEY_FRAMES_PER_S, now),
            suspended_until: None,
        }
    }

    pub fn judge(&mut self, now: Instant, media: &MediaData) -> Verdict {
        if self.suspended_until.is_some_and(|until| now < until) {
            return Verdict::Suspended;
        }
        self.suspended_until = None;
        let pixels = announced_pixels(media.params.spec().codec, &media.data);
        let packets = media.seq_range.end().saturating_sub(**media.seq_range.start());
        let is_within = self.frames.spend(now)
            && (!media.is_keyframe() || self.key_frames.spend(now))
            && media.data.len() <= MAX_FRAME_BYTES
            && packets < MAX_FRAME_PACKETS
            && pixels.is_none_or(|pixels| pixels <= MAX_PICTURE_PIXELS);
        if is_within {
            return Verdict::Fits;
        }
        self.suspended_until = Some(now + SUSPENDED);
        Verdict::Refused
    }
}

/// A rate, with a burst.
struct Allowance {
    per_s: f64,
    left: f64,
    at: Instant,
}

impl Allowance {
    fn new(per_s: f64, now: Instant) -> Self {
        Self { per_s, left: per_s * BURST_S, at: now }
    }

    fn spend(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.at).as_secs_f64() * self.per_s;
        self.at = now;
        self.left = (self.left + earned).min(self.per_s * BURST_S) - 1.0;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_with_a_burst() {
        let now = Instant::now();
        let mut allowance = Allowance::new(10.0, now);
        assert!((0..30).all(|_| allowance.spend(now)));
        assert!(!allowance.spend(now));
        let later = now + Duration::from_secs(2);
        assert_eq!((0..30).filter(|_| allowance.spend(later)).count(), 19);
    }
}
