//! One published track, in its publisher's shard.

use std::time::{Duration, Instant};

use super::history::History;
use super::layers::Layers;
use super::speakers::Loudness;
use crate::ids::{Mid, PeerKey, ShardId, Ssrc, TrackId};
use crate::media::{Kind, LAYERS, LayerMask, Quality, TemporalRates, TrackSpec, layer_bit};
use crate::message::TrackState;
use crate::transport::{CodecFormat, Packet, ReceivedPacket};

/// Sound that sends less only keeps its stream alive.
const SILENCE_BPS: u64 = 6_000;
/// Sound is taken for silent after this time: longer than the pauses of speech, so that limits stay as they are.
const SILENT_AFTER: Duration = Duration::from_secs(10);
/// Who spoke is the speaker for so long: longer than an answer takes, so that pictures do not change size with each.
const SPEAKER_FOR: Duration = Duration::from_secs(10);
/// A lower quality is announced after this time: subscribers come and go, and layers take a second to restart.
const LOWER_AFTER: Duration = Duration::from_secs(5);

pub(super) struct PublishedTrack {
    peer: PeerKey,
    id: TrackId,
    spec: TrackSpec,
    section: Option<PublishedSection>,
    codec: Option<CodecFormat>,
    /// Several spatial layers have come in one stream.
    is_svc: bool,
    /// Its first packet was redundant audio.
    is_redundant: bool,
    /// Of redundant sound.
    history: History,
    is_muted: bool,
    layers: Layers,
    loudness: Loudness,
    /// When sound was more than silence, None before it was measured.
    last_heard: Option<Instant>,
    /// What its followers know of that.
    is_heard: bool,
    /// Of pictures: when their publisher spoke last.
    spoke_at: Option<Instant>,
    is_speaker: bool,
    followers: Vec<Follower>,
    /// The quality announced to the publisher last.
    announced: Option<Option<Quality>>,
    lower_at: Option<Instant>,
}

/// The section that carries a track.
#[derive(Clone, Debug)]
pub(super) struct PublishedSection {
    pub mid: Mid,
    /// The client's id of the track.
    pub cid: String,
    pub simulcast: bool,
}

/// A shard that has subscribers, possibly the publisher's own one.
struct Follower {
    shard: ShardId,
    wanted: Option<Quality>,
    relay: LayerMask,
}

/// What a packet has changed.
pub(super) struct Change {
    /// It was the first packet: the codec is known.
    pub has_started: bool,
    /// Its layer was not live before.
    pub is_revived: bool,
}

impl PublishedTrack {
    pub fn new(peer: PeerKey, id: TrackId, spec: TrackSpec) -> Self {
        Self {
            peer,
            id,
            spec,
            section: None,
            codec: None,
            is_svc: false,
            is_redundant: false,
            history: History::default(),
            is_muted: false,
            layers: Layers::default(),
            loudness: Loudness::default(),
            last_heard: None,
            is_heard: true,
            spoke_at: None,
            is_speaker: false,
            followers: Vec::new(),
            announced: None,
            lower_at: None,
        }
    }

    pub fn peer(&self) -> PeerKey {
        self.peer
    }

    pub fn id(&self) -> &TrackId {
        &self.id
    }

    pub fn kind(&self) -> Kind {
        self.spec.kind
    }

    pub fn spec(&self) -> &TrackSpec {
        &self.spec
    }

    pub fn is_svc(&self) -> bool {
        self.is_svc
    }

    pub fn section(&self) -> Option<&PublishedSection> {
        self.section.as_ref()
    }

    /// Whether it may be what a section of this kind carries; `cid`: only if the client announced this id for it.
    pub fn fits(&self, kind: Kind, cid: Option<&str>) -> bool {
        let is_announced = cid.is_none_or(|cid| self.spec.cids.iter().any(|known| known == cid));
        self.section.is_none() && self.spec.kind == kind && is_announced
    }

    pub fn bind(&mut self, section: PublishedSection) {
        self.section = Some(section);
    }

    pub fn codec(&self) -> Option<CodecFormat> {
        self.codec
    }

