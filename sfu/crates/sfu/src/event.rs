//! What a shard tells signalling.

use crate::command::{Channel, Quality};
use crate::ids::{PeerId, TrackId};

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `tracks`: the mid of every section that now sends, and its track.
    Answered {
        peer: PeerId,
        offer_id: i64,
        sdp: String,
        tracks: Vec<(String, TrackId)>,
    },
    NegotiationFailed {
        peer: PeerId,
        offer_id: i64,
        reason: String,
    },
    /// Please offer again, with this many more receiving sections (none: only again).
    SectionsNeeded {
        peer: PeerId,
        audio: u32,
        video: u32,
    },
    PeerConnected {
        peer: PeerId,
    },
    PeerDisconnected {
        peer: PeerId,
    },
    PeerFailed {
        peer: PeerId,
        reason: String,
    },
    TrackStarted {
        peer: PeerId,
        track: TrackId,
        cid: String,
        mid: String,
        mime_type: &'static str,
        simulcast: bool,
    },
    TrackEnded {
        peer: PeerId,
        track: TrackId,
    },
    SubscriptionStarted {
        peer: PeerId,
        track: TrackId,
    },
    SubscriptionFailed {
        peer: PeerId,
        track: TrackId,
        reason: SubscriptionError,
    },
    QualityWanted {
        peer: PeerId,
        track: TrackId,
        quality: Option<Quality>,
    },
    /// Levels 0.0–1.0 in steps of 1/8; 0.0 means stopped.
    SpeakersChanged {
        levels: Vec<(PeerId, f64)>,
    },
    StreamPaused {
        peer: PeerId,
        track: TrackId,
        paused: bool,
    },
    LinkQuality {
        peer: PeerId,
        loss: f64,
        rtt_ms: u32,
    },
    DataReceived {
        peer: PeerId,
        channel: Channel,
        payload: Vec<u8>,
    },
    DataOpen {
        peer: PeerId,
        channel: Channel,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionError {
    CodecUnsupported,
    TrackNotFound,
}

impl SubscriptionError {
    pub fn code(self) -> &'static str {
        match self {
            Self::CodecUnsupported => "codec_unsupported",
            Self::TrackNotFound => "track_not_found",
        }
    }
}
