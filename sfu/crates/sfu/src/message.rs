//! What shards send each other. A room may span all of them: a track is relayed once to each shard that has
//! subscribers, and their demand travels back. Inside one shard the same messages are queued locally.

use std::sync::Arc;
use std::time::Instant;

use crate::datagram::Path;
use crate::ids::{ShardId, TrackId};
use crate::media::{Kind, LAYERS, LayerMask, Quality, TEMPORAL_LAYERS, TemporalRates};
use crate::transport::{CodecFormat, Packet};

/// A packet of a track, on its way to the subscribers of one shard.
pub(crate) type TrackPacket = (TrackId, Arc<Packet>);

/// A message from one shard to another one.
#[derive(Debug)]
pub enum Message {
    /// A datagram that was received on another shard's socket.
    Datagram {
        /// Where it came from.
        path: Path,
        /// Its contents.
        data: Vec<u8>,
        /// When it was received.
        arrival: Instant,
        /// The shard on whose socket it was received.
        via: ShardId,
    },
    /// The owner of a peer to the shard on whose socket the peer's datagrams arrive: pass on what comes from there.
    PathBound {
        /// Where the peer is.
        path: Path,
        /// The peer's shard.
        owner: ShardId,
    },
    /// The same way: the path is no longer the peer's.
    PathReleased {
        /// Where the peer was.
        path: Path,
        /// The peer's shard.
        owner: ShardId,
    },
    /// Subscriber's shard to publisher's: report this track's state and relay what is demanded.
    Attach {
        /// The track.
        track: TrackId,
        /// The shard that has subscribers.
        from: ShardId,
    },
    /// Subscriber's shard to publisher's: the last subscriber is gone.
    Detach {
        /// The track.
        track: TrackId,
        /// The shard that had subscribers.
        from: ShardId,
    },
    /// Subscriber's shard to publisher's: what its subscribers need changed.
    Demand {
        /// The track.
        track: TrackId,
        /// The shard that has subscribers.
        from: ShardId,
        /// The best quality that any of them asks for.
        wanted: Option<Quality>,
        /// The layers to relay.
        relay: LayerMask,
    },
    /// Subscriber's shard to publisher's: a subscriber waits for a key frame.
    KeyframeWanted {
        /// The track.
        track: TrackId,
        /// The simulcast layer.
        layer: u8,
    },
    /// Publisher's shard to subscribers': the state of the track changed.
    State {
        /// The track.
        track: TrackId,
        /// The new state.
        state: TrackState,
    },
    /// Publisher's shard to subscribers': a media packet.
    Packet {
        /// The track.
        track: TrackId,
        /// The packet, shared by all shards.
        packet: Arc<Packet>,
    },
    /// Publisher's shard to subscribers': the track does not exist (any more).
    Gone {
        /// The track.
        track: TrackId,
    },
}

/// What a subscriber's shard knows of a track.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackState {
    /// Audio or video.
    pub kind: Kind,
    /// Known from the first packet on.
    pub codec: Option<CodecFormat>,
    /// Layers that are being received now.
    pub live: LayerMask,
    /// Height of each layer in pixels; 0 where the publisher announced none.
    pub heights: [u32; LAYERS],
    /// Measured rates of each layer, with the layers that it needs.
    pub rates: [TemporalRates; LAYERS],
    /// Whether packets are withheld.
    pub muted: bool,
    /// One stream carries all layers, each of which needs those below it (SVC).
    pub is_svc: bool,
    /// Of pictures: whether they show a screen.
    pub is_screen: bool,
    /// Of pictures: whether their publisher spoke in the last seconds.
    pub is_speaker: bool,
    /// Of sound: whether it was more than silence in the last seconds.
    pub is_heard: bool,
}

impl Message {
    /// Whether it is one of many that only pass something on, and changes no state.
    pub(crate) fn is_traffic(&self) -> bool {
        matches!(self, Self::Datagram { .. } | Self::Packet { .. })
    }
}

impl TrackState {
    /// What a layer takes in bits per second, without the temporal layers above `temporal`.
    pub(crate) fn bitrate_bps(&self, layer: u8, temporal: u8) -> u64 {
        let temporal = usize::from(temporal).min(TEMPORAL_LAYERS - 1);
        self.rates.get(usize::from(layer)).and_then(|rates| rates.get(temporal)).map_or(0, |rate| rate.bps)
    }
}
