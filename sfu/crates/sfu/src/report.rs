//! What is reported of a peer for those who operate the server.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::ids::PeerKey;
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::publishing::Publications;
use crate::subscribing::Subscriptions;
use crate::transport::LinkReport;

/// Report a peer's connection, and what it sends and receives.
pub(crate) fn report_peer(
    now: Instant,
    (key, link): (PeerKey, &LinkReport),
    peers: &Peers,
    publications: &Publications,
    subscriptions: &Subscriptions,
    outbox: &mut Outbox,
) {
    let Some(peer) = peers.get(key) else { return };
    outbox.emit(Event::PeerReport {
        peer: peer.id().clone(),
        remote: link.remote.map(|(address, _)| address.to_string()).unwrap_or_default(),
        protocol: link.remote.map(|(_, protocol)| protocol).unwrap_or_default(),
        rtt_ms: link.rtt.map(milliseconds),
        received_loss: link.received_loss,
        received_jitter_ms: link.received_jitter.map(milliseconds),
        sent_loss: link.sent_loss,
        sent_jitter_ms: link.sent_jitter.map(milliseconds),
        keyframe_requests: link.keyframe_requests,
        estimate_bps: peer.budget().estimate_bps(now),
        published: publications.videos_of(peer),
        subscribed: subscriptions.videos_of(peer),
    });
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
