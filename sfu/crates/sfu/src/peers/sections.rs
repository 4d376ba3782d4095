//! The media sections of a client's offers, and which track each one carries.

use crate::ids::{Mid, SubscriptionKey, TrackKey};
use crate::media::Kind;
use crate::sdp::{Direction, OfferedSection};

/// One media section.
pub(crate) struct Section {
    mid: Mid,
    kind: Kind,
    role: Role,
    /// Its stream has been used, even if the section was inactive since: the next track needs new SSRCs.
    has_sent: bool,
}

/// What a section is for.
pub(crate) enum Role {
    Idle,
    /// The client sends.
    Publishing(Publishing),
    /// The client receives.
    Receiving(Slot),
}

pub(crate) struct Publishing {
    cid: String,
    simulcast: bool,
    track: Matching,
}

impl Publishing {
    /// The track that it carries, once announced.
    pub fn track(&self) -> Option<TrackKey> {
        match self.track {
            Matching::Matched(track) => Some(track),
            Matching::Waiting | Matching::Withdrawn => None,
        }
    }
}

/// Whether a publishing section has found its announced track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Matching {
    Waiting,
    Matched(TrackKey),
    /// The track was withdrawn: packets that the client still sends here are dropped.
    Withdrawn,
}

/// A receiving section. After a track it has to be answered as empty once before it may carry another one: clients
/// notice the new track only then.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slot {
    subscription: Option<SubscriptionKey>,
    /// The last answer announces a track here that is gone.
    is_stale: bool,
}

impl Slot {
    /// What it carries.
    pub fn subscription(self) -> Option<SubscriptionKey> {
        self.subscription
    }

    fn is_free(self) -> bool {
        self.subscription.is_none() && !self.is_stale
    }
}

/// A publishing section that waits for its track.
pub(crate) struct Unmatched<'a> {
    pub mid: &'a Mid,
    pub kind: Kind,
    pub cid: &'a str,
    pub simulcast: bool,
    matching: &'a mut Matching,
}

impl Unmatched<'_> {
    pub fn set(self, track: TrackKey) {
        *self.matching = Matching::Matched(track);
    }
}

/// What an offer has taken out of use.
#[derive(Default)]
pub(crate) struct Released {
    pub tracks: Vec<TrackKey>,
    pub subscriptions: Vec<SubscriptionKey>,
}

impl Released {
    fn add(&mut self, role: Role) {
        match role {
            Role::Publishing(Publishing { track: Matching::Matched(track), .. }) => self.tracks.push(track),
            Role::Receiving(slot) => self.subscriptions.extend(slot.subscription),
            Role::Publishing(_) | Role::Idle => {}
        }
    }
}

impl Section {
    pub fn mid(&self) -> &Mid {
        &self.mid
    }

    pub fn role(&self) -> &Role {
        &self.role
    }
}

#[derive(Default)]
pub(crate) struct Sections {
    sections: Vec<Section>,
}

impl Sections {
    pub fn iter(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter()
    }

    /// Bring the table up to an offer.
    pub fn sync(&mut self, offered: &[OfferedSection]) -> Released {
        let mut old = std::mem::take(&mut self.sections);
        let mut released = Released::default();
        for offer in offered {
            let mid = Mid::from(offer.mid.as_str());
            let before = old.iter().position(|section| section.mid == mid).map(|index| old.swap_remove(index));
            let (role, has_sent) = before.map_or((Role::Idle, false), |section| (section.role, section.has_sent));
            let role = next_role(role, offer, &mut released);
            self.sections.push(Section { mid, kind: offer.kind, role, has_sent });
        }
        for section in old {
            released.add(section.role);
        }
        released
    }

    // ── publishing sections ──

