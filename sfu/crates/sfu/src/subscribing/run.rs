//! A part of a frame on its way to the subscribers of its track.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::awaited::Awaited;
use super::subscription::Subscription;
use crate::media::Kind;
use crate::message::TrackPacket;
use crate::transport::{Egress, Packet};

/// Packets of a video frame wait this long for the others, to be sent with them: it is not shown before it is whole.
const WAIT_FOR_FRAME: Duration = Duration::from_micros(500);
/// To fewer receivers each goes at once: waking up costs more than what sending together saves.
const MIN_RECEIVERS_TO_WAIT: usize = 4;

/// Packets that go together to one subscriber after the other.
pub(super) struct Run<'a> {
    packets: &'a [TrackPacket],
    kind: Kind,
    is_svc: bool,
    /// How many packets were sent, to all together.
    pub sent: usize,
    /// Whether a subscriber gets another layer from now on.
    pub has_switched: bool,
    /// Those that a subscriber waits for, but cannot begin with.
    awaited: BTreeSet<usize>,
}

impl<'a> Run<'a> {
    pub fn new(packets: &'a [TrackPacket], kind: Kind, is_svc: bool) -> Self {
        Self { packets, kind, is_svc, sent: 0, has_switched: false, awaited: BTreeSet::new() }
    }

    /// Forward all to one subscriber. `kept`: what came before the first packet of a key frame.
    pub fn forward(&mut self, subscription: &mut Subscription, egress: &mut impl Egress, kept: &Awaited) {
        for (at, (_, packet)) in self.packets.iter().enumerate() {
            let before = subscription.layer();
            let outgoing = subscription.forward(self.kind, packet);
            if outgoing.is_none() && subscription.awaits(packet) {
                self.awaited.insert(at);
            }
            self.sent += usize::from(outgoing.is_some_and(|outgoing| egress.send(outgoing)));
            if before == subscription.layer() {
                continue;
            }
            self.has_switched = true;
            for late in &kept.after(packet, self.is_svc) {
                let outgoing = subscription.forward(self.kind, late);
                self.sent += usize::from(outgoing.is_some_and(|outgoing| egress.send(outgoing)));
            }
        }
    }

    /// Those that a subscriber waits for, but cannot begin with.
    pub fn awaited(&self) -> impl Iterator<Item = &'a Arc<Packet>> {
        self.awaited.iter().filter_map(|at| self.packets.get(*at)).map(|(_, packet)| packet)
    }

    /// When they are to be sent. None if there are none.
    pub fn send_at(&self) -> Option<Instant> {
        let (_, first) = self.packets.first()?;
        let is_part = self.kind == Kind::Video && self.packets.iter().all(|(_, packet)| !packet.marker);
        let may_wait = is_part && self.sent >= MIN_RECEIVERS_TO_WAIT * self.packets.len();
        Some(if may_wait { first.arrival + WAIT_FOR_FRAME } else { first.arrival })
    }
}

/// Whether a packet is forwarded together with the one before: it is a later one of the same stream.
pub(super) fn goes_on((track, before): &TrackPacket, (next_track, next): &TrackPacket) -> bool {
    track == next_track && before.layer == next.layer && before.sequence < next.sequence
}
