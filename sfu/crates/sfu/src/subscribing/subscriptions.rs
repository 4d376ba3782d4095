//! Subscriptions of this shard's peers, and the fan-out of packets to them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use slab::Slab;

use super::feeds::Feeds;
use super::run::{Run, goes_on};
use super::subscription::Subscription;
use crate::allocation::Video;
use crate::event::{Event, SubscriptionError};
use crate::fault::{self, Fault};
use crate::ids::{Mid, PeerId, PeerKey, Ssrc, SubscriptionKey, TrackId};
use crate::media::{Kind, LAYERS, Quality, Source, SubscriptionSettings, layer_bit, qualities};
use crate::message::{Message, TrackPacket, TrackState};
use crate::outbox::Outbox;
use crate::peers::{Peer, Peers};

/// What one audio track takes that is heard.
const AUDIO_BPS: u64 = 40_000;

#[derive(Default)]
pub(crate) struct Subscriptions {
    subscriptions: Slab<Subscription>,
    feeds: Feeds,
    /// What came and was not forwarded yet.
    received: Vec<TrackPacket>,
}

/// What a peer's subscriptions take now, and what its videos could take.
pub(crate) struct Usage {
    pub videos: Vec<(SubscriptionKey, Video)>,
    pub video_bps: u64,
    pub audio_bps: u64,
    /// Every video is at the quality that is asked for.
    pub is_satisfied: bool,
}

impl Subscriptions {
    // ── commands ──

    pub fn subscribe(&mut self, id: &PeerId, source: Source, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(key) = peers.key_of(id) else { return };
        let Some(peer) = peers.get_mut(key) else { return };
        let (track, home) = (source.track.clone(), source.shard);
        if peer.subscription(&track).is_some() {
            return;
        }
        let settings = peer.take_settings(&track);
        let subscription = self.subscriptions.insert(Subscription::new(key, source, settings));
        peer.add_subscription(track.clone(), subscription);
        if self.feeds.add_subscriber(track.clone(), home, subscription) {
            let from = outbox.shard();
            outbox.send(home, Message::Attach { track, from });
        } else {
            peers.check_sections(key);
        }
    }

    pub fn unsubscribe(&mut self, id: &PeerId, track: &TrackId, peers: &mut Peers, outbox: &mut Outbox) {
        let subscription = peers.key_of(id).and_then(|key| peers.get(key)?.subscription(track));
        if let Some(subscription) = subscription {
            self.remove(subscription, peers, outbox);
        }
    }

    pub fn configure(
        &mut self,
        id: &PeerId,
        track: TrackId,
        settings: SubscriptionSettings,
        peers: &mut Peers,
        outbox: &mut Outbox,
    ) {
        let Some(peer) = peers.key_of(id).and_then(|key| peers.get_mut(key)) else { return };
        match peer.subscription(&track).and_then(|key| self.subscriptions.get_mut(key)) {
            Some(subscription) => {
                subscription.configure(settings);
                self.refresh(&track, peers, outbox);
            }
            None => peer.keep_settings(track, settings),
        }
    }

    /// End a subscription; its section becomes free.
    pub fn remove(&mut self, key: SubscriptionKey, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(subscription) = self.subscriptions.try_remove(key) else { return };
        let Source { track, shard, .. } = subscription.source();
        if let Some(peer) = peers.get_mut(subscription.peer()) {
            peer.remove_subscription(track, key);
            peers.check_sections(subscription.peer());
        }
        if self.feeds.remove_subscriber(track, key) {
            let from = outbox.shard();
            outbox.send(*shard, Message::Detach { track: track.clone(), from });
        } else {
            self.refresh(track, peers, outbox);
        }
    }

    // ── forwarding ──

    /// Packets of tracks came.
    pub fn receive(&mut self, packets: impl IntoIterator<Item = TrackPacket>) {
        self.received.extend(packets);
    }