    pub fn unmatched(&mut self) -> impl Iterator<Item = Unmatched<'_>> {
        self.sections.iter_mut().filter_map(|section| match &mut section.role {
            Role::Publishing(Publishing { cid, simulcast, track: matching @ Matching::Waiting }) => {
                Some(Unmatched { mid: &section.mid, kind: section.kind, cid, simulcast: *simulcast, matching })
            }
            _ => None,
        })
    }

    pub fn track_of(&self, mid: &Mid) -> Option<TrackKey> {
        self.sections.iter().find(|section| section.mid == *mid).and_then(|section| match section.role {
            Role::Publishing(Publishing { track: Matching::Matched(track), .. }) => Some(track),
            _ => None,
        })
    }

    pub fn withdraw(&mut self, withdrawn: TrackKey) {
        for section in &mut self.sections {
            if let Role::Publishing(Publishing { track, .. }) = &mut section.role
                && *track == Matching::Matched(withdrawn)
            {
                *track = Matching::Withdrawn;
            }
        }
    }

    // ── receiving sections ──

    fn slots(&mut self) -> impl Iterator<Item = (&Mid, Kind, &mut Slot)> {
        self.sections.iter_mut().filter_map(|section| match &mut section.role {
            Role::Receiving(slot) => Some((&section.mid, section.kind, slot)),
            _ => None,
        })
    }

    pub fn free_slots(&mut self, kind: Kind) -> usize {
        self.slots().filter(|(_, of, slot)| *of == kind && slot.is_free()).count()
    }

    pub fn has_stale_slots(&mut self) -> bool {
        self.slots().any(|(_, _, slot)| slot.is_stale)
    }

    pub fn subscription_of(&mut self, mid: &Mid) -> Option<SubscriptionKey> {
        self.slots().find(|(of, _, _)| *of == mid).and_then(|(_, _, slot)| slot.subscription)
    }

    /// The track of a section is gone.
    pub fn release(&mut self, subscription: SubscriptionKey) {
        for (_, _, slot) in self.slots() {
            if slot.subscription == Some(subscription) {
                *slot = Slot { subscription: None, is_stale: true };
            }
        }
    }

    /// Give free slots to waiting subscriptions, in their order; the answer that follows shows stale slots as empty.
    pub fn assign(&mut self, mut waiting: Vec<(SubscriptionKey, Kind)>) -> Vec<(Mid, SubscriptionKey)> {
        let mut assigned = Vec::new();
        for (mid, kind, slot) in self.slots() {
            if slot.is_stale {
                slot.is_stale = false;
                continue;
            }
            if slot.subscription.is_some() {
                continue;
            }
            let Some(next) = waiting.iter().position(|(_, wanted)| *wanted == kind) else { continue };
            let (subscription, _) = waiting.remove(next);
            slot.subscription = Some(subscription);
            assigned.push((mid.clone(), subscription));
        }
        assigned
    }

    pub fn len(&self) -> usize {
        self.sections.len()
    }

    /// A section of our own offer, which sends a subscription's track.
    pub fn add(&mut self, mid: Mid, kind: Kind, subscription: SubscriptionKey) {
        let role = Role::Receiving(Slot { subscription: Some(subscription), is_stale: false });
        self.sections.push(Section { mid, kind, role, has_sent: true });
    }

    /// What the receiving sections carry.
    pub fn carried(&self) -> Vec<(Mid, Option<SubscriptionKey>)> {
        let slot = |section: &Section| match section.role {
            Role::Receiving(slot) => Some((section.mid.clone(), slot.subscription)),
            _ => None,
        };
        self.sections.iter().filter_map(slot).collect()
    }

    /// The sections that send from now on; true for one that carried another track before and needs new SSRCs.
    pub fn start_sending(&mut self, assigned: &[(Mid, SubscriptionKey)]) -> Vec<(Mid, bool)> {
        let mut sending = Vec::new();
        for section in &mut self.sections {
            if matches!(section.role, Role::Receiving(Slot { subscription: Some(_), .. })) {
                let is_replaced = section.has_sent && assigned.iter().any(|(mid, _)| *mid == section.mid);
                section.has_sent = true;
                sending.push((section.mid.clone(), is_replaced));
            }
        }
        sending
    }
}

/// What a section is after this offer.
fn next_role(before: Role, offer: &OfferedSection, released: &mut Released) -> Role {
    match (offer.direction, before) {
        (Direction::SendOnly | Direction::SendRecv, Role::Publishing(before)) if before.cid == offer.cid => {
            Role::Publishing(Publishing { simulcast: offer.simulcast, ..before })
        }
        (Direction::SendOnly | Direction::SendRecv, before) => {
            released.add(before);
            let (cid, simulcast) = (offer.cid.clone(), offer.simulcast);
            Role::Publishing(Publishing { cid, simulcast, track: Matching::Waiting })
        }
        (Direction::RecvOnly, Role::Receiving(slot)) => Role::Receiving(slot),
        (Direction::RecvOnly, before) => {
            released.add(before);
            Role::Receiving(Slot::default())
        }
        (Direction::Inactive, before) => {
            released.add(before);
            Role::Idle
        }
    }
}
