//! Tracks that peers of this shard publish: matching, receiving, who needs them, key frames, loudness.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::format::{Codec, CodecSpec, detect_h264_keyframe};
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::rtp::{RtpPacket, Vp8Descriptor};

use crate::command::{Kind, Quality};
use crate::event::Event;
use crate::ids::{PeerId, PeerKey, ShardId, TrackId, UpKey};
use crate::message::{LayerMask, Message, Packet};
use crate::peer::{Matching, Role};
use crate::shard::Shard;
use crate::speaker;
use crate::up_track::{Follower, UpSection, UpTrack, layer_of_rid, mime_type};

/// Bitrates of layers are measured over this.
const MEASURE: Duration = Duration::from_secs(1);

impl Shard {
    // ── announcing and matching ──

    pub(crate) fn expect_track(&mut self, id: &PeerId, mut up: UpTrack) {
        let Some(key) = self.peer_key(id) else { return };
        if self.up_names.contains_key(&up.id) {
            return;
        }
        up.peer = key;
        let track = up.id.clone();
        let up_key = self.ups.insert(up);
        self.up_names.insert(track.clone(), up_key);
        if let Some(peer) = self.peers.get_mut(key) {
            peer.ups.push(up_key);
        }
        self.match_published(key);
    }

    /// Sections and announced tracks find each other: by the client's id first, then by kind in order.
    pub(crate) fn match_published(&mut self, key: PeerKey) {
        for by_cid in [true, false] {
            let Some(peer) = self.peers.get_mut(key) else { return };
            for section in &mut peer.sections {
                let Role::Publishing { cid, simulcast, track: matching @ Matching::Waiting } = &mut section.role else {
                    continue;
                };
                let fits = |up_key: &&UpKey| {
                    self.ups.get(**up_key).is_some_and(|track| {
                        let right = !by_cid || track.cids.contains(cid);
                        track.section.is_none() && track.kind == section.kind && right
                    })
                };
                let Some(found) = peer.ups.iter().find(fits).copied() else { continue };
                *matching = Matching::Matched(found);
                if let Some(track) = self.ups.get_mut(found) {
                    track.section = Some(UpSection { mid: section.mid, cid: cid.clone(), simulcast: *simulcast });
                }
            }
        }
    }

    /// The client's section no longer sends.
    pub(crate) fn end_up(&mut self, up: UpKey) {
        let Some(track) = self.ups.get(up) else { return };
        let Some(peer) = self.peers.get(track.peer) else { return };
        self.out.events.push(Event::TrackEnded { peer: peer.id.clone(), track: track.id.clone() });
        self.remove_up(up);
    }

    pub(crate) fn withdraw_track(&mut self, id: &PeerId, track: &TrackId) {
        let Some(up) = self.up_names.get(track).copied() else { return };
        let owner = self.ups.get(up).and_then(|up| self.peers.get(up.peer));
        if owner.is_some_and(|peer| peer.id == *id) {
            self.remove_up(up);
        }
    }

    pub(crate) fn remove_up(&mut self, up: UpKey) {
        let Some(track) = self.ups.try_remove(up) else { return };
        self.up_names.remove(&track.id);
        if let Some(peer) = self.peers.get_mut(track.peer) {
            peer.ups.retain(|other| *other != up);
            peer.forget_streams(up);
            for section in &mut peer.sections {
                if let Role::Publishing { track: matching, .. } = &mut section.role
                    && *matching == Matching::Matched(up)
                {
                    *matching = Matching::Withdrawn;
                }
            }
        }
        for follower in track.followers {
            self.send(follower.shard, Message::Gone { track: track.id.clone() });
        }
    }

    pub(crate) fn set_track_muted(&mut self, id: &PeerId, track: &TrackId, muted: bool) {
        let Some(up) = self.up_names.get(track).copied() else { return };
        let Some(state) = self.ups.get_mut(up) else { return };
        let owned = self.peers.get(state.peer).is_some_and(|peer| peer.id == *id);
        if !owned || state.muted == muted {
            return;
        }
        state.muted = muted;
        self.tell_state(up);
    }

