//! What signalling tells a shard to do. Unknown peers and tracks are ignored.

use std::sync::Arc;
use std::time::Duration;

use crate::data::DataMessage;
use crate::ids::{PeerId, TrackId};
use crate::media::{Channel, Source, SubscriptionSettings, TrackSpec};
use crate::transport::Codecs;

/// A command to the shard that owns `peer`.
#[derive(Clone, Debug)]
pub enum Command {
    /// Create a peer connection; it waits for an offer.
    AddPeer {
        /// Its identifier, new in this shard.
        peer: PeerId,
        /// What is negotiated.
        codecs: Codecs,
    },
    /// Create a peer connection on which we make the offers, and only send: the second one of a participant.
    /// [`Event::Offered`](crate::Event::Offered) follows as soon as there is something to offer.
    AddSubscriber {
        /// Its identifier, new in this shard.
        peer: PeerId,
        /// Open the data channels with the first offer.
        channels: bool,
        /// What is offered.
        codecs: Codecs,
    },
    /// Close a peer connection with DTLS close_notify and remove its tracks and subscriptions.
    RemovePeer {
        /// The peer.
        peer: PeerId,
    },
    /// Apply a client's offer; [`Event::Answered`](crate::Event::Answered) or
    /// [`Event::NegotiationFailed`](crate::Event::NegotiationFailed) follows.
    Offer {
        /// The peer.
        peer: PeerId,
        /// The client's number of the offer, returned with the answer.
        offer_id: i64,
        /// The session description (RFC 8866).
        sdp: String,
    },
    /// Apply a client's answer to [`Event::Offered`](crate::Event::Offered).
    Answer {
        /// The peer.
        peer: PeerId,
        /// The number of the offer, or 0 for the last one.
        offer_id: i64,
        /// The session description (RFC 8866).
        sdp: String,
    },
    /// Offer new ICE credentials (RFC 8445 section 9); an offer without an answer is repeated first.
    RestartIce {
        /// The peer.
        peer: PeerId,
    },
    /// Announce a track that a section of a past or coming offer carries.
    ExpectTrack {
        /// The publisher.
        peer: PeerId,
        /// The identifier under which it can be subscribed to.
        track: TrackId,
        /// What is known of it.
        spec: TrackSpec,
    },
    /// Stop forwarding a track and end its subscriptions.
    WithdrawTrack {
        /// The publisher.
        peer: PeerId,
        /// The track.
        track: TrackId,
    },
    /// Withhold a track's packets, or forward them again.
    SetTrackMuted {
        /// The publisher.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// Whether packets are withheld.
        muted: bool,
    },
    /// Forward a track to a peer.
    Subscribe {
        /// The subscriber.
        peer: PeerId,
        /// The track and where it is published.
        source: Source,
    },
    /// End a subscription.
    Unsubscribe {
        /// The subscriber.
        peer: PeerId,
        /// The track.
        track: TrackId,
    },
    /// Change what a subscriber asks of a track, before or after it subscribes.
    ConfigureSubscription {
        /// The subscriber.
        peer: PeerId,
        /// The track.
        track: TrackId,
        /// The new settings, replacing all former ones.
        settings: SubscriptionSettings,
    },
    /// Send one message to each peer whose channel is open.
    SendData {
        /// The receivers, all of this shard.
        peers: Vec<PeerId>,
        /// The data channel.
        channel: Channel,
        /// The message.
        payload: Arc<DataMessage>,
    },
    /// Read nothing from a peer's data channels for some time.
    HoldData {
        /// The peer.
        peer: PeerId,
        /// How long, from now on.
        time: Duration,
    },
}
