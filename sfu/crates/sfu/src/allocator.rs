//! Applies each subscriber's bandwidth limit to its subscriptions.

use std::time::{Duration, Instant};

use crate::allocation::allocate;
use crate::ids::PeerKey;
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::subscribing::Subscriptions;

/// Limits are updated this often.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Default)]
pub(crate) struct Allocator {
    last_run: Option<Instant>,
}

impl Allocator {
    pub fn tick(&mut self, now: Instant, peers: &mut Peers, subscriptions: &mut Subscriptions, outbox: &mut Outbox) {
        let last = *self.last_run.get_or_insert(now);
        if now.saturating_duration_since(last) < INTERVAL {
            return;
        }
        self.last_run = Some(now);
        for key in peers.keys() {
            allocate_peer(now, key, peers, subscriptions, outbox);
        }
    }
}

fn allocate_peer(
    now: Instant,
    key: PeerKey,
    peers: &mut Peers,
    subscriptions: &mut Subscriptions,
    outbox: &mut Outbox,
) {
    let Some(peer) = peers.get_mut(key) else { return };
    let usage = subscriptions.usage(peer);
    let lowest: u64 = usage.videos.iter().filter_map(|(_, video)| video.ladder.first()).map(|(_, rate)| rate).sum();
    let budget = peer.budget_mut();
    let limit = budget.update(now, usage.video_bps + usage.audio_bps, usage.is_satisfied);
    let limit = limit.map(|limit| limit.saturating_sub(usage.audio_bps));
    let may_pause = budget.is_starved(now, lowest + usage.audio_bps);
    let (keys, videos): (Vec<_>, Vec<_>) = usage.videos.into_iter().unzip();
    let caps = match limit {
        Some(limit) => allocate(limit, &videos, may_pause).into_iter().map(|cap| (cap, cap.is_none())).collect(),
        None => vec![(None, false); keys.len()],
    };
    for (subscription, (cap, is_paused)) in keys.into_iter().zip(caps) {
        subscriptions.limit(subscription, cap, is_paused, peers, outbox);
    }
}