    // ── receiving ──

    pub(crate) fn on_rtp(&mut self, now: Instant, key: PeerKey, packet: RtpPacket) {
        self.counters.media_packets_in += 1;
        let Some((up, layer)) = self.place_of(key, &packet) else {
            self.counters.drop_unmatched_media += 1;
            return;
        };
        let Some(codec) = self.codec_of(key, packet.header.payload_type) else { return };
        let Some(track) = self.ups.get_mut(up) else { return };
        let revived = track.saw_packet(layer, now, packet.payload.len());
        if let (Kind::Audio, Some(level), false) = (track.kind, packet.header.ext_vals.audio_level, track.muted) {
            track.loudness.observe(level);
        }
        let is_new = track.codec.is_none();
        track.codec = Some(codec);
        if let Some(state) = track.layers.get_mut(usize::from(layer)) {
            state.ssrc = Some(packet.header.ssrc);
        }
        if is_new {
            self.announce(up, codec.codec);
        }
        if is_new || revived {
            self.tell_state(up);
        }
        self.relay(up, read_packet(now, layer, codec.codec, packet));
    }

    /// Which track and layer a packet belongs to.
    fn place_of(&mut self, key: PeerKey, packet: &RtpPacket) -> Option<(UpKey, u8)> {
        let peer = self.peers.get_mut(key)?;
        let ssrc = packet.header.ssrc;
        if let Some(place) = peer.stream(ssrc) {
            return Some(place);
        }
        let (mid, rid) = peer.transport.stream_of(ssrc)?;
        let up = peer.up_of_section(mid)?;
        let layer = layer_of_rid(rid.as_deref());
        peer.remember_stream(ssrc, up, layer);
        Some((up, layer))
    }

    fn codec_of(&self, key: PeerKey, payload_type: Pt) -> Option<CodecSpec> {
        let config = self.peers.get(key)?.transport.rtc().codec_config();
        config.find(|params| params.pt() == payload_type).map(|params| params.spec())
    }

    fn announce(&mut self, up: UpKey, codec: Codec) {
        let Some(track) = self.ups.get(up) else { return };
        let (Some(peer), Some(section), Some(mime_type)) =
            (self.peers.get(track.peer), &track.section, mime_type(codec))
        else {
            return;
        };
        self.out.events.push(Event::TrackStarted {
            peer: peer.id.clone(),
            track: track.id.clone(),
            cid: section.cid.clone(),
            mid: section.mid.to_string(),
            mime_type,
            simulcast: section.simulcast,
        });
    }

    /// To every shard that needs this layer, once.
    fn relay(&mut self, up: UpKey, packet: Packet) {
        let Some(track) = self.ups.get_mut(up) else { return };
        if track.muted {
            self.counters.drop_muted += 1;
            return;
        }
        if packet.keyframe
            && let Some(layer) = track.layers.get_mut(usize::from(packet.layer))
        {
            layer.keyframe_wanted = false;
        }
        let me = self.id;
        let id = track.id.clone();
        let (mut here, packet) = (false, Arc::new(packet));
        for shard in track.followers_of(packet.layer) {
            if shard == me {
                here = true;
            } else {
                self.counters.media_packets_relayed += 1;
                self.out.messages.push((shard, Message::Packet { track: id.clone(), packet: packet.clone() }));
            }
        }
        if here {
            self.forward(&id, &packet);
        }
    }

    // ── followers ──

    pub(crate) fn on_attach(&mut self, track: &TrackId, from: ShardId) {
        let Some(up) = self.up_names.get(track).copied() else {
            self.send(from, Message::Gone { track: track.clone() });
            return;
        };
        let Some(up) = self.ups.get_mut(up) else { return };
        if !up.followers.iter().any(|follower| follower.shard == from) {
            up.followers.push(Follower { shard: from, wanted: None, relay: 0 });
        }
        let state = up.state();
        self.send(from, Message::State { track: track.clone(), state });
    }