    /// What came goes to every peer here that receives its layer. Packets of a frame go together to one peer after the
    /// other, because the state of each has to come from memory.
    pub fn forward(&mut self, peers: &mut Peers, outbox: &mut Outbox) {
        let mut received = std::mem::take(&mut self.received);
        for packets in received.chunk_by(goes_on) {
            self.forward_run(packets, peers, outbox);
        }
        // the memory is used again
        received.clear();
        self.received = received;
    }

    fn forward_run(&mut self, packets: &[TrackPacket], peers: &mut Peers, outbox: &mut Outbox) {
        let Some((track, _)) = packets.first() else { return };
        let Some(feed) = self.feeds.get_mut(track) else { return };
        let Some(state) = feed.state() else { return };
        let mut run = Run::new(packets, state.kind, state.is_svc);
        let mut rest = feed.subscribers().iter();
        loop {
            let forward_to_rest = || {
                for key in rest.by_ref() {
                    let Some(subscription) = self.subscriptions.get_mut(*key) else { continue };
                    let Some(mut egress) = peers.egress(subscription.peer()) else { continue };
                    fault::point(Fault::Rewriting(subscription.peer()));
                    run.forward(subscription, &mut egress, &feed.awaited);
                }
            };
            // a defect in one subscriber's numbers must not cost the others the packets
            if catch_unwind(AssertUnwindSafe(forward_to_rest)).is_ok() {
                break;
            }
            peers.fail_at_work();
        }
        run.awaited().for_each(|packet| feed.awaited.keep(packet));
        outbox.count().media_packets_forwarded += run.sent as u64;
        if let Some(at) = run.send_at() {
            peers.send_by(at);
        }
        if run.has_switched {
            self.update_demand(track, outbox);
        }
    }

    // ── messages from the publisher's shard ──

    pub fn on_state(&mut self, track: &TrackId, state: TrackState, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(feed) = self.feeds.get_mut(track) else { return };
        let change = feed.set_state(state);
        for key in feed.subscribers() {
            let Some(subscription) = self.subscriptions.get_mut(*key) else { continue };
            if change.is_unmuted {
                subscription.restart();
            }
            if change.is_first {
                peers.check_sections(subscription.peer());
            }
        }
        self.refresh(track, peers, outbox);
    }

    /// The publisher's shard does not have the track.
    pub fn on_gone(&mut self, track: &TrackId, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(feed) = self.feeds.remove(track) else { return };
        for key in feed.subscribers() {
            let Some(subscription) = self.subscriptions.get(*key) else { continue };
            // a track that has existed ended, which signalling reports; one that never did is an error
            if let (None, Some(peer)) = (feed.state(), peers.get(subscription.peer())) {
                outbox.emit(failed(peer, track, SubscriptionError::TrackNotFound));
            }
            self.remove(*key, peers, outbox);
        }
    }

    // ── state ──

    /// Something about the track, its subscribers or their settings changed: start subscriptions that can start, choose
    /// layers again, and report the demand to the publisher's shard.
    pub fn refresh(&mut self, track: &TrackId, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(feed) = self.feeds.get(track) else { return };
        let Some(state) = feed.state().cloned() else { return };
        for key in feed.subscribers().to_vec() {
            self.start(key, &state, peers, outbox);
            if let Some(subscription) = self.subscriptions.get_mut(key) {
                subscription.aim(&state);
            }
        }
        self.update_demand(track, outbox);
        self.request_keyframes(track, peers, outbox);
    }

    /// Once section and codec are known, media may flow.
    fn start(&mut self, key: SubscriptionKey, state: &TrackState, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let Some(ssrc) = subscription.ssrc().filter(|_| !subscription.has_started()) else { return };
        let (Some(codec), Some(peer)) = (state.codec, peers.get(subscription.peer())) else { return };
        match peer.payload_types_of(codec, ssrc) {
            Some(payload_types) => subscription.start(codec, payload_types),
            None => {
                outbox.emit(failed(peer, &subscription.source().track, SubscriptionError::CodecUnsupported));
                self.remove(key, peers, outbox);
            }
        }
    }

