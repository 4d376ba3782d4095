//! What a shard tells signalling.

use std::sync::Arc;

use crate::data::DataMessage;
use crate::ids::{PeerId, TrackId};
use crate::media::{Channel, Quality};

/// Something that happened in a shard.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An offer was applied.
    Answered {
        /// The peer.
        peer: PeerId,
        /// The number of the offer.
        offer_id: i64,
        /// The answer (RFC 8866).
        sdp: String,
        /// The mid of every section that now sends, and the track it carries.
        tracks: Vec<(String, TrackId)>,
    },
    /// The client has to answer this offer. No other one follows before it has.
    Offered {
        /// The peer.
        peer: PeerId,
        /// The number of the offer, from 1.
        offer_id: i64,
        /// The offer (RFC 8866).
        sdp: String,
    },
    /// An offer or answer could not be applied.
    NegotiationFailed {
        /// The peer.
        peer: PeerId,
        /// The number of the offer.
        offer_id: i64,
        /// What is wrong with the description.
        reason: String,
    },
    /// The client has to offer again, with this many additional receiving sections (both 0: only again).
    SectionsNeeded {
        /// The peer.
        peer: PeerId,
        /// Additional audio sections.
        audio: u32,
        /// Additional video sections.
        video: u32,
    },
    /// ICE and DTLS are up, for the first time or again.
    PeerConnected {
        /// The peer.
        peer: PeerId,
    },
    /// Nothing was received from the peer for 10 s, or it closed its end.
    PeerDisconnected {
        /// The peer.
        peer: PeerId,
    },
    /// The peer was removed because of an error in its own connection.
    PeerFailed {
        /// The peer.
        peer: PeerId,
        /// What failed.
        reason: String,
    },
    /// The first packet of a published track was received.
    TrackStarted {
        /// The publisher.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// The client's identifier of the track.
        cid: String,
        /// The section that carries it.
        mid: String,
        /// Its codec as LiveKit writes it, e.g. `video/VP8`.
        mime_type: &'static str,
        /// Whether it has several layers.
        simulcast: bool,
    },
    /// The section of a published track no longer sends.
    TrackEnded {
        /// The publisher.
        peer: PeerId,
        /// The track.
        track: TrackId,
    },
    /// A subscription has a section; media follows from the next key frame.
    SubscriptionStarted {
        /// The subscriber.
        peer: PeerId,
        /// The track.
        track: TrackId,
    },
    /// A subscription ended because it cannot work.
    SubscriptionFailed {
        /// The subscriber.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// Why.
        reason: SubscriptionError,
    },
    /// The best quality that any subscriber asks of a video changed. Lower ones are reported after 5 s.
    QualityWanted {
        /// The publisher.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// None: no subscriber wants it.
        quality: Option<Quality>,
    },
    /// Speech levels changed.
    SpeakersChanged {
        /// Peers whose level changed: 0.0 to 1.0 in steps of 1/8; 0.0 means that they stopped.
        levels: Vec<(PeerId, f64)>,
    },
    /// A video was paused for want of bandwidth, or resumed.
    StreamPaused {
        /// The subscriber.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// Whether it is paused now.
        paused: bool,
    },
    /// The link's measurements changed; reported at most every 5 s.
    LinkQuality {
        /// The peer.
        peer: PeerId,
        /// Share of packets lost in the worse direction, 0.0 to 1.0.
        loss: f64,
        /// Round-trip time in milliseconds.
        rtt_ms: u32,
    },
    /// What is known of a peer's connection and of what it sends and receives; every 5 s.
    PeerReport {
        /// The peer.
        peer: PeerId,
        /// The client's end of the path: an address with a port; empty while there is none.
        remote: String,
        /// `udp`, `tcp` or `tls`; empty while there is no path.
        protocol: &'static str,
        /// Round-trip time in milliseconds.
        rtt_ms: Option<u32>,
        /// Share of the client's packets that are missing here, 0.0 to 1.0.
        received_loss: Option<f64>,
        /// The highest jitter of what the client sends, in milliseconds.
        received_jitter_ms: Option<u32>,
        /// Share of the packets to the client that it is missing, 0.0 to 1.0.
        sent_loss: Option<f64>,
        /// The highest jitter of what the client receives, in milliseconds.
        sent_jitter_ms: Option<u32>,
        /// How often the client asked for a key frame so far.
        keyframe_requests: u64,
        /// What may be sent to the client, by its own estimate, in bits per second.
        estimate_bps: Option<u64>,
        /// The layers that are received of the videos it publishes.
        published: Vec<(TrackId, Vec<Quality>)>,
        /// Of each video that it wants: what it is sent, and the best that there is.
        subscribed: Vec<(TrackId, Option<Quality>, Option<Quality>)>,
    },
    /// A client sent a data message.
    DataReceived {
        /// The sender.
        peer: PeerId,
        /// The channel it used.
        channel: Channel,
        /// The message, which counts for its sender as long as it exists.
        payload: Arc<DataMessage>,
    },
    /// A client does not take the data that is sent to it fast enough: some of it was dropped. Reported once, until it
    /// has taken the rest.
    DataLost {
        /// The receiver.
        peer: PeerId,
        /// What was dropped at first, in bytes.
        bytes: u64,
    },
    /// A client opened a data channel: it can be sent on.
    DataOpen {
        /// The peer.
        peer: PeerId,
        /// The channel.
        channel: Channel,
    },
}

/// Why a subscription failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionError {
    /// The subscriber cannot decode the track's codec.
    CodecUnsupported,
    /// The publisher's shard does not have the track.
    TrackNotFound,
}

impl SubscriptionError {
    /// The error as signalling knows it.
    pub fn code(self) -> &'static str {
        match self {
            Self::CodecUnsupported => "codec_unsupported",
            Self::TrackNotFound => "track_not_found",
        }
    }
}
