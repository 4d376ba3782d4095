//! What is reported of a peer for those who operate the server.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::peers::Peer;
use crate::publishing::Publications;
use crate::subscribing::Subscriptions;
use crate::transport::LinkReport;

/// A peer's connection, and what it sends and receives.
pub(crate) fn peer_report(
    now: Instant,
    peer: &Peer,
    link: &LinkReport,
    publications: &Publications,
    subscriptions: &Subscriptions,
) -> Event {
    Event::PeerReport {
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
    }
}

fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