    pub(crate) fn on_detach(&mut self, now: Instant, track: &TrackId, from: ShardId) {
        let Some(up) = self.up_names.get(track).copied() else { return };
        if let Some(state) = self.ups.get_mut(up) {
            state.followers.retain(|follower| follower.shard != from);
        }
        self.tell_quality(now, up);
    }

    pub(crate) fn on_demand(
        &mut self,
        now: Instant,
        track: &TrackId,
        from: ShardId,
        wanted: Option<Quality>,
        relay: LayerMask,
    ) {
        let Some(up) = self.up_names.get(track).copied() else { return };
        let Some(state) = self.ups.get_mut(up) else { return };
        for follower in state.followers.iter_mut().filter(|follower| follower.shard == from) {
            follower.wanted = wanted;
            follower.relay = relay;
        }
        self.tell_quality(now, up);
    }

    fn tell_quality(&mut self, now: Instant, up: UpKey) {
        let Some(track) = self.ups.get_mut(up) else { return };
        // nothing to announce before the track itself is
        if track.kind != Kind::Video || track.codec.is_none() {
            return;
        }
        let (Some(quality), Some(peer)) = (track.quality_to_announce(now), self.peers.get(track.peer)) else { return };
        self.out.events.push(Event::QualityWanted { peer: peer.id.clone(), track: track.id.clone(), quality });
    }

    fn tell_state(&mut self, up: UpKey) {
        let Some(track) = self.ups.get(up) else { return };
        let (id, state) = (track.id.clone(), track.state());
        let shards: Vec<ShardId> = track.followers.iter().map(|follower| follower.shard).collect();
        for shard in shards {
            self.send(shard, Message::State { track: id.clone(), state: state.clone() });
        }
    }

    // ── key frames ──

    pub(crate) fn want_keyframe(&mut self, now: Instant, track: &TrackId, layer: u8) {
        let Some(up) = self.up_names.get(track).copied() else { return };
        let Some(state) = self.ups.get_mut(up).and_then(|up| up.layers.get_mut(usize::from(layer))) else { return };
        state.keyframe_wanted = true;
        self.ask_keyframe(now, up, layer);
    }

    /// Ask the publisher, but not more often than its encoder can stand.
    fn ask_keyframe(&mut self, now: Instant, up: UpKey, layer: u8) {
        let Some(track) = self.ups.get_mut(up) else { return };
        let peer = track.peer;
        let Some(state) = track.layers.get_mut(usize::from(layer)) else { return };
        let interval = Duration::from_millis(if layer == 0 { 500 } else { 1000 });
        if state.keyframe_asked.is_some_and(|asked| now.saturating_duration_since(asked) < interval) {
            self.counters.keyframes_throttled += 1;
            return;
        }
        let Some(ssrc) = state.ssrc else { return };
        state.keyframe_asked = Some(now);
        self.counters.keyframes_asked += 1;
        self.step(now, peer, |peer, drained| {
            peer.transport.step(now, drained, |rtc| {
                if let Some(stream) = rtc.direct_api().stream_rx(&ssrc) {
                    stream.request_keyframe(KeyframeRequestKind::Pli);
                }
                rtc.handle_input(str0m::Input::Timeout(now))
            })
        });
    }

    // ── time ──

