//! What shards say to each other. A room may span all of them: a track is relayed once to each shard that has
//! subscribers, and what those want travels back. Inside one shard the same messages take a short cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use str0m::format::CodecSpec;
use str0m::media::MediaTime;
use str0m::rtp::{VideoOrientation, Vp8Descriptor};

use crate::command::{Kind, Quality};
use crate::ids::{ShardId, TrackId};

/// A set of simulcast layers, bit n for layer n.
pub type LayerMask = u8;

#[derive(Debug)]
pub enum Message {
    /// A datagram that came in on another shard's socket.
    Datagram {
        source: SocketAddr,
        data: Vec<u8>,
        arrival: Instant,
    },
    /// Subscriber's shard → publisher's: tell me about this track and relay what I demand.
    Attach {
        track: TrackId,
        from: ShardId,
    },
    Detach {
        track: TrackId,
        from: ShardId,
    },
    /// `wanted`: the best quality any subscriber there asked for; `relay`: the layers in use there.
    Demand {
        track: TrackId,
        from: ShardId,
        wanted: Option<Quality>,
        relay: LayerMask,
    },
    KeyframeWanted {
        track: TrackId,
        layer: u8,
    },
    /// Publisher's shard → subscribers': the track as it now is.
    State {
        track: TrackId,
        state: TrackState,
    },
    Packet {
        track: TrackId,
        packet: Arc<Packet>,
    },
    Gone {
        track: TrackId,
    },
}

/// What a subscriber's shard has to know of a track.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackState {
    pub kind: Kind,
    /// Known from the first packet on.
    pub codec: Option<CodecSpec>,
    /// Layers that are being received now.
    pub live: LayerMask,
    /// Pixels; 0 where the publisher said nothing.
    pub heights: [u32; 3],
    /// Bits per second, measured.
    pub bitrates_bps: [u64; 3],
    pub muted: bool,
}

/// One received media packet, parsed once, shared by all who forward it.
#[derive(Debug)]
pub struct Packet {
    pub layer: u8,
    /// Extended sequence number in its layer.
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    /// First packet of a key frame (always true for audio).
    pub keyframe: bool,
    pub vp8: Option<Vp8Descriptor>,
    pub payload: Arc<[u8]>,
    pub arrival: Instant,
    /// The sender's clock at this packet's sampling instant, microseconds; from its sender reports.
    pub sender_clock_us: Option<i64>,
    pub audio_level: Option<i8>,
    pub voice_activity: Option<bool>,
    pub orientation: Option<VideoOrientation>,
    pub playout_delay: Option<(MediaTime, MediaTime)>,
}
