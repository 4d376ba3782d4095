//! Which worker owns which peer and track.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tertulia_sfu::{DataFlow, Event, PeerId, ShardId, Source, TrackId};

/// A worker this busy gets no more peers while others have time.
const ENOUGH_PERMILLE: u64 = 400;
/// What a new peer is expected to take until it can be measured, and how long that is.
const PEER_PERMILLE: u64 = 16;
const UNMEASURED: Duration = Duration::from_secs(3);

#[derive(Default)]
pub(crate) struct Directory {
    peers: HashMap<PeerId, ShardId>,
    tracks: HashMap<TrackId, Source>,
    /// Of peers that have sent data.
    flows: HashMap<PeerId, Arc<DataFlow>>,
    /// Peers of each worker.
    load: Vec<usize>,
    /// Peers whose work cannot be measured yet.
    placed: Vec<(Instant, ShardId)>,
}

impl Directory {
    pub fn new(workers: usize) -> Self {
        Self { load: vec![0; workers], ..Self::default() }
    }

    /// The worker of a peer. A new one goes to the first worker that has time for it: what peers send each other then does
    /// not cross workers, which costs a wake-up and a copy. `busy_permille`: how busy each is.
    pub fn place(&mut self, now: Instant, peer: &PeerId, busy_permille: &[u64]) -> ShardId {
        if let Some(shard) = self.peers.get(peer) {
            return *shard;
        }
        self.placed.retain(|(at, _)| now.saturating_duration_since(*at) < UNMEASURED);
        let expected = |shard: usize| {
            let placed = self.placed.iter().filter(|(_, of)| usize::from(of.0) == shard).count() as u64;
            busy_permille.get(shard).copied().unwrap_or_default() + placed * PEER_PERMILLE
        };
        let workers = 0..self.load.len();
        let free = workers.clone().find(|shard| expected(*shard) < ENOUGH_PERMILLE);
        let chosen = free.or_else(|| workers.min_by_key(|shard| (expected(*shard), self.load.get(*shard).copied())));
        let shard = ShardId(chosen.unwrap_or_default() as u16);
        if let Some(count) = self.load.get_mut(usize::from(shard.0)) {
            *count += 1;
        }
        self.placed.push((now, shard));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(directory: &mut Directory, now: Instant, from: u64, count: u64, busy: &[u64]) -> Vec<u16> {
        let peers = (from..from + count).map(|number| PeerId::from(format!("PA_{number}")));
        peers.map(|peer| directory.place(now, &peer, busy).0).collect()
    }

    #[test]
    fn a_worker_is_filled_before_the_next_one_begins() {
        let (mut directory, now) = (Directory::new(2), Instant::now());
        assert_eq!(placed(&mut directory, now, 0, 25, &[0, 0]), [0; 25]);
        assert_eq!(placed(&mut directory, now, 25, 25, &[0, 0]), [1; 25], "many at once are spread");
        let later = now + UNMEASURED;
        assert_eq!(placed(&mut directory, later, 50, 2, &[390, 0]), [0, 1], "as measured");
        assert_eq!(placed(&mut directory, later, 52, 1, &[900, 600]), [1]);
        assert_eq!(directory.place(later, &PeerId::from("PA_0"), &[900, 0]), ShardId(0), "where it is");
    }
}
