//! Peers with packets to seal, and when these are sent.

use std::time::Instant;

use crate::ids::PeerKey;

#[derive(Default)]
pub(super) struct Unsent {
    peers: Vec<PeerKey>,
    due: Option<Instant>,
}

impl Unsent {
    /// A peer that was not among them.
    pub fn add(&mut self, peer: PeerKey) {
        self.peers.push(peer);
    }

    /// What waits is sent at this time, or sooner with what cannot wait so long.
    pub fn send_by(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |before| before.min(at)));
    }

    /// When something is to be sent.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// One of them. None if there is none, or if they wait for more.
    pub fn take_due(&mut self, now: Instant) -> Option<PeerKey> {
        if self.due.is_some_and(|due| now < due) {
            return None;
        }
        let peer = self.peers.pop();
        if peer.is_none() {
            self.due = None;
        }
        peer
    }
}
