//! All published tracks of a shard: matching to sections, receiving, relaying.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;

use super::layers::KeyframeRequest;
use super::published_track::{PublishedSection, PublishedTrack};
use super::speakers::Speakers;
use crate::event::Event;
use crate::fault::{self, Fault};
use crate::ids::{PeerId, PeerKey, ShardId, TrackId, TrackKey};
use crate::media::{Kind, LAYERS, LayerMask, Quality, TrackSpec, qualities};
use crate::message::{Message, TrackPacket};
use crate::outbox::Outbox;
use crate::peers::{Allowed, Peer, Peers};
use crate::transport::{Packet, ReceivedPacket};

/// Bitrates of layers are measured over this time.
const MEASURED_TIME: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Publications {
    tracks: Slab<PublishedTrack>,
    by_id: HashMap<TrackId, TrackKey>,
    speakers: Speakers,
    last_measured: Option<Instant>,
}

impl Publications {
    // ── announcing and matching ──

    pub fn expect(&mut self, id: &PeerId, track: TrackId, spec: TrackSpec, peers: &mut Peers) {
        let Some(key) = peers.key_of(id) else { return };
        if self.by_id.contains_key(&track) {
            return;
        }
        let published = self.tracks.insert(PublishedTrack::new(key, track.clone(), spec));
        self.by_id.insert(track, published);
        if let Some(peer) = peers.get_mut(key) {
            peer.add_published(published);
        }
        self.match_sections(key, peers);
    }

    /// A track as its publisher announced it.
    pub fn spec(&self, key: TrackKey) -> Option<&TrackSpec> {
        self.tracks.get(key).map(PublishedTrack::spec)
    }

    /// The layers that are received of each video that a peer publishes.
    pub fn videos_of(&self, peer: &Peer) -> Vec<(TrackId, Vec<Quality>)> {
        let tracks = peer.published().iter().filter_map(|key| self.tracks.get(*key));
        let videos = tracks.filter(|track| track.kind() == Kind::Video);
        videos.map(|track| (track.id().clone(), qualities(track.state().live).collect())).collect()
    }

    /// Match sections to announced tracks: by the client's id first, then by kind in order.
    pub fn match_sections(&mut self, key: PeerKey, peers: &mut Peers) {
        let Some(peer) = peers.get_mut(key) else { return };
        let published = peer.published().to_vec();
        for by_cid in [true, false] {
            for section in peer.sections_mut().unmatched() {
                let cid = by_cid.then_some(section.cid);
                let fits = |track: &&TrackKey| self.tracks.get(**track).is_some_and(|it| it.fits(section.kind, cid));
                let Some(found) = published.iter().find(fits).copied() else { continue };
                if let Some(track) = self.tracks.get_mut(found) {
                    let (mid, cid) = (section.mid.clone(), section.cid.to_owned());
                    track.bind(PublishedSection { mid, cid, simulcast: section.simulcast });
                }
                section.set(found);
            }
        }
    }

    /// The client's section no longer sends.
    pub fn end(&mut self, key: TrackKey, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(track) = self.tracks.get(key) else { return };
        let Some(peer) = peers.get(track.peer()) else { return };
        outbox.emit(Event::TrackEnded { peer: peer.id().clone(), track: track.id().clone() });
        self.remove(key, peers, outbox);
    }

    pub fn withdraw(&mut self, id: &PeerId, track: &TrackId, peers: &mut Peers, outbox: &mut Outbox) {
        if let Some(key) = self.owned(id, track, peers) {
            self.remove(key, peers, outbox);
        }
    }

    pub fn remove(&mut self, key: TrackKey, peers: &mut Peers, outbox: &mut Outbox) {
        let Some(track) = self.tracks.try_remove(key) else { return };
        self.by_id.remove(track.id());
        if let Some(peer) = peers.get_mut(track.peer()) {
            peer.remove_published(key);
        }
        for shard in track.followers() {
            outbox.send(shard, Message::Gone { track: track.id().clone() });
        }
    }

    pub fn set_muted(&mut self, id: &PeerId, track: &TrackId, is_muted: bool, peers: &Peers, outbox: &mut Outbox) {
        let Some(key) = self.owned(id, track, peers) else { return };
        if self.tracks.get_mut(key).is_some_and(|track| track.set_muted(is_muted)) {
            self.send_state(key, outbox);
        }
    }

    /// The key of a track, if this peer publishes it.
    fn owned(&self, id: &PeerId, track: &TrackId, peers: &Peers) -> Option<TrackKey> {
        let key = self.by_id.get(track).copied()?;
        let owner = peers.get(self.tracks.get(key)?.peer())?;
        (owner.id() == id).then_some(key)
    }

    // ── receiving ──

