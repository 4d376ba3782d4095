//! Video within the bandwidth of each subscriber. Audio is never limited.
//!
//! The client estimates what it could receive (REMB, draft-alvestrand-rmcat-remb). Such an estimate never rises far
//! above what is being received, so it shows shortage but not room: after a shortage the limit is lifted step by
//! step, and lowered again, for longer each time, when that was too much.

use std::time::{Duration, Instant};

use crate::command::{Kind, Quality};
use crate::event::Event;
use crate::ids::{DownKey, PeerKey};
use crate::shard::Shard;

const INTERVAL: Duration = Duration::from_millis(500);
/// Less than this share of what is sent, for so long, is a shortage.
const SHORT: f64 = 0.9;
const SHORT_FOR: Duration = Duration::from_secs(2);
/// What may be used of an estimate.
const USABLE: f64 = 0.95;
/// An estimate is worth nothing after this.
const STALE: Duration = Duration::from_secs(5);
/// The limit is lifted by this, after the first and at most the last of these.
const LIFT: f64 = 1.5;
const FIRST_LIFT: Duration = Duration::from_secs(4);
const LAST_LIFT: Duration = Duration::from_secs(60);
/// Without any shortage for so long the next one is a new one.
const CALM: Duration = Duration::from_secs(30);
/// Videos are paused only after the lowest layers have not fit for this long.
const STARVED_FOR: Duration = Duration::from_secs(10);
/// What one voice takes.
const AUDIO_BPS: u64 = 40_000;

/// How much one subscriber may be sent.
#[derive(Default)]
pub(crate) struct Budget {
    estimate: Option<(Instant, u64)>,
    limit_bps: Option<u64>,
    short_since: Option<Instant>,
    last_short: Option<Instant>,
    lift_at: Option<Instant>,
    patience: Duration,
    starved_since: Option<Instant>,
}

impl Budget {
    pub fn estimated(&mut self, now: Instant, bps: u64) {
        self.estimate = Some((now, bps));
    }

    /// The limit for all media, None if there is none. `sent_bps`: what is being sent; `full`: everybody has what
    /// they want.
    fn update(&mut self, now: Instant, sent_bps: u64, full: bool) -> Option<u64> {
        let fresh = self.estimate.filter(|(at, _)| now.saturating_duration_since(*at) < STALE);
        let Some((_, estimate)) = fresh else {
            self.short_since = None;
            return self.limit_bps;
        };
        if (estimate as f64) < sent_bps as f64 * SHORT {
            let since = *self.short_since.get_or_insert(now);
            if now.saturating_duration_since(since) >= SHORT_FOR {
                self.shorten(now, estimate);
            }
            return self.limit_bps;
        }
        self.short_since = None;
        if let (Some(limit), Some(lift_at)) = (self.limit_bps, self.lift_at)
            && now >= lift_at
        {
            self.limit_bps = (!full).then(|| (limit.max(sent_bps) as f64 * LIFT) as u64);
            self.lift_at = Some(now + FIRST_LIFT);
        }
        self.limit_bps
    }

    fn shorten(&mut self, now: Instant, estimate: u64) {
        let long_ago = self.last_short.is_none_or(|last| now.saturating_duration_since(last) > CALM);
        let calm = long_ago && self.limit_bps.is_none();
        self.patience = if calm { FIRST_LIFT } else { (self.patience * 2).min(LAST_LIFT) };
        self.limit_bps = Some((estimate as f64 * USABLE) as u64);
        self.last_short = Some(now);
        self.lift_at = Some(now + self.patience);
        self.short_since = None;
    }

    /// True once the lowest layers have not fit for long.
    fn is_starved(&mut self, now: Instant, lowest_bps: u64) -> bool {
        if self.limit_bps.is_none_or(|limit| limit >= lowest_bps) {
            self.starved_since = None;
            return false;
        }
        now.saturating_duration_since(*self.starved_since.get_or_insert(now)) >= STARVED_FOR
    }
}

/// A video that a subscriber wants: its live layers up to the wanted one, lowest first, with their rates.
#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub priority: u32,
    pub ladder: Vec<(Quality, u64)>,
}

/// The best layer for each video, None for one that has to pause. First everybody's lowest layer, then a step for
/// each in order of priority, as long as it fits.
pub(crate) fn allocate(limit_bps: u64, videos: &[Video], may_pause: bool) -> Vec<Option<Quality>> {
    let mut order: Vec<usize> = (0..videos.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(videos.get(*index).map(|video| video.priority)));
    let mut left = limit_bps;
    let mut result = vec![None; videos.len()];
    for step in 0..Quality::ALL.len() {
        for index in &order {
            let (Some(video), Some(slot)) = (videos.get(*index), result.get_mut(*index)) else { continue };
            let Some((quality, rate)) = video.ladder.get(step).copied() else { continue };
            let below = step.checked_sub(1).and_then(|below| video.ladder.get(below));
            let is_next = *slot == below.map(|(quality, _)| *quality);
            let cost = rate.saturating_sub(below.map_or(0, |(_, rate)| *rate));
            if is_next && (cost <= left || (step == 0 && !may_pause)) {
                left = left.saturating_sub(cost);
                *slot = Some(quality);
            }
        }
    }
    result
}

