//! Which worker owns which peer and track.

use std::collections::HashMap;
use std::sync::Arc;

use tertulia_sfu::{DataFlow, Event, PeerId, ShardId, Source, TrackId};

#[derive(Default)]
pub(crate) struct Directory {
    peers: HashMap<PeerId, ShardId>,
    tracks: HashMap<TrackId, Source>,
    /// Of peers that have sent data.
    flows: HashMap<PeerId, Arc<DataFlow>>,
    load: Vec<usize>,
}

impl Directory {
    pub fn new(workers: usize) -> Self {
        Self { load: vec![0; workers], ..Self::default() }
    }

    /// The worker of a peer; a new peer gets the worker with the fewest peers.
    pub fn place(&mut self, peer: &PeerId) -> ShardId {
        if let Some(shard) = self.peers.get(peer) {
            return *shard;
        }
        let (shard, count) = (0u16..)
            .map(ShardId)
            .zip(self.load.iter_mut())
            .min_by_key(|(_, count)| **count)
            .map_or((ShardId(0), None), |(shard, count)| (shard, Some(count)));
        if let Some(count) = count {
            *count += 1;
        }
        self.peers.insert(peer.clone(), shard);
        shard
    }

    pub fn shard_of(&self, peer: &PeerId) -> Option<ShardId> {
        self.peers.get(peer).copied()
    }

    /// The peers of a worker.
    pub fn peers_of(&self, shard: ShardId) -> Vec<PeerId> {
        self.peers.iter().filter(|(_, of)| **of == shard).map(|(peer, _)| peer.clone()).collect()
    }

    pub fn remove_peer(&mut self, peer: &PeerId) {
        if let Some(shard) = self.peers.remove(peer) {
            if let Some(count) = self.load.get_mut(usize::from(shard.0)) {
                *count -= 1;
            }
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
                    && self.peers.contains_key(peer)
                    && !self.flows.contains_key(peer)
                {
                    self.flows.insert(peer.clone(), flow.clone());
                }
            }
            _ => {}
        }
    }
}