    /// Take a packet in and relay what it carries to other shards that need it; returns what this shard needs.
    pub fn receive(
        &mut self,
        now: Instant,
        publisher: PeerKey,
        received: ReceivedPacket,
        peers: &mut Peers,
        outbox: &mut Outbox,
    ) -> impl Iterator<Item = TrackPacket> + use<> {
        let ssrc = received.ssrc;
        let taken = self.take_in(now, publisher, received, peers, outbox);
        let carried = taken.and_then(|(key, packet)| Some((key, self.tracks.get_mut(key)?.forwarded(ssrc, packet))));
        let relayed = carried.map(|(key, packets)| packets.map(|packet| self.relay(now, key, packet?, outbox)));
        relayed.into_iter().flatten().flatten()
    }

    fn take_in(
        &mut self,
        now: Instant,
        publisher: PeerKey,
        received: ReceivedPacket,
        peers: &mut Peers,
        outbox: &mut Outbox,
    ) -> Option<(TrackKey, Packet)> {
        outbox.count().media_packets_in += 1;
        let Some((key, layer)) = peers.get_mut(publisher).and_then(|peer| peer.stream(received.ssrc)) else {
            outbox.count().drop_unmatched_media += 1;
            return None;
        };
        match peers.get_mut(publisher)?.allow_media(now, received.packet.received_bytes()) {
            Allowed::Yes => {}
            Allowed::No => {
                outbox.count().drop_flood += 1;
                return None;
            }
            Allowed::Ended => {
                peers.fail_offender(publisher, "more media than is forwarded");
                return None;
            }
        }
        let codec = received.codec;
        // a stream with several spatial layers is the only one of its section
        let spatial = received.packet.spatial.map_or(0, |part| part.layer);
        let layer = layer.max(spatial).min(LAYERS as u8 - 1);
        let track = self.tracks.get_mut(key)?;
        fault::point(Fault::Receiving(track.peer()));
        let change = track.on_packet(now, layer, codec, &received);
        if change.has_started
            && let Some(event) = started(track, peers)
        {
            outbox.emit(event);
        }
        if change.has_started || change.is_revived {
            self.send_state(key, outbox);
        }
        Some((key, Packet { layer, ..received.packet }))
    }

    /// Once to every shard that needs this layer; of one that has just begun to all, behind the state that tells them of
    /// it: it begins with a key frame, which they would have to ask for again.
    fn relay(&mut self, now: Instant, key: TrackKey, packet: Packet, outbox: &mut Outbox) -> Option<TrackPacket> {
        let track = self.tracks.get_mut(key)?;
        if track.is_muted() {
            outbox.count().drop_muted += 1;
            return None;
        }
        match packet.keyframe {
            true if track.is_svc() => track.layers_mut().on_svc_keyframe(now),
            true => track.layers_mut().on_keyframe(now, packet.layer),
            false => {}
        }
        let packet = Arc::new(packet);
        if track.layers_mut().is_news(now, packet.layer) {
            track.followers().for_each(|shard| send_packet(shard, track, &packet, outbox));
            return None;
        }
        let mut is_local = false;
        for shard in track.followers_of(packet.layer) {
            if shard == outbox.shard() {
                is_local = true;
            } else {
                send_packet(shard, track, &packet, outbox);
            }
        }
        is_local.then(|| (track.id().clone(), packet))
    }

    // ── followers ──

    pub fn on_attach(&mut self, track: &TrackId, from: ShardId, outbox: &mut Outbox) {
        let Some(published) = self.by_id.get(track).and_then(|key| self.tracks.get_mut(*key)) else {
            outbox.send(from, Message::Gone { track: track.clone() });
            return;
        };
        published.attach(from);
        let state = published.state();
        outbox.send(from, Message::State { track: track.clone(), state });
    }

    pub fn on_detach(&mut self, now: Instant, track: &TrackId, from: ShardId, peers: &Peers, outbox: &mut Outbox) {
        let Some(published) = self.by_id.get(track).and_then(|key| self.tracks.get_mut(*key)) else { return };
        published.detach(from);
        announce_quality(now, published, peers, outbox);
    }

    pub fn on_demand(
        &mut self,
        now: Instant,
        track: &TrackId,
        from: ShardId,
        (wanted, relay): (Option<Quality>, LayerMask),
        peers: &Peers,
        outbox: &mut Outbox,
    ) {
        let Some(published) = self.by_id.get(track).and_then(|key| self.tracks.get_mut(*key)) else { return };
        published.demand(from, wanted, relay);
        announce_quality(now, published, peers, outbox);
    }

    fn send_state(&self, key: TrackKey, outbox: &mut Outbox) {
        let Some(track) = self.tracks.get(key) else { return };
        let state = track.state();
        for shard in track.followers() {
            outbox.send(shard, Message::State { track: track.id().clone(), state: state.clone() });
        }
    }

