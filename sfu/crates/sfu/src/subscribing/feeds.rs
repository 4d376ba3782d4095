//! The tracks that subscribers on this shard receive, one feed for each.

use std::collections::HashMap;

use super::awaited::Awaited;
use crate::ids::{ShardId, SubscriptionKey, TrackId};
use crate::media::{Kind, LayerMask, Quality};
use crate::message::TrackState;

/// The best quality that is asked for, and the layers to relay.
pub(super) type Demand = (Option<Quality>, LayerMask);

/// A track as its subscribers on this shard see it.
pub(super) struct Feed {
    home: ShardId,
    subscribers: Vec<SubscriptionKey>,
    state: Option<TrackState>,
    demand: Demand,
    pub awaited: Awaited,
}

/// What a new state changes, besides itself.
pub(super) struct StateChange {
    pub is_first: bool,
    pub is_unmuted: bool,
}

impl Feed {
    fn new(home: ShardId) -> Self {
        Self { home, subscribers: Vec::new(), state: None, demand: (None, 0), awaited: Awaited::default() }
    }

    /// The publisher's shard.
    pub fn home(&self) -> ShardId {
        self.home
    }

    pub fn subscribers(&self) -> &[SubscriptionKey] {
        &self.subscribers
    }

    pub fn state(&self) -> Option<&TrackState> {
        self.state.as_ref()
    }

    pub fn kind(&self) -> Option<Kind> {
        self.state.as_ref().map(|state| state.kind)
    }

    pub fn set_state(&mut self, state: TrackState) -> StateChange {
        let is_unmuted = !state.muted && self.state.as_ref().is_some_and(|old| old.muted);
        let is_first = self.state.replace(state).is_none();
        StateChange { is_first, is_unmuted }
    }

    /// True if it differs from what was sent to the publisher's shard last.
    pub fn set_demand(&mut self, demand: Demand) -> bool {
        std::mem::replace(&mut self.demand, demand) != demand
    }
}

#[derive(Default)]
pub(super) struct Feeds {
    by_track: HashMap<TrackId, Feed>,
}

impl Feeds {
    pub fn get(&self, track: &TrackId) -> Option<&Feed> {
        self.by_track.get(track)
    }

    pub fn get_mut(&mut self, track: &TrackId) -> Option<&mut Feed> {
        self.by_track.get_mut(track)
    }

    pub fn tracks(&self) -> Vec<TrackId> {
        self.by_track.keys().cloned().collect()
    }

    /// True if it is the first subscriber of the track.
    pub fn add_subscriber(&mut self, track: TrackId, home: ShardId, subscription: SubscriptionKey) -> bool {
        let feed = self.by_track.entry(track).or_insert_with(|| Feed::new(home));
        feed.subscribers.push(subscription);
        feed.subscribers.len() == 1
    }

    /// True if it was the last subscriber of the track: the feed is gone.
    pub fn remove_subscriber(&mut self, track: &TrackId, subscription: SubscriptionKey) -> bool {
        let Some(feed) = self.by_track.get_mut(track) else { return false };
        feed.subscribers.retain(|other| *other != subscription);
        let is_empty = feed.subscribers.is_empty();
        if is_empty {
            self.by_track.remove(track);
        }
        is_empty
    }

    pub fn remove(&mut self, track: &TrackId) -> Option<Feed> {
        self.by_track.remove(track)
    }
}