    fn update_demand(&mut self, track: &TrackId, outbox: &mut Outbox) {
        let Some(feed) = self.feeds.get_mut(track) else { return };
        let Some(state) = feed.state() else { return };
        let (mut wanted, mut relay, mut awaited) = (None, 0, 0);
        for subscription in feed.subscribers().iter().filter_map(|key| self.subscriptions.get(*key)) {
            wanted = wanted.max(subscription.wanted(state));
            relay |= subscription.needed();
            awaited |= subscription.waiting_for();
        }
        if awaited == 0 {
            feed.awaited.clear();
        }
        if feed.set_demand((wanted, relay)) {
            let from = outbox.shard();
            outbox.send(feed.home(), Message::Demand { track: track.clone(), from, wanted, relay });
        }
    }

    // ── key frames ──

    /// One request for each layer that a subscriber waits for. Not before it is connected: that key frame would be lost,
    /// and the next one is not due soon.
    fn request_keyframes(&self, track: &TrackId, peers: &Peers, outbox: &mut Outbox) {
        let Some(feed) = self.feeds.get(track).filter(|feed| feed.kind() == Some(Kind::Video)) else { return };
        let subscriptions = feed.subscribers().iter().filter_map(|key| self.subscriptions.get(*key));
        let connected = subscriptions.filter(|subscription| peers.is_connected(subscription.peer()));
        let layers = connected.fold(0, |mask, subscription| mask | subscription.waiting_for());
        for layer in (0..LAYERS as u8).filter(|layer| layers & layer_bit(*layer) != 0) {
            outbox.send(feed.home(), Message::KeyframeWanted { track: track.clone(), layer });
        }
    }

    /// A subscriber's decoder has lost the picture.
    pub fn on_keyframe_request(&self, peer: PeerKey, mid: &Mid, peers: &mut Peers, outbox: &mut Outbox) {
        outbox.count().keyframe_requests_in += 1;
        let key = peers.get_mut(peer).and_then(|peer| peer.sections_mut().subscription_of(mid));
        let Some(subscription) = key.and_then(|key| self.subscriptions.get(key)) else { return };
        if let Some(layer) = subscription.keyframe_layer() {
            let Source { track, shard, .. } = subscription.source();
            outbox.send(*shard, Message::KeyframeWanted { track: track.clone(), layer });
        }
    }

    /// A subscriber was away for some seconds: without a key frame it can show nothing of what it is sent, and it would ask
    /// for one only after it has found out.
    pub fn on_return(&mut self, peer: PeerKey, peers: &Peers, outbox: &mut Outbox) {
        let Some(subscribed) = peers.get(peer).map(Peer::subscriptions) else { return };
        for (track, key) in subscribed.map(|(track, key)| (track.clone(), key)).collect::<Vec<_>>() {
            if self.feeds.get(&track).and_then(|feed| feed.kind()) != Some(Kind::Video) {
                continue;
            }
            self.subscriptions.get_mut(key).into_iter().for_each(Subscription::restart);
            self.request_keyframes(&track, peers, outbox);
        }
    }

    // ── time ──

    /// Ask again for key frames that have not come.
    pub fn tick(&self, peers: &Peers, outbox: &mut Outbox) {
        for track in self.feeds.tracks() {
            self.request_keyframes(&track, peers, outbox);
        }
    }

    // ── sections ──

    pub fn source(&self, key: SubscriptionKey) -> Option<&Source> {
        self.subscriptions.get(key).map(Subscription::source)
    }

    /// A peer's subscriptions that have no section and whose kind is known, oldest first.
    pub fn unbound(&self, peer: &Peer) -> Vec<(SubscriptionKey, Kind)> {
        let mut unbound = Vec::new();
        for (track, key) in peer.subscriptions() {
            let is_unbound = self.subscriptions.get(key).is_some_and(|subscription| !subscription.is_bound());
            let kind = self.feeds.get(track).and_then(|feed| feed.kind());
            unbound.extend(kind.filter(|_| is_unbound).map(|kind| (key, kind)));
        }
        unbound.sort_unstable_by_key(|(key, _)| *key);
        unbound
    }

    pub fn is_bound(&self, key: SubscriptionKey) -> bool {
        self.subscriptions.get(key).is_some_and(Subscription::is_bound)
    }

