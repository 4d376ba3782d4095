//! Whether packets of a client wait in the queue of a full link: it sends more than its link carries.
//!
//! Told by sound, which is sent as regularly as it was sampled, and before pictures: all of it comes late, and packets are
//! lost. What is sent again over a full link only makes its queue last, and what is lost there tells nothing of the time
//! when it is not full. So that the queue empties the client is told to send less than what comes, and may send what it
//! likes when it is empty.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::ids::Ssrc;
use crate::timeline::Timeline;

/// What comes later than the soonest packets by this has waited.
const WAITED: Duration = Duration::from_millis(100);
/// Single packets are late for many reasons.
const CERTAIN: Duration = Duration::from_millis(100);
/// What comes is counted over this time.
const COUNTED: Duration = Duration::from_millis(250);
/// This part of what has come the client may send.
const RELIEF: f64 = 0.7;
/// And this part for a while after it, lest the queue is full again at once.
const CARE: f64 = 0.8;
const CARE_LASTS: Duration = Duration::from_secs(10);
const UNLIMITED_BPS: u64 = 1_000_000_000;
/// A full link carries what it can. If all is as late as before, although less than this part of what came goes over it,
/// then the way itself has become longer.
const EMPTIER: f64 = 0.5;
/// No backlog is believed in for longer.
const LASTS: Duration = Duration::from_secs(15);
/// A loss tells of a full link for so long, and a full link of losses.
const RECENT: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Backlog {
    streams: HashMap<Ssrc, Timeline>,
    /// Since when all sound is late.
    since: Option<Instant>,
    lost_at: Option<Instant>,
    /// When a packet had waited in it.
    newest: Option<Instant>,
    counted_since: Option<Instant>,
    bytes: usize,
    /// The most bytes a second since all sound is late.
    most: f64,
    /// Those of the last time.
    last: Option<f64>,
    /// In bits per second; None if there never was one.
    limit: Option<u64>,
    limited_until: Option<Instant>,
    has_ended: bool,
    has_changed: bool,
}

impl Backlog {
    /// Packets were lost.
    pub fn lost(&mut self, now: Instant) {
        self.lost_at = Some(now);
    }

    /// A packet of so many bytes has come.
    pub fn received(&mut self, now: Instant, bytes: usize) {
        self.bytes += bytes;
        let is_over = self.limited_until.is_some_and(|until| until <= now) && !self.is_there(now);
        if is_over {
            self.set_limit(UNLIMITED_BPS);
            self.limited_until = None;
        }
    }

    /// A packet of sound has come, the newest of its stream.
    pub fn received_sound(&mut self, now: Instant, ssrc: Ssrc, clock_rate_hz: u32, timestamp: u32) {
        let timeline = self.streams.entry(ssrc).or_insert_with(|| Timeline::new(clock_rate_hz));
        let late = now.saturating_duration_since(timeline.place(timestamp, now));
        let rate = self.take_rate(now);
        if late < WAITED {
            self.has_ended |= self.newest.is_some();
            if self.most > 0.0 {
                self.limit_to(CARE * self.most, now + CARE_LASTS);
            }
            self.end();
            return;
        }
        let lasted = now.saturating_duration_since(*self.since.get_or_insert(now));
        let rate = rate.filter(|_| lasted >= COUNTED);
        if lasted >= LASTS || rate.is_some_and(|rate| rate < EMPTIER * self.most) {
            self.streams.clear();
            self.end();
            self.limited_until = self.limited_until.map(|_| now);
        } else if lasted >= CERTAIN && self.lost_at.is_some_and(|at| is_recent(now, at)) {
            self.newest = Some(now);
            if let Some(rate) = rate {
                self.most = self.most.max(rate);
                let before = self.last.replace(rate);
                self.limit_to(RELIEF * before.map_or(rate, |before| rate.max(before)), now + RECENT);
            }
        }
    }

    fn end(&mut self) {
        (self.since, self.newest, self.most, self.last) = (None, None, 0.0, None);
    }

    /// Whether the link is full.
    pub fn is_there(&self, now: Instant) -> bool {
        self.newest.is_some_and(|newest| is_recent(now, newest))
    }

    /// Whether the link was full until now, since the last call.
    pub fn take_end(&mut self) -> bool {
        std::mem::take(&mut self.has_ended)
    }