    pub(crate) fn tick_published(&mut self, now: Instant) {
        let elapsed = self.last_measured.map(|last| now.saturating_duration_since(last));
        let measure = elapsed.filter(|elapsed| *elapsed >= MEASURE);
        if measure.is_some() || elapsed.is_none() {
            self.last_measured = Some(now);
        }
        let keys: Vec<UpKey> = self.ups.iter().map(|(key, _)| key).collect();
        for up in keys {
            let Some(track) = self.ups.get_mut(up) else { continue };
            if let Some(elapsed) = measure {
                track.measure(elapsed);
            }
            if track.check_layers(now) || (measure.is_some() && track.kind == Kind::Video) {
                self.tell_state(up);
            }
            self.tell_quality(now, up);
            for layer in 0..3 {
                let wanted = self.ups.get(up).and_then(|up| up.layers.get(usize::from(layer)));
                if wanted.is_some_and(|layer| layer.keyframe_wanted) {
                    self.ask_keyframe(now, up, layer);
                }
            }
        }
        self.judge_speakers(now);
    }

    fn judge_speakers(&mut self, now: Instant) {
        let last = *self.last_judged.get_or_insert(now);
        if now.saturating_duration_since(last) < speaker::WINDOW {
            return;
        }
        self.last_judged = Some(now);
        let mut levels: BTreeMap<PeerId, f64> = BTreeMap::new();
        for (_, track) in self.ups.iter_mut().filter(|(_, track)| track.kind == Kind::Audio) {
            let level = track.loudness.judge();
            if let Some(peer) = self.peers.get(track.peer).filter(|_| level > 0.0 && !track.muted) {
                let loudest = levels.entry(peer.id.clone()).or_default();
                *loudest = loudest.max(level);
            }
        }
        let changes = self.speakers.update(&levels);
        if !changes.is_empty() {
            self.out.events.push(Event::SpeakersChanged { levels: changes });
        }
    }

    /// A subscriber's decoder has lost the picture.
    pub(crate) fn on_keyframe_request(&mut self, key: PeerKey, mid: Mid) {
        self.counters.keyframe_requests_in += 1;
        let Some(peer) = self.peers.get_mut(key) else { return };
        let Some(down) = peer.slots().find(|(of, _, _)| *of == mid).and_then(|(_, _, slot)| slot.down) else { return };
        let Some(down) = self.downs.get(down) else { return };
        if let Some(layer) = down.selector.current().or(down.selector.target()) {
            let (shard, track) = (down.source.shard, down.source.track.clone());
            self.send(shard, Message::KeyframeWanted { track, layer });
        }
    }
}

/// Everything that forwarding needs, read once.
fn read_packet(now: Instant, layer: u8, codec: Codec, packet: RtpPacket) -> Packet {
    let vp8 = if codec == Codec::Vp8 { Vp8Descriptor::parse(&packet.payload).ok() } else { None };
    let keyframe = match codec {
        Codec::Vp8 => vp8.is_some_and(|descriptor| descriptor.starts_keyframe(&packet.payload)),
        Codec::H264 => detect_h264_keyframe(&packet.payload),
        _ => true,
    };
    let extensions = &packet.header.ext_vals;
    Packet {
        layer,
        sequence: *packet.seq_no,
        timestamp: packet.header.timestamp,
        marker: packet.header.marker,
        keyframe,
        vp8,
        arrival: now,
        sender_clock_us: sender_clock_us(&packet),
        audio_level: extensions.audio_level,
        voice_activity: extensions.voice_activity,
        orientation: extensions.video_orientation,
        playout_delay: extensions.play_delay_min.zip(extensions.play_delay_max),
        payload: packet.payload,
    }
}

/// The publisher's wall clock when the packet's media was sampled (RFC 3550 6.4.1).
fn sender_clock_us(packet: &RtpPacket) -> Option<i64> {
    let report = packet.last_sender_info.as_ref()?;
    let since_epoch = report.ntp_time.duration_since(std::time::UNIX_EPOCH).ok()?;
    let ticks = i64::from(packet.header.timestamp.wrapping_sub(report.rtp_time.numer() as u32) as i32);
    let rate = i64::from(packet.time.denom()).max(1);
    i64::try_from(since_epoch.as_micros()).ok()?.checked_add(ticks * 1_000_000 / rate)
}