    /// The client knows the section of a subscription: media may flow as soon as the codec is known.
    pub fn bind(&mut self, key: SubscriptionKey, ssrc: Ssrc, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        subscription.bind(ssrc);
        let Some(peer) = peers.get(subscription.peer()) else { return };
        let track = subscription.source().track.clone();
        outbox.emit(Event::SubscriptionStarted { peer: peer.id().clone(), track: track.clone() });
        self.refresh(&track, peers, outbox);
    }

    /// The section of a subscription is gone.
    pub fn unbind(&mut self, key: SubscriptionKey) {
        if let Some(subscription) = self.subscriptions.get_mut(key) {
            subscription.unbind();
        }
    }

    // ── bandwidth ──

    pub fn usage(&self, peer: &Peer) -> Usage {
        let mut usage = Usage { videos: Vec::new(), video_bps: 0, audio_bps: 0, is_satisfied: true };
        for (track, key) in peer.subscriptions() {
            let Some(subscription) = self.subscriptions.get(key) else { continue };
            let Some(state) = self.feeds.get(track).and_then(|feed| feed.state()) else { continue };
            let Some(wanted) = subscription.wanted(state) else { continue };
            if state.kind == Kind::Audio {
                usage.audio_bps += if state.is_heard { AUDIO_BPS } else { 0 };
                continue;
            }
            let bitrate_bps = |layer: u8| state.bitrate_bps(layer, subscription.temporal_layer());
            let live = qualities(state.live).filter(|quality| *quality <= wanted);
            let ladder: Vec<_> = live.map(|quality| (quality, bitrate_bps(quality as u8))).collect();
            usage.video_bps += subscription.layer().map_or(0, bitrate_bps);
            usage.is_satisfied &= subscription.layer() == ladder.last().map(|(quality, _)| *quality as u8);
            usage.videos.push((key, Video { rank: subscription.rank(state), ladder }));
        }
        usage
    }

    /// Of each video that a peer wants: the quality that it is sent, and the best that there is.
    pub fn videos_of(&self, peer: &Peer) -> Vec<(TrackId, Option<Quality>, Option<Quality>)> {
        let mut videos = Vec::new();
        for (track, key) in peer.subscriptions() {
            let state = self.feeds.get(track).and_then(|feed| feed.state());
            let (Some(subscription), Some(state)) = (self.subscriptions.get(key), state) else { continue };
            if state.kind == Kind::Video && subscription.wanted(state).is_some() {
                let sent = subscription.layer().and_then(|layer| Quality::ALL.get(usize::from(layer)).copied());
                videos.push((track.clone(), sent, qualities(state.live).next_back()));
            }
        }
        videos
    }

    /// Apply the allocator's limit to a video.
    pub fn limit(
        &mut self,
        key: SubscriptionKey,
        cap: Option<Quality>,
        is_paused: bool,
        peers: &mut Peers,
        outbox: &mut Outbox,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let Some(is_news) = subscription.limit(cap, is_paused) else { return };
        let track = subscription.source().track.clone();
        if let Some(peer) = peers.get(subscription.peer()).filter(|_| is_news) {
            let (peer, track) = (peer.id().clone(), track.clone());
            outbox.emit(Event::StreamPaused { peer, track, paused: is_paused });
        }
        self.refresh(&track, peers, outbox);
    }

    /// Send nothing of a layer above the one that is aimed at.
    pub fn stop_above(&mut self, key: SubscriptionKey, peers: &mut Peers) {
        let Some(subscription) = self.subscriptions.get_mut(key).filter(|it| it.is_above()) else { return };
        subscription.restart();
        if let (Some(ssrc), Some(peer)) = (subscription.ssrc(), peers.get_mut(subscription.peer())) {
            peer.forget_sent(ssrc);
        }
    }
}

fn failed(peer: &Peer, track: &TrackId, reason: SubscriptionError) -> Event {
    Event::SubscriptionFailed { peer: peer.id().clone(), track: track.clone(), reason }
}
