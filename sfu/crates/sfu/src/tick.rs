//! What is looked at ten times a second.

use std::time::Instant;

use crate::allocator::Allocator;
use crate::event::Event;
use crate::outbox::Outbox;
use crate::peers::{Peer, Peers};
use crate::publishing::Publications;
use crate::subscribing::Subscriptions;

/// Who is silent, layers, waiting key frames, bandwidth, sections, and data that waits.
pub(crate) fn tick(
    now: Instant,
    peers: &mut Peers,
    publications: &mut Publications,
    subscriptions: &mut Subscriptions,
    allocator: &mut Allocator,
    outbox: &mut Outbox,
) {
    for peer in peers.iter_mut() {
        if peer.is_newly_silent(now) {
            outbox.emit(Event::PeerDisconnected { peer: peer.id().clone() });
        }
    }
    peers.sweep_paths(now);
    publications.tick(now, peers, outbox);
    subscriptions.tick(peers, outbox);
    allocator.tick(now, peers, subscriptions, outbox);
    for key in peers.keys() {
        let Some(peer) = peers.get(key) else { continue };
        if peer.is_asked() {
            peers.check_sections(key);
        }
        if peers.get(key).is_some_and(Peer::has_waiting_data) {
            let lost = peers.step(key, outbox, |transport, drained| transport.resume_data(now, drained));
            if let (Some(Some(bytes)), Some(peer)) = (lost, peers.get(key)) {
                outbox.emit(Event::DataLost { peer: peer.id().clone(), bytes });
            }
        }
    }
}