    /// The codec as LiveKit writes it, None for one that is not forwarded.
    pub fn mime_type(&self) -> Option<&'static str> {
        if self.is_redundant { Some("audio/red") } else { self.codec?.mime_type() }
    }

    pub fn is_muted(&self) -> bool {
        self.is_muted
    }

    /// False if it is so already.
    pub fn set_muted(&mut self, is_muted: bool) -> bool {
        std::mem::replace(&mut self.is_muted, is_muted) != is_muted
    }

    pub fn layers_mut(&mut self) -> &mut Layers {
        &mut self.layers
    }

    pub fn state(&self) -> TrackState {
        let mut heights = [0; LAYERS];
        for layer in &self.spec.layers {
            if let Some(height) = heights.get_mut(layer.quality as usize) {
                *height = layer.height;
            }
        }
        let mut rates = self.layers.rates();
        if self.is_svc {
            let mut below = TemporalRates::default();
            for rate in &mut rates {
                for (rate, below) in rate.iter_mut().zip(&mut below) {
                    below.bps += rate.bps;
                    rate.bps = below.bps;
                }
            }
        }
        TrackState {
            is_svc: self.is_svc,
            kind: self.spec.kind,
            codec: self.codec,
            live: self.layers.live(),
            heights,
            rates,
            muted: self.is_muted,
            is_heard: self.is_heard,
            is_screen: self.spec.is_screen,
            is_speaker: self.is_speaker,
        }
    }

    /// Take note of a received packet.
    pub fn on_packet(&mut self, now: Instant, layer: u8, codec: CodecFormat, received: &ReceivedPacket) -> Change {
        let packet = &received.packet;
        self.is_svc |= packet.spatial.is_some_and(|part| part.layer > 0);
        let is_revived = self.layers.on_packet(now, layer, received);
        if let (Kind::Audio, Some(level), false) = (self.spec.kind, packet.extensions.audio_level, self.is_muted) {
            self.loudness.observe(now, level);
        }
        let has_started = self.codec.replace(codec).is_none();
        if has_started {
            self.is_redundant = packet.redundant.is_some();
        }
        Change { has_started, is_revived }
    }

    /// What of a packet is to be forwarded, in order: of redundant sound also the frame before, if that was lost.
    pub fn forwarded(&mut self, ssrc: Ssrc, packet: Packet) -> [Option<Packet>; 2] {
        if !self.is_redundant {
            return [None, Some(packet)];
        }
        let Some(is_before_missing) = self.history.on_packet(ssrc, packet.sequence) else { return [None, None] };
        let before = packet.before().filter(|_| is_before_missing);
        if let Some(before) = &before {
            self.history.mark(ssrc, before.sequence);
        }
        [before, Some(packet)]
    }

    /// Measure the bitrates over the time since the last call. True if the followers have to know the result: always of
    /// a video, of sound only whether it is heard.
    pub fn measure(&mut self, now: Instant, elapsed: Duration) -> bool {
        self.layers.measure(elapsed);
        if self.spec.kind == Kind::Video {
            self.is_speaker = self.spoke_at.is_some_and(|at| now.saturating_duration_since(at) < SPEAKER_FOR);
            return true;
        }
        if self.last_heard.is_none() || self.layers.rates().iter().flatten().any(|rate| rate.bps > SILENCE_BPS) {
            self.last_heard = Some(now);
        }
        let is_heard = self.last_heard.is_some_and(|at| now.saturating_duration_since(at) < SILENT_AFTER);
        std::mem::replace(&mut self.is_heard, is_heard) != is_heard
    }

    /// Its publisher speaks.
    pub fn on_speech(&mut self, now: Instant) {
        self.spoke_at = Some(now);
    }

    /// The level of its speech, 0.0 to 1.0.
    pub fn speech_level(&mut self, now: Instant) -> f64 {
        let level = self.loudness.level(now);
        if self.is_muted { 0.0 } else { level }
    }

    // ── followers ──

    pub fn attach(&mut self, shard: ShardId) {
        if !self.followers.iter().any(|follower| follower.shard == shard) {
            self.followers.push(Follower { shard, wanted: None, relay: 0 });
        }
    }

    pub fn detach(&mut self, shard: ShardId) {
        self.followers.retain(|follower| follower.shard != shard);
    }

    pub fn demand(&mut self, shard: ShardId, wanted: Option<Quality>, relay: LayerMask) {
        for follower in self.followers.iter_mut().filter(|follower| follower.shard == shard) {
            follower.wanted = wanted;
            follower.relay = relay;
        }
    }

    pub fn followers(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.followers.iter().map(|follower| follower.shard)
    }

    /// The shards that need packets of `layer`.
    pub fn followers_of(&self, layer: u8) -> impl Iterator<Item = ShardId> + '_ {
        let bit = layer_bit(layer);
        self.followers.iter().filter(move |follower| follower.relay & bit != 0).map(|follower| follower.shard)
    }

    /// The quality to announce to the publisher, if it has changed: higher ones at once, lower ones after 5 s.
    pub fn quality_to_announce(&mut self, now: Instant) -> Option<Option<Quality>> {
        let wanted = self.followers.iter().filter_map(|follower| follower.wanted).max();
        let current = self.announced.unwrap_or(Some(Quality::High));
        if wanted == current && self.announced.is_some() {
            self.lower_at = None;
            return None;
        }
        if wanted < current {
            let due = *self.lower_at.get_or_insert(now + LOWER_AFTER);
            if now < due {
                return None;
            }
        }
        self.lower_at = None;
        self.announced = Some(wanted);
        Some(wanted)
    }
}
