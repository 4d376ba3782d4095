//! Fan-out on a subscriber's shard: one feed for each track that somebody here receives.

use crate::command::{Kind, Quality};
use crate::ids::{DownKey, ShardId, TrackId};
use crate::message::{LayerMask, Message, Packet, TrackState};
use crate::shard::Shard;
use crate::transport::Egress;

/// A track as its subscribers on this shard see it.
pub(crate) struct Feed {
    pub home: ShardId,
    pub downs: Vec<DownKey>,
    pub state: Option<TrackState>,
    demand: (Option<Quality>, LayerMask),
}

impl Feed {
    pub fn new(home: ShardId) -> Self {
        Self { home, downs: Vec::new(), state: None, demand: (None, 0) }
    }

    pub fn kind(&self) -> Option<Kind> {
        self.state.as_ref().map(|state| state.kind)
    }
}

impl Shard {
    /// The hot path: one packet to everybody here who receives its layer.
    pub(crate) fn forward(&mut self, track: &TrackId, packet: &Packet) {
        let Some(feed) = self.feeds.get(track) else { return };
        let Some(kind) = feed.kind() else { return };
        let mut switched = false;
        for down in &feed.downs {
            let Some(down) = self.downs.get_mut(*down) else { continue };
            // what cannot be sealed yet would only pile up
            let Some(peer) = self.peers.get_mut(down.peer).filter(|peer| peer.connection.is_up) else { continue };
            let (key, before) = (down.peer, down.selector.current());
            let out = down.forward(kind, packet);
            switched |= before != down.selector.current();
            let Some(out) = out else { continue };
            if peer.transport.send(out) {
                self.counters.media_packets_forwarded += 1;
                if !peer.has_egress {
                    peer.has_egress = true;
                    self.to_drain.push(key);
                }
            }
        }
        if switched {
            self.tell_demand(track);
        }
    }

    /// The track changed at its publisher.
    pub(crate) fn on_state(&mut self, track: &TrackId, state: TrackState) {
        let Some(feed) = self.feeds.get_mut(track) else { return };
        let unmuted = feed.state.as_ref().is_some_and(|old| old.muted) && !state.muted;
        let is_first = feed.state.is_none();
        feed.state = Some(state);
        if unmuted {
            for down in feed.downs.clone() {
                if let Some(down) = self.downs.get_mut(down) {
                    down.selector.restart();
                }
            }
        }
        if is_first {
            let waiting = feed.downs.iter().filter_map(|down| self.downs.get(*down)).map(|down| down.peer);
            self.to_ask.extend(waiting);
        }
        self.refresh_feed(track);
    }

    /// Something about the track, its subscribers or their wishes changed: start what can start, aim anew, and tell
    /// the publisher's shard what is needed.
    pub(crate) fn refresh_feed(&mut self, track: &TrackId) {
        let Some(feed) = self.feeds.get(track) else { return };
        let Some(state) = feed.state.clone() else { return };
        for key in feed.downs.clone() {
            self.start_down(key, &state);
            if let Some(down) = self.downs.get_mut(key) {
                down.aim(&state);
            }
        }
        self.tell_demand(track);
        self.ask_keyframes(track);
    }

    fn tell_demand(&mut self, track: &TrackId) {
        let Some(feed) = self.feeds.get_mut(track) else { return };
        let Some(state) = &feed.state else { return };
        let mut demand = (None, 0);
        for down in feed.downs.iter().filter_map(|key| self.downs.get(*key)) {
            demand = (demand.0.max(down.wanted(state)), demand.1 | down.needed());
        }
        if demand != feed.demand {
            feed.demand = demand;
            let (home, from) = (feed.home, self.id);
            self.send(home, Message::Demand { track: track.clone(), from, wanted: demand.0, relay: demand.1 });
        }
    }

    /// One request for each layer that somebody waits for.
    fn ask_keyframes(&mut self, track: &TrackId) {
        let Some(feed) = self.feeds.get(track) else { return };
        if feed.kind() != Some(Kind::Video) {
            return;
        }
        let home = feed.home;
        let waiting = feed.downs.iter().filter_map(|key| self.downs.get(*key)).filter(|down| down.is_flowing());
        let layers = waiting.fold(0u8, |mask, down| mask | down.selector.waiting_for());
        for layer in (0..3).filter(|layer| layers & (1 << layer) != 0) {
            self.send(home, Message::KeyframeWanted { track: track.clone(), layer });
        }
    }

    pub(crate) fn tick_feeds(&mut self) {
        let tracks: Vec<TrackId> = self.feeds.keys().cloned().collect();
        for track in &tracks {
            self.ask_keyframes(track);
        }
        let waiting = self.peers.iter().filter(|(_, peer)| peer.asked_at.is_some()).map(|(key, _)| key);
        self.to_ask.extend(waiting);
    }
}
