//! Subscriptions of this shard's peers.

use str0m::format::PayloadParams;
use str0m::media::Pt;

use crate::command::{Source, Wish};
use crate::down_track::DownTrack;
use crate::event::{Event, SubscriptionError};
use crate::forwarding::Feed;
use crate::ids::{DownKey, PeerId, TrackId};
use crate::message::{Message, TrackState};
use crate::shard::Shard;

impl Shard {
    pub(crate) fn subscribe(&mut self, id: &PeerId, source: Source) {
        let Some(key) = self.peer_key(id) else { return };
        let track = source.track.clone();
        if self.peers.get(key).is_none_or(|peer| peer.downs.contains_key(&track)) {
            return;
        }
        let wish = self.wish_for(key, &track);
        let home = source.shard;
        let down = self.downs.insert(DownTrack::new(key, source, wish));
        if let Some(peer) = self.peers.get_mut(key) {
            peer.downs.insert(track.clone(), down);
        }
        let is_new = !self.feeds.contains_key(&track);
        let feed = self.feeds.entry(track.clone()).or_insert_with(|| Feed::new(home));
        feed.downs.push(down);
        if is_new {
            let from = self.id;
            self.send(home, Message::Attach { track, from });
        } else {
            self.to_ask.push(key);
        }
    }

    pub(crate) fn unsubscribe(&mut self, id: &PeerId, track: &TrackId) {
        let down = self.peer_key(id).and_then(|key| self.peers.get(key)?.downs.get(track).copied());
        if let Some(down) = down {
            self.remove_down(down);
        }
    }

    pub(crate) fn configure(&mut self, id: &PeerId, track: TrackId, wish: Wish) {
        let Some(peer) = self.peer_key(id).and_then(|key| self.peers.get_mut(key)) else { return };
        match peer.downs.get(&track).and_then(|down| self.downs.get_mut(*down)) {
            Some(down) => {
                down.wish = wish;
                self.refresh_feed(&track);
            }
            None => peer.remember_wish(track, wish),
        }
    }

    /// End a subscription; its section becomes free.
    pub(crate) fn remove_down(&mut self, key: DownKey) {
        let Some(down) = self.downs.try_remove(key) else { return };
        let track = down.source.track;
        if let Some(peer) = self.peers.get_mut(down.peer) {
            peer.downs.remove(&track);
            peer.release_down(key);
            self.to_ask.push(down.peer);
        }
        let Some(feed) = self.feeds.get_mut(&track) else { return };
        feed.downs.retain(|other| *other != key);
        if feed.downs.is_empty() {
            self.feeds.remove(&track);
            let from = self.id;
            self.send(down.source.shard, Message::Detach { track, from });
        } else {
            self.refresh_feed(&track);
        }
    }

    /// The publisher's shard no longer has the track.
    pub(crate) fn on_gone(&mut self, track: &TrackId) {
        let Some(feed) = self.feeds.remove(track) else { return };
        for key in feed.downs {
            let Some(down) = self.downs.get(key) else { continue };
            // a track that was never seen here is news to the subscriber; an ended one is told by signalling
            if let (None, Some(peer)) = (&feed.state, self.peers.get(down.peer)) {
                let reason = SubscriptionError::TrackNotFound;
                self.out.events.push(Event::SubscriptionFailed { peer: peer.id.clone(), track: track.clone(), reason });
            }
            self.remove_down(key);
        }
    }

    /// Once section and codec are known, media may flow.
    pub(crate) fn start_down(&mut self, key: DownKey, state: &TrackState) {
        let Some(down) = self.downs.get_mut(key).filter(|down| !down.is_flowing()) else { return };
        let (Some(ssrc), Some(codec)) = (down.binding, state.codec) else { return };
        let Some(peer) = self.peers.get(down.peer) else { return };
        // numbers are the publisher's and mean nothing here
        let wanted = PayloadParams::new(Pt::new_with_value(0), None, codec);
        match peer.transport.rtc().codec_config().match_params(wanted) {
            Some(params) => down.start(ssrc, params.pt(), codec.clock_rate.get()),
            None => {
                let (peer, track) = (peer.id.clone(), down.source.track.clone());
                let reason = SubscriptionError::CodecUnsupported;
                self.out.events.push(Event::SubscriptionFailed { peer, track, reason });
                self.remove_down(key);
            }
        }
    }
}