    /// What the client may send, in bits per second, if it was ever told.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Whether that has changed since the last call.
    pub fn take_change(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    fn limit_to(&mut self, bytes_per_s: f64, until: Instant) {
        self.set_limit((8.0 * bytes_per_s) as u64);
        self.limited_until = Some(until);
    }

    fn set_limit(&mut self, limit_bps: u64) {
        (self.limit, self.has_changed) = (Some(limit_bps), true);
    }

    /// The bytes a second, once in a while.
    fn take_rate(&mut self, now: Instant) -> Option<f64> {
        let passed = now.saturating_duration_since(*self.counted_since.get_or_insert(now));
        (passed >= COUNTED).then(|| {
            self.counted_since = Some(now);
            std::mem::take(&mut self.bytes) as f64 / passed.as_secs_f64()
        })
    }
}

fn is_recent(now: Instant, at: Instant) -> bool {
    now.saturating_duration_since(at) < RECENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const FRAME: u32 = 20;

    #[derive(Clone, Copy)]
    struct Frame {
        late_ms: u32,
        bytes: usize,
        is_after_loss: bool,
    }

    const fn frame(late_ms: u32, bytes: usize, lost: u64) -> Frame {
        Frame { late_ms, bytes, is_after_loss: lost > 0 }
    }

    /// With each frame of sound: whether there is a backlog, and the limit.
    fn told(frames: impl IntoIterator<Item = Frame>) -> Vec<(bool, Option<u64>, bool)> {
        let (start, mut backlog) = (Instant::now(), Backlog::default());
        let told = (0..).zip(frames).map(|(count, frame): (u32, Frame)| {
            let now = start + (FRAME * count + frame.late_ms) * MS;
            backlog.received(now, frame.bytes);
            if frame.is_after_loss {
                backlog.lost(now);
            }
            backlog.received_sound(now, Ssrc(1), 48_000, count * FRAME * 48);
            (backlog.is_there(now), backlog.limit(), backlog.take_end())
        });
        told.collect()
    }

    #[test]
    fn a_full_link_is_told_of_until_its_queue_is_empty() {
        let full =
            told([frame(5, 5000, 0); 50].into_iter().chain([frame(205, 1000, 4); 50]).chain([frame(30, 700, 0); 600]));
        let is_there: Vec<_> = full.iter().map(|(is_there, ..)| *is_there).collect();
        assert!(!is_there[54] && is_there[55..100].iter().all(|is_there| *is_there) && !is_there[100]);
        assert_eq!(full.iter().position(|(.., has_ended)| *has_ended), Some(100));
        // 1000 bytes each 20 ms
        let limit = full[90].1.expect("a limit");
        assert!((270_000..290_000).contains(&limit), "{limit}");
        let care = full[110].1.expect("a limit");
        assert!((310_000..330_000).contains(&care), "{care}");
        assert_eq!((full[60].1, full[699].1), (None, Some(UNLIMITED_BPS)));
    }

    #[test]
    fn without_sound_a_limit_ends_too() {
        let (start, mut backlog) = (Instant::now(), Backlog::default());
        for count in 0..100 {
            let now = start + (FRAME * count + if count < 50 { 0 } else { 200 }) * MS;
            backlog.received(now, 1000);
            backlog.lost(now);
            backlog.received_sound(now, Ssrc(1), 48_000, count * FRAME * 48);
        }
        assert!(backlog.take_change() && !backlog.take_change());
        backlog.received(start + 4000 * MS, 1000);
        assert_eq!((backlog.take_change(), backlog.limit()), (true, Some(UNLIMITED_BPS)));
    }

    #[test]
    fn what_is_late_for_other_reasons_is_no_backlog() {
        let jitter = [0, 30, 0, 60, 90, 0].repeat(20).into_iter().map(|late| frame(late, 1000, 1));
        // a clock that falls behind, as where a client has too little time for its sound
        let slow = (0..200).map(|count| frame(2 * count, 1000, 0));
        for told in [told(jitter), told(slow)] {
            assert!(told.iter().all(|told| *told == (false, None, false)));
        }
    }

    #[test]
    fn a_way_that_has_become_longer_and_lossy_is_none() {
        let near = [frame(5, 5000, 0); 100];
        let longer = near.into_iter().chain([frame(155, 4000, 1); 40]).chain([frame(155, 1500, 1); 200]);
        let longer = told(longer);
        assert!(longer[130].0 && !longer[240].0);
        assert_eq!(longer[339].1, Some(UNLIMITED_BPS));
        assert!(!longer.iter().any(|(.., has_ended)| *has_ended), "what was lost tells of the way");
        let standing = told(near.into_iter().chain([frame(155, 1000, 1); 500]));
        assert!(standing[105..].iter().all(|(is_there, ..)| *is_there), "as much as it carries goes over it");
    }
}
