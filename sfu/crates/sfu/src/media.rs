//! What media is called in commands, events and messages: kinds, qualities, layers, channels.

use crate::ids::{PeerId, ShardId, TrackId};

/// Simulcast layers of a video, and steps of [`Quality`].
pub(crate) const LAYERS: usize = 3;

/// Temporal layers that are told apart.
pub(crate) const TEMPORAL_LAYERS: usize = 4;

/// What a layer of a video takes and shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Bits per second.
    pub bps: u64,
    /// Frames per second.
    pub fps: u16,
}

/// The rate of each temporal layer, with those below; the last one is that of all.
pub type TemporalRates = [Rate; TEMPORAL_LAYERS];

/// A set of simulcast layers, bit n for layer n.
pub type LayerMask = u8;

/// The set that holds only `layer`.
pub(crate) fn layer_bit(layer: u8) -> LayerMask {
    1u8.checked_shl(u32::from(layer)).unwrap_or(0)
}

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Opus.
    Audio,
    /// VP8, H.264, VP9 or AV1, with or without simulcast.
    Video,
}

/// The quality of a published video. Its number is also that of the simulcast layer that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Layer 0, LiveKit's rid `q`.
    Low = 0,
    /// Layer 1, rid `h`.
    Medium = 1,
    /// Layer 2, rid `f`.
    High = 2,
}

impl Quality {
    /// All qualities, the lowest first.
    pub const ALL: [Quality; LAYERS] = [Quality::Low, Quality::Medium, Quality::High];
}

/// The qualities of a set of layers, the lowest first.
pub(crate) fn qualities(layers: LayerMask) -> impl DoubleEndedIterator<Item = Quality> {
    Quality::ALL.into_iter().filter(move |quality| layers & layer_bit(*quality as u8) != 0)
}

/// One simulcast layer as its publisher announced it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerSpec {
    /// Which layer it is.
    pub quality: Quality,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// A track as its publisher announced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackSpec {
    /// Audio or video.
    pub kind: Kind,
    /// The client's identifiers of the track, as in the msid of its section (RFC 8830).
    pub cids: Vec<String>,
    /// The layers of a video, in ascending order.
    pub layers: Vec<LayerSpec>,
    /// The name of the codec that the client wants to send (RFC 8866 section 6.6), without regard to case. None: any.
    pub codec: Option<String>,
    /// How sound is to be encoded.
    pub opus: OpusOptions,
    /// It shows a screen: the last picture to become smaller.
    pub is_screen: bool,
}

/// What is asked of a client that sends Opus (RFC 7587 section 6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpusOptions {
    /// Send next to nothing while it is silent.
    pub dtx: bool,
    /// Send two channels, in high quality.
    pub stereo: bool,
}

/// Where a subscribed track is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The track.
    pub track: TrackId,
    /// The peer that publishes it.
    pub publisher: PeerId,
    /// The shard of that peer.
    pub shard: ShardId,
}

/// What a subscriber asks of a video track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionSettings {
    /// False: nothing is sent until it is enabled again.
    pub enabled: bool,
    /// The best quality to send. None: the best there is.
    pub quality: Option<Quality>,
    /// The height in pixels at which the video is shown; takes precedence over `quality`.
    pub height: Option<u32>,
    /// Higher gets bandwidth first. None: 1.
    pub priority: Option<u32>,
    /// As many frames per second suffice. None: all.
    pub fps: Option<u32>,
}

impl Default for SubscriptionSettings {
    fn default() -> Self {
        Self { enabled: true, quality: None, height: None, priority: None, fps: None }
    }
}

/// A data channel of the LiveKit protocol, opened by the client (RFC 8831).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Ordered, with retransmission.
    Reliable,
    /// Messages are dropped where they would be late.
    Lossy,
    /// Packets of data tracks, like lossy messages.
    DataTrack,
}

impl Channel {
    /// All channels that are relayed.
    pub const ALL: [Channel; 3] = [Channel::Reliable, Channel::Lossy, Channel::DataTrack];

    /// The label with which clients open it.
    pub fn label(self) -> &'static str {
        match self {
            Channel::Reliable => "_reliable",
            Channel::Lossy => "_lossy",
            Channel::DataTrack => "_data_track",
        }
    }

    /// The channel of this label, None for one that is not relayed.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.label() == label)
    }
}
