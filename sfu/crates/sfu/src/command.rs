//! What signalling asks of a shard.

use std::sync::Arc;

use crate::ids::{PeerId, ShardId, TrackId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Audio,
    Video,
}

/// A step of a published video's ladder. Its number is also the number of the simulcast layer that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    Low = 0,
    Medium = 1,
    High = 2,
}

impl Quality {
    pub const ALL: [Quality; 3] = [Quality::Low, Quality::Medium, Quality::High];
}

/// The three data channels of the LiveKit protocol, opened by the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    Reliable,
    Lossy,
    DataTrack,
}

impl Channel {
    pub const ALL: [Channel; 3] = [Channel::Reliable, Channel::Lossy, Channel::DataTrack];

    pub fn label(self) -> &'static str {
        match self {
            Channel::Reliable => "_reliable",
            Channel::Lossy => "_lossy",
            Channel::DataTrack => "_data_track",
        }
    }

    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.label() == label)
    }
}

/// One layer as its publisher announced it; sizes in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    pub quality: Quality,
    pub width: u32,
    pub height: u32,
}

/// Where a track comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub track: TrackId,
    pub publisher: PeerId,
    pub shard: ShardId,
}

/// What a subscriber wants of a video. `height` (pixels) beats `quality`; nothing said means the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    pub enabled: bool,
    pub quality: Option<Quality>,
    pub height: Option<u32>,
    pub fps: Option<u32>,
    pub priority: Option<u32>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { enabled: true, quality: None, height: None, fps: None, priority: None }
    }
}

#[derive(Clone, Debug)]
pub enum Command {
    AddPeer { peer: PeerId },
    RemovePeer { peer: PeerId },
    Offer { peer: PeerId, offer_id: i64, sdp: String },
    Trickle { peer: PeerId, candidate: String },
    ExpectTrack { peer: PeerId, track: TrackId, kind: Kind, cids: Vec<String>, layers: Vec<LayerSpec> },
    WithdrawTrack { peer: PeerId, track: TrackId },
    SetTrackMuted { peer: PeerId, track: TrackId, muted: bool },
    Subscribe { peer: PeerId, source: Source },
    Unsubscribe { peer: PeerId, track: TrackId },
    ConfigureSubscription { peer: PeerId, track: TrackId, wish: Wish },
    SendData { peers: Vec<PeerId>, channel: Channel, payload: Arc<[u8]> },
}
