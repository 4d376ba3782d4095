//! Which worker owns which peer and track.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tertulia_sfu::{DataFlow, Event, PeerId, ShardId, Source, TrackId};

use crate::placement::{Placement, Role};

#[derive(Default)]
pub(crate) struct Directory {
    placement: Placement,
    tracks: HashMap<TrackId, Source>,
    /// Of peers that have sent data.
    flows: HashMap<PeerId, Arc<DataFlow>>,
}

impl Directory {
    pub fn new(workers: usize) -> Self {
        Self { placement: Placement::new(workers), ..Self::default() }
    }

    /// The worker of a peer; a new one is placed. `busy_permille`: how busy each is.
    pub fn place(&mut self, now: Instant, peer: &PeerId, of: (&str, Role), busy_permille: &[u64]) -> ShardId {
        self.placement.place(now, peer, of, busy_permille)
    }

    pub fn shard_of(&self, peer: &PeerId) -> Option<ShardId> {
        self.placement.shard_of(peer)
    }

    /// The peers of a worker.
    pub fn peers_of(&self, shard: ShardId) -> Vec<PeerId> {
        self.placement.peers_of(shard).cloned().collect()
    }

    pub fn remove_peer(&mut self, peer: &PeerId) {
        if self.placement.remove(peer) {
            self.tracks.retain(|_, source| source.publisher != *peer);
            self.flows.remove(peer);
        }
    }

    pub fn add_track(&mut self, peer: &PeerId, track: &TrackId, shard: ShardId) {
        self.tracks.insert(track.clone(), Source { track: track.clone(), publisher: peer.clone(), shard });
    }

    pub fn remove_track(&mut self, track: &TrackId) {
        self.tracks.remove(track);
    }

    pub fn source_of(&self, track: &TrackId) -> Option<&Source> {
        self.tracks.get(track)
    }

    /// What a message that this peer has sent counts for.
    pub fn flow_of(&self, peer: &PeerId) -> Option<Arc<DataFlow>> {
        self.flows.get(peer).cloned()
    }

    /// Remove what an event says has ended, and remember who sends data.
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::PeerFailed { peer, .. } => self.remove_peer(peer),
            Event::TrackEnded { track, .. } => self.remove_track(track),
            Event::DataReceived { peer, payload, .. } => {
                if let Some(flow) = payload.flow()
                    && self.placement.shard_of(peer).is_some()
                    && !self.flows.contains_key(peer)
                {
                    self.flows.insert(peer.clone(), flow.clone());
                }
            }
            _ => {}
        }
    }
}