impl Shard {
    pub(crate) fn tick_budgets(&mut self, now: Instant) {
        let last = *self.last_budgeted.get_or_insert(now);
        if now.saturating_duration_since(last) < INTERVAL {
            return;
        }
        self.last_budgeted = Some(now);
        let keys: Vec<PeerKey> = self.peers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.budget_peer(now, key);
        }
    }

    fn budget_peer(&mut self, now: Instant, key: PeerKey) {
        let (downs, videos, sent, voices, full) = self.demand_of(key);
        let Some(peer) = self.peers.get_mut(key) else { return };
        let lowest = videos.iter().filter_map(|video| video.ladder.first()).map(|(_, rate)| rate).sum();
        let limit = peer.budget.update(now, sent + voices, full).map(|limit| limit.saturating_sub(voices));
        let may_pause = peer.budget.is_starved(now, lowest);
        let caps = match limit {
            Some(limit) => allocate(limit, &videos, may_pause).into_iter().map(|cap| (cap, cap.is_none())).collect(),
            None => vec![(None, false); downs.len()],
        };
        for (down, (cap, paused)) in downs.into_iter().zip(caps) {
            self.apply_cap(down, cap, paused);
        }
    }

    /// A peer's videos, what they and its voices take now, and whether all are at what is wanted.
    fn demand_of(&self, key: PeerKey) -> (Vec<DownKey>, Vec<Video>, u64, u64, bool) {
        let (mut downs, mut videos, mut sent, mut voices, mut full) = (Vec::new(), Vec::new(), 0, 0, true);
        let Some(peer) = self.peers.get(key) else { return (downs, videos, sent, voices, full) };
        for down_key in peer.downs.values() {
            let Some(down) = self.downs.get(*down_key) else { continue };
            let Some(state) = self.feeds.get(&down.source.track).and_then(|feed| feed.state.as_ref()) else { continue };
            let Some(wanted) = down.wanted(state) else { continue };
            if state.kind == Kind::Audio {
                voices += AUDIO_BPS;
                continue;
            }
            let rates = Quality::ALL.into_iter().zip(state.bitrates_bps);
            let live = rates.filter(|(quality, _)| state.live & (1 << *quality as u8) != 0);
            let ladder: Vec<_> = live.filter(|(quality, _)| *quality <= wanted).collect();
            let current = down.selector.current().and_then(|layer| state.bitrates_bps.get(usize::from(layer)));
            sent += current.copied().unwrap_or(0);
            full &= down.selector.current() == ladder.last().map(|(quality, _)| *quality as u8);
            downs.push(*down_key);
            videos.push(Video { priority: down.wish.priority.unwrap_or(1), ladder });
        }
        (downs, videos, sent, voices, full)
    }

    fn apply_cap(&mut self, key: DownKey, cap: Option<Quality>, paused: bool) {
        let Some(down) = self.downs.get_mut(key) else { return };
        if down.cap == cap && down.paused == paused {
            return;
        }
        let (was_paused, track) = (down.paused, down.source.track.clone());
        down.cap = cap;
        down.paused = paused;
        if let Some(peer) = self.peers.get(down.peer).filter(|_| was_paused != paused) {
            self.out.events.push(Event::StreamPaused { peer: peer.id.clone(), track: track.clone(), paused });
        }
        self.refresh_feed(&track);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(priority: u32) -> Video {
        Video { priority, ladder: vec![(Quality::Low, 100), (Quality::Medium, 400), (Quality::High, 1500)] }
    }

    #[test]
    fn everybody_gets_something_before_anybody_gets_more() {
        let videos = [video(1), video(1), video(1)];
        let low = Some(Quality::Low);
        assert_eq!(allocate(300, &videos, true), [low, low, low]);
        assert_eq!(allocate(600, &videos, true), [Some(Quality::Medium), low, low]);
        assert_eq!(allocate(10_000, &videos, true), [Some(Quality::High); 3]);
    }

    #[test]
    fn what_matters_more_comes_first() {
        let videos = [video(1), video(9)];
        assert_eq!(allocate(500, &videos, true), [Some(Quality::Low), Some(Quality::Medium)]);
        assert_eq!(allocate(100, &videos, true), [None, Some(Quality::Low)]);
    }

    #[test]
    fn the_lowest_layers_are_sent_even_when_they_do_not_fit() {
        assert_eq!(allocate(10, &[video(1), video(1)], false), [Some(Quality::Low); 2]);
    }

    #[test]
    fn the_sum_fits() {
        let rate = |cap: Option<Quality>| cap.map_or(0, |quality| [100, 400, 1500][quality as usize]);
        for limit in (0..6000).step_by(37) {
            let videos = [video(3), video(1), video(2), video(1)];
            let sum: u64 = allocate(limit, &videos, true).into_iter().map(rate).sum();
            assert!(sum <= limit, "{sum} of {limit}");
        }
    }

    #[test]
    fn a_dip_is_no_shortage_and_lifting_gets_slower_when_it_fails() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut budget = Budget::default();
        budget.estimated(at(0), 500_000);
        assert_eq!(budget.update(at(0), 1_000_000, true), None);
        budget.estimated(at(1000), 1_500_000);
        assert_eq!(budget.update(at(1000), 1_000_000, true), None);

        let mut lifts = Vec::new();
        let (mut now, mut sent) = (2000, 1_000_000);
        let mut last = None;
        while now < 200_000 {
            // the link carries 400 kbit/s, whatever is tried
            budget.estimated(at(now), 400_000);
            let limit = budget.update(at(now), sent, false);
            if limit > last && last.is_some() {
                lifts.push(now);
            }
            last = limit;
            sent = limit.map_or(1_000_000, |limit| limit.min(1_000_000));
            now += 500;
        }
        assert!(lifts.len() >= 3);
        let gaps: Vec<_> = lifts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).all(|pair| pair[1] >= pair[0]), "{gaps:?}");
    }
}