    // ── key frames ──

    pub fn on_keyframe_wanted(
        &mut self,
        now: Instant,
        track: &TrackId,
        layer: u8,
        peers: &mut Peers,
        outbox: &mut Outbox,
    ) {
        let Some(published) = self.by_id.get(track).and_then(|key| self.tracks.get_mut(*key)) else { return };
        if published.layers_mut().want_keyframe(now, layer) {
            request_keyframe(now, published, layer, peers, outbox);
        }
    }

    // ── time ──

    pub fn tick(&mut self, now: Instant, peers: &mut Peers, outbox: &mut Outbox) {
        let elapsed = self.last_measured.map(|last| now.saturating_duration_since(last));
        let measured = elapsed.filter(|elapsed| *elapsed >= MEASURED_TIME);
        if measured.is_some() || elapsed.is_none() {
            self.last_measured = Some(now);
        }
        let keys: Vec<TrackKey> = self.tracks.iter().map(|(key, _)| key).collect();
        for key in keys {
            let Some(track) = self.tracks.get_mut(key) else { continue };
            peers.work_for(Some(track.peer()));
            fault::point(Fault::Ticking(track.peer()));
            let is_news = measured.is_some_and(|elapsed| track.measure(now, elapsed));
            if track.layers_mut().check(now) || is_news {
                self.send_state(key, outbox);
            }
            let Some(track) = self.tracks.get_mut(key) else { continue };
            announce_quality(now, track, peers, outbox);
            for layer in track.layers_mut().keyframes_wanted() {
                request_keyframe(now, track, layer, peers, outbox);
            }
        }
        self.report_speakers(now, peers, outbox);
    }

    fn report_speakers(&mut self, now: Instant, peers: &Peers, outbox: &mut Outbox) {
        if !self.speakers.is_due(now) {
            return;
        }
        let mut levels: BTreeMap<PeerId, f64> = BTreeMap::new();
        for (_, track) in self.tracks.iter_mut().filter(|(_, track)| track.kind() == Kind::Audio) {
            let level = track.speech_level(now);
            if let Some(peer) = peers.get(track.peer()).filter(|_| level > 0.0) {
                let loudest = levels.entry(peer.id().clone()).or_default();
                *loudest = loudest.max(level);
            }
        }
        for (_, track) in self.tracks.iter_mut().filter(|(_, track)| track.kind() == Kind::Video) {
            if peers.get(track.peer()).is_some_and(|peer| levels.contains_key(peer.id())) {
                track.on_speech(now);
            }
        }
        let changes = self.speakers.update(&levels);
        if !changes.is_empty() {
            outbox.emit(Event::SpeakersChanged { levels: changes });
        }
    }
}

/// None for a codec that is not forwarded.
fn started(track: &PublishedTrack, peers: &Peers) -> Option<Event> {
    let (peer, section) = (peers.get(track.peer())?, track.section()?);
    Some(Event::TrackStarted {
        peer: peer.id().clone(),
        track: track.id().clone(),
        cid: section.cid.clone(),
        mid: section.mid.to_string(),
        mime_type: track.mime_type()?,
        simulcast: section.simulcast,
    })
}

fn announce_quality(now: Instant, track: &mut PublishedTrack, peers: &Peers, outbox: &mut Outbox) {
    // before its first packet the track itself is not announced
    if track.kind() != Kind::Video || track.codec().is_none() {
        return;
    }
    let (Some(quality), Some(peer)) = (track.quality_to_announce(now), peers.get(track.peer())) else { return };
    outbox.emit(Event::QualityWanted { peer: peer.id().clone(), track: track.id().clone(), quality });
}

/// By a message, which comes after those sent before it.
fn send_packet(shard: ShardId, track: &PublishedTrack, packet: &Arc<Packet>, outbox: &mut Outbox) {
    outbox.count().media_packets_relayed += u64::from(shard != outbox.shard());
    outbox.send(shard, Message::Packet { track: track.id().clone(), packet: packet.clone() });
}

fn request_keyframe(now: Instant, track: &mut PublishedTrack, layer: u8, peers: &mut Peers, outbox: &mut Outbox) {
    match track.layers_mut().request_keyframe(now, layer) {
        KeyframeRequest::Send(ssrc) => {
            outbox.count().keyframes_asked += 1;
            peers.step(track.peer(), outbox, |transport, drained| {
                transport.request_keyframe(ssrc, drained);
                Ok(())
            });
        }
        KeyframeRequest::Throttled => outbox.count().keyframes_throttled += 1,
        KeyframeRequest::NoStream => {}
    }
}
