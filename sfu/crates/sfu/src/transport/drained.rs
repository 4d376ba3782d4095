//! What steps of connections have produced.

use std::collections::VecDeque;

use super::link_report::LinkReport;
use super::measured::LinkStats;
use super::packet::ReceivedPacket;
use super::sent_packets::Arrival;
use crate::datagram::Datagram;
use crate::ids::{Mid, PeerKey};
use crate::media::Channel;

/// What steps have produced. The caller reuses it, so that a step allocates nothing of its own.
#[derive(Default)]
pub(crate) struct Drained {
    /// Whose steps it is used for.
    pub peer: PeerKey,
    /// Events that have not been handled yet, also of other peers.
    pub events: VecDeque<(PeerKey, TransportEvent)>,
    pub datagrams: Vec<Datagram>,
    /// Packets that were not looked at, because they are of too many streams.
    pub refused: u64,
}

impl Drained {
    pub(super) fn push(&mut self, event: TransportEvent) {
        self.events.push_back((self.peer, event));
    }

    pub(super) fn push_media(&mut self, packet: impl Into<Option<ReceivedPacket>>) {
        if let Some(packet) = packet.into() {
            self.push(TransportEvent::Media(packet));
        }
    }
}

/// What happened on a connection.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every event is media: a box would be an allocation for each packet"
)]
pub(crate) enum TransportEvent {
    /// ICE and DTLS are up.
    Connected,
    /// The client closed its end (DTLS close_notify).
    Closed,
    Media(ReceivedPacket),
    /// The client asks for a key frame of what a section sends (RFC 4585 PLI, RFC 5104 FIR).
    KeyframeRequested(Mid),
    /// The client's estimate of what it can receive, in bits per second (REMB).
    BandwidthEstimated(u64),
    /// What the client tells of packets that were sent to it (transport-wide feedback), in their order.
    Arrived(Vec<Arrival>),
    Stats(LinkStats),
    Report(Box<LinkReport>),
    ChannelOpened(Channel),
    DataReceived(Channel, Vec<u8>),
}
