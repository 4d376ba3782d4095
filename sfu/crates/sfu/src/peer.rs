//! One participant's connection and what belongs to it.

use std::collections::HashMap;
use std::time::Instant;

use str0m::IceCreds;
use str0m::media::Mid;
use str0m::rtp::Ssrc;

use crate::allocator::Budget;
use crate::command::{Kind, Wish};
use crate::data::Channels;
use crate::ids::{DownKey, PeerId, TrackId, UpKey};
use crate::transport::Transport;

/// Wishes for tracks that are not subscribed (yet); more are forgotten.
const MAX_EARLY_WISHES: usize = 1024;
/// Received streams whose place is remembered; a peer that makes up more starts over.
const MAX_STREAMS: usize = 128;

pub(crate) struct Peer {
    pub id: PeerId,
    pub transport: Transport,
    pub credentials: IceCreds,
    pub sections: Vec<Section>,
    pub ups: Vec<UpKey>,
    pub downs: HashMap<TrackId, DownKey>,
    pub channels: Channels,
    pub connection: Connection,
    /// When the client was asked to offer (again); cleared by its offer.
    pub asked_at: Option<Instant>,
    /// What it said about tracks before subscribing to them.
    pub early_wishes: HashMap<TrackId, Wish>,
    /// Packets wait to be sealed and sent.
    pub has_egress: bool,
    /// The deadline of its entry in the timers.
    pub scheduled: Option<Instant>,
    pub link: Option<(f64, u32)>,
    pub budget: Budget,
    streams: Vec<(Ssrc, UpKey, u8)>,
}

pub(crate) struct Connection {
    pub last_heard: Instant,
    pub is_up: bool,
    /// The loss was told.
    pub is_lost: bool,
    /// An offer was answered: the client may connect.
    pub is_negotiated: bool,
}

/// A media section of the client's offers.
pub(crate) struct Section {
    pub mid: Mid,
    pub kind: Kind,
    pub role: Role,
    /// Its stream has been used, whatever the section was in between: the next track needs fresh SSRCs.
    pub has_sent: bool,
    /// Its line of the offer for transport-wide sequence numbers.
    pub transport_cc: Option<String>,
}

pub(crate) enum Role {
    Idle,
    /// The client sends.
    Publishing {
        cid: String,
        simulcast: bool,
        track: Matching,
    },
    Receiving(Slot),
}

/// Whether a publishing section has found its announced track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    Waiting,
    Matched(UpKey),
    /// The track was withdrawn: whatever the client goes on sending here is nobody's.
    Withdrawn,
}

/// A receiving section. A section that carried a track has to be answered empty once before it may carry another:
/// only so do clients notice the new one.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slot {
    pub down: Option<DownKey>,
    /// Answered as sending a track that is gone.
    pub stale: bool,
}

impl Slot {
    pub fn is_free(self) -> bool {
        self.down.is_none() && !self.stale
    }
}

impl Peer {
    pub fn new(id: PeerId, transport: Transport, credentials: IceCreds, now: Instant) -> Self {
        Self {
            id,
            transport,
            credentials,
            sections: Vec::new(),
            ups: Vec::new(),
            downs: HashMap::new(),
            channels: Channels::default(),
            connection: Connection { last_heard: now, is_up: false, is_lost: false, is_negotiated: false },
            asked_at: None,
            early_wishes: HashMap::new(),
            has_egress: false,
            scheduled: None,
            link: None,
            budget: Budget::default(),
            streams: Vec::new(),
        }
    }

    pub fn remember_wish(&mut self, track: TrackId, wish: Wish) {
        if self.early_wishes.len() < MAX_EARLY_WISHES {
            self.early_wishes.insert(track, wish);
        }
    }

    pub fn stream(&self, ssrc: Ssrc) -> Option<(UpKey, u8)> {
        self.streams.iter().find(|(known, _, _)| *known == ssrc).map(|(_, up, layer)| (*up, *layer))
    }

    pub fn remember_stream(&mut self, ssrc: Ssrc, up: UpKey, layer: u8) {
        if self.streams.len() >= MAX_STREAMS {
            self.streams.clear();
        }
        self.streams.push((ssrc, up, layer));
    }

    pub fn forget_streams(&mut self, up: UpKey) {
        self.streams.retain(|(_, other, _)| *other != up);
    }

    pub fn slots(&mut self) -> impl Iterator<Item = (Mid, Kind, &mut Slot)> {
        self.sections.iter_mut().filter_map(|section| match &mut section.role {
            Role::Receiving(slot) => Some((section.mid, section.kind, slot)),
            _ => None,
        })
    }

    pub fn free_slots(&mut self, kind: Kind) -> usize {
        self.slots().filter(|(_, of, slot)| *of == kind && slot.is_free()).count()
    }

    pub fn up_of_section(&self, mid: Mid) -> Option<UpKey> {
        self.sections.iter().find(|section| section.mid == mid).and_then(|section| match section.role {
            Role::Publishing { track: Matching::Matched(up), .. } => Some(up),
            _ => None,
        })
    }

    /// The track of a section is gone.
    pub fn release_down(&mut self, down: DownKey) {
        for (_, _, slot) in self.slots() {
            if slot.down == Some(down) {
                *slot = Slot { down: None, stale: true };
            }
        }
    }
}
