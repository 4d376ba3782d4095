//! One published track, in its publisher's shard.

use std::time::{Duration, Instant};

use str0m::format::{Codec, CodecSpec};
use str0m::media::Mid;
use str0m::rtp::Ssrc;

use crate::command::{Kind, LayerSpec, Quality};
use crate::ids::{PeerKey, ShardId, TrackId};
use crate::message::{LayerMask, TrackState};
use crate::speaker::Loudness;

/// A layer counts as gone when it was silent this long while another one went on.
const LAYER_SILENCE: Duration = Duration::from_secs(1);
/// Packets that "another one went on" means.
const LAYER_EVIDENCE: u32 = 5;
/// Asking for less waits this long: people come and go, layers take a second to restart.
const LOWER_AFTER: Duration = Duration::from_secs(5);

pub(crate) struct UpTrack {
    pub peer: PeerKey,
    pub id: TrackId,
    pub kind: Kind,
    pub cids: Vec<String>,
    pub specs: Vec<LayerSpec>,
    /// The section that carries it.
    pub section: Option<UpSection>,
    pub codec: Option<CodecSpec>,
    pub muted: bool,
    pub layers: [Layer; 3],
    pub loudness: Loudness,
    pub followers: Vec<Follower>,
    announced: Option<Option<Quality>>,
    lower_at: Option<Instant>,
}

#[derive(Clone, Debug)]
pub(crate) struct UpSection {
    pub mid: Mid,
    /// What the section calls its track: the client's id.
    pub cid: String,
    pub simulcast: bool,
}

/// One encoding as it is received.
#[derive(Default)]
pub(crate) struct Layer {
    pub ssrc: Option<Ssrc>,
    pub live: bool,
    pub last_packet: Option<Instant>,
    /// Packets of any other layer since the last one of this.
    pub others: u32,
    pub keyframe_asked: Option<Instant>,
    pub keyframe_wanted: bool,
    pub bytes: u64,
    pub bitrate_bps: u64,
}

/// A shard that has subscribers, maybe the own one.
pub(crate) struct Follower {
    pub shard: ShardId,
    pub wanted: Option<Quality>,
    pub relay: LayerMask,
}

impl UpTrack {
    pub fn new(peer: PeerKey, id: TrackId, kind: Kind, cids: Vec<String>, specs: Vec<LayerSpec>) -> Self {
        Self {
            peer,
            id,
            kind,
            cids,
            specs,
            section: None,
            codec: None,
            muted: false,
            layers: Default::default(),
            loudness: Loudness::default(),
            followers: Vec::new(),
            announced: None,
            lower_at: None,
        }
    }

    pub fn state(&self) -> TrackState {
        let mut heights = [0; 3];
        for spec in &self.specs {
            if let Some(height) = heights.get_mut(spec.quality as usize) {
                *height = spec.height;
            }
        }
        TrackState {
            kind: self.kind,
            codec: self.codec,
            live: self.live(),
            heights,
            bitrates_bps: std::array::from_fn(|i| self.layers.get(i).map_or(0, |layer| layer.bitrate_bps)),
            muted: self.muted,
        }
    }

    pub fn live(&self) -> LayerMask {
        (0..).zip(&self.layers).filter(|(_, layer)| layer.live).fold(0, |mask, (i, _)| mask | (1 << i))
    }

    /// Count a packet. True if its layer came (back) to life.
    pub fn saw_packet(&mut self, layer: u8, now: Instant, bytes: usize) -> bool {
        let mut revived = false;
        for (i, state) in (0u8..).zip(&mut self.layers) {
            if i == layer {
                revived = !state.live;
                state.live = true;
                state.last_packet = Some(now);
                state.others = 0;
                state.bytes += bytes as u64;
            } else {
                state.others = state.others.saturating_add(1);
            }
        }
        revived
    }

    /// Mark layers that went silent. True if any did.
    pub fn check_layers(&mut self, now: Instant) -> bool {
        let mut changed = false;
        for layer in self.layers.iter_mut().filter(|layer| layer.live) {
            let silent = layer.last_packet.is_none_or(|last| now.saturating_duration_since(last) > LAYER_SILENCE);
            if silent && layer.others >= LAYER_EVIDENCE {
                layer.live = false;
                changed = true;
            }
        }
        changed
    }

    /// Turn the bytes counted since the last call into rates.
    pub fn measure(&mut self, elapsed: Duration) {
        for layer in &mut self.layers {
            let bits = layer.bytes.saturating_mul(8) as f64;
            layer.bitrate_bps = (bits / elapsed.as_secs_f64().max(0.001)) as u64;
            layer.bytes = 0;
        }
    }

    /// Who needs packets of `layer`.
    pub fn followers_of(&self, layer: u8) -> impl Iterator<Item = ShardId> + '_ {
        let bit = 1u8.checked_shl(u32::from(layer)).unwrap_or(0);
        self.followers.iter().filter(move |follower| follower.relay & bit != 0).map(|follower| follower.shard)
    }

    /// The quality to announce to the publisher, when it has changed: up at once, down after 5 s.
    pub fn quality_to_announce(&mut self, now: Instant) -> Option<Option<Quality>> {
        let wanted = self.followers.iter().filter_map(|follower| follower.wanted).max();
        let present = self.announced.unwrap_or(Some(Quality::High));
        if wanted == present && self.announced.is_some() {
            self.lower_at = None;
            return None;
        }
        if wanted < present {
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

/// As LiveKit writes it. None for what we do not forward.
pub(crate) fn mime_type(codec: Codec) -> Option<&'static str> {
    match codec {
        Codec::Opus => Some("audio/opus"),
        Codec::Vp8 => Some("video/VP8"),
        Codec::H264 => Some("video/H264"),
        _ => None,
    }
}

/// LiveKit's rids, lowest first; a section without rids has one layer.
pub(crate) fn layer_of_rid(rid: Option<&str>) -> u8 {
    match rid {
        Some("h" | "1") => 1,
        Some("f" | "0") => 2,
        _ => 0,
    }
}
