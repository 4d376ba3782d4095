//! Applies each subscriber's bandwidth limit to its subscriptions.

use std::time::{Duration, Instant};

use crate::allocation::{Video, allocate};
use crate::ids::PeerKey;
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::subscribing::Subscriptions;
use crate::transport::Arrival;

/// Limits are updated this often.
const INTERVAL: Duration = Duration::from_millis(500);
/// Who is sent so much more than the limit is sent nothing of a picture until the smaller one begins.
const FLOODED: f64 = 1.3;

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

/// What a peer's client estimates that it can receive.
pub(crate) fn on_estimate(now: Instant, key: PeerKey, bps: u64, peers: &mut Peers) {
    if let Some(peer) = peers.get_mut(key) {
        peer.budget_mut().estimated(now, bps);
    }
}

/// What a peer's client tells of packets that were sent to it.
pub(crate) fn on_arrivals(
    now: Instant,
    key: PeerKey,
    arrivals: &[Arrival],
    peers: &mut Peers,
    subscriptions: &mut Subscriptions,
    outbox: &mut Outbox,
) {
    if peers.get_mut(key).is_some_and(|peer| peer.budget_mut().arrived(now, arrivals)) {
        allocate_peer(now, key, peers, subscriptions, outbox);
    }
}

/// Apply a peer's limit, and learn whether there is room for more.
fn allocate_peer(
    now: Instant,
    key: PeerKey,
    peers: &mut Peers,
    subscriptions: &mut Subscriptions,
    outbox: &mut Outbox,
) {
    let Some(peer) = peers.get_mut(key) else { return };
    let usage = subscriptions.usage(peer);
    let sum = |rate: fn(&Video) -> Option<u64>| usage.videos.iter().filter_map(|(_, video)| rate(video)).sum::<u64>();
    let lowest_bps = sum(Video::lowest_bps) + usage.audio_bps;
    let wanted_bps = sum(Video::best_bps) + usage.audio_bps;
    let sent_bps = usage.video_bps + usage.audio_bps;
    let budget = peer.budget_mut();
    let padding = budget.probe(now, wanted_bps, lowest_bps);
    let limit = budget.update(now, sent_bps, usage.is_satisfied);
    let may_pause = budget.is_starved(now, lowest_bps);
    // what is sent beyond it is lost, with sound in between
    let is_flooded = budget.is_full(now) && limit.is_some_and(|limit| sent_bps as f64 > limit as f64 * FLOODED);
    let pace_bps = budget.pace_bps(now);
    peers.step(key, outbox, |transport, _| {
        transport.set_rate(pace_bps, padding);
        Ok(())
    });
    let limit = limit.map(|limit| limit.saturating_sub(usage.audio_bps));
    let (keys, videos): (Vec<_>, Vec<_>) = usage.videos.into_iter().unzip();
    let caps = match limit {
        Some(limit) => allocate(limit, &videos, may_pause).into_iter().map(|cap| (cap, cap.is_none())).collect(),
        None => vec![(None, false); keys.len()],
    };
    for (subscription, (cap, is_paused)) in keys.into_iter().zip(caps) {
        subscriptions.limit(subscription, cap, is_paused, peers, outbox);
        if is_flooded {
            subscriptions.stop_above(subscription, peers);
        }
    }
}
