//! Offers of ours and answers of clients, on the connections on which a client only receives: one section for each
//! subscription, as many as are needed. Sections of tracks that are gone are shown empty once, then used again.

use std::collections::HashMap;
use std::time::Instant;

use crate::event::Event;
use crate::fault::{self, Fault};
use crate::ids::{PeerId, PeerKey};
use crate::outbox::Outbox;
use crate::peers::Peers;
use crate::sdp;
use crate::sdp_offers::{self, Identity};
use crate::subscribing::Subscriptions;
use crate::transport::OfferChanges;

/// What an offer of ours reads and changes.
pub(crate) struct OwnOffers<'a> {
    pub peers: &'a mut Peers,
    pub subscriptions: &'a mut Subscriptions,
    pub outbox: &'a mut Outbox,
}

pub(crate) fn peer_gone() -> String {
    "the peer is gone".to_owned()
}

impl OwnOffers<'_> {
    /// Offer what the client does not know yet, unless it has to answer an offer first.
    pub fn offer(&mut self, now: Instant, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let mut waiting = self.subscriptions.unbound(peer);
        let Some(offering) = peer.offering_mut().filter(|offering| offering.open().is_none()) else { return };
        let is_due = offering.is_due();
        let sections = peer.sections_mut();
        if waiting.is_empty() && !is_due && !sections.has_stale_slots() {
            return;
        }
        let assigned = sections.assign(waiting.clone());
        waiting.retain(|(subscription, _)| !assigned.iter().any(|(_, of)| of == subscription));
        waiting.truncate(sdp::MAX_SECTIONS.saturating_sub(sections.len() + 1));
        let sending = sections.start_sending(&assigned);
        let carried = sections.carried();
        let (channels, restarts) = peer.offering_mut().map(|offering| offering.take_due()).unwrap_or_default();
        let changes = OfferChanges {
            sends: carried.iter().map(|(mid, subscription)| (mid.clone(), subscription.is_some())).collect(),
            added: waiting.iter().map(|(_, kind)| *kind).collect(),
            channels,
            restart: restarts.then(|| self.peers.new_credentials()),
        };
        let offer = self.peers.step(key, self.outbox, |transport, drained| {
            transport.prepare_streams(now, drained, &sending)?;
            transport.make_offer(now, drained, changes)
        });
        let (Some(Some(offer)), Some(peer)) = (offer, self.peers.get_mut(key)) else { return };
        for (mid, (subscription, kind)) in offer.added.iter().zip(waiting) {
            peer.sections_mut().add(mid.clone(), kind, subscription);
        }
        let sdp = sdp_offers::finish_offer(&offer.sdp, &self.identities(key), &offer.replaced);
        self.send_offer(key, sdp);
    }

    /// What each section of an offer carries: None for one that is empty.
    fn identities(&self, key: PeerKey) -> HashMap<String, Option<Identity>> {
        let carried = self.peers.get(key).map(|peer| peer.sections().carried()).unwrap_or_default();
        let identity = |source: &crate::media::Source| Identity {
            stream: format!("{}|{}", source.publisher, source.track.published()),
            track: source.track.published().to_string(),
        };
        carried
            .into_iter()
            .map(|(mid, subscription)| {
                (mid.to_string(), subscription.and_then(|key| self.subscriptions.source(key)).map(identity))
            })
            .collect()
    }

    fn send_offer(&mut self, key: PeerKey, sdp: String) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let id = peer.id().clone();
        if let Some((offer_id, sdp)) = peer.offering_mut().map(|offering| offering.made(sdp)) {
            self.outbox.emit(Event::Offered { peer: id, offer_id, sdp });
        }
    }

    /// Apply the answer to the open offer; another one is ignored. The error says what is wrong with it.
    pub fn accept_answer(&mut self, now: Instant, key: PeerKey, offer_id: i64, sdp: &str) -> Result<(), String> {
        let peer = self.peers.get_mut(key).ok_or_else(peer_gone)?;
        if !peer.offering_mut().is_some_and(|offering| offering.answered(offer_id)) {
            return Ok(());
        }
        let prepared = sdp_offers::prepare_answer(sdp)?;
        fault::point(Fault::Negotiating(key));
        let applied =
            self.peers.step(key, self.outbox, |transport, drained| transport.accept_answer(now, drained, &prepared));
        if let Some(fresh) = applied.ok_or_else(peer_gone)?? {
            self.peers.add_credentials(key, &fresh);
        }
        let peer = self.peers.get_mut(key).ok_or_else(peer_gone)?;
        peer.negotiated(now);
        let sections: Vec<_> = peer.sections().carried();
        let sending: Vec<_> =
            sections.iter().filter(|(_, of)| of.is_some()).map(|(mid, _)| (mid.clone(), false)).collect();
        let ssrcs = self
            .peers
            .step(key, self.outbox, |transport, drained| transport.prepare_streams(now, drained, &sending))
            .ok_or_else(peer_gone)?;
        for (mid, subscription) in sections {
            if let (Some(subscription), Some(streams)) = (subscription, ssrcs.get(&mid))
                && !self.subscriptions.is_bound(subscription)
            {
                self.subscriptions.bind(subscription, streams.media, self.peers, self.outbox);
            }
        }
        self.peers.check_sections(key);
        Ok(())
    }

    /// Restart ICE. The client may not know an offer that it has not answered: it is repeated first.
    pub fn restart_ice(&mut self, id: &PeerId) {
        let Some(key) = self.peers.key_of(id) else { return };
        let Some(peer) = self.peers.get_mut(key) else { return };
        let is_negotiated = peer.is_negotiated();
        let Some(offering) = peer.offering_mut() else { return };
        if is_negotiated {
            offering.restart();
        }
        if let Some((offer_id, sdp)) = offering.open() {
            self.outbox.emit(Event::Offered { peer: id.clone(), offer_id, sdp });
        }
        self.peers.check_sections(key);
    }
}
