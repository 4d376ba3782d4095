//! Offers of clients and our answers: which section carries which track, in both directions.
//!
//! There is one connection and only the client offers. A subscription takes a free receiving section of its kind; if
//! there is none, or if only an answer can show the client a change, the client is asked for an offer. Where we make
//! the offers, see `offering`.

use std::collections::HashMap;
use std::time::Instant;

use crate::event::Event;
use crate::fault::{self, Fault};
use crate::ids::{Mid, PeerKey, SubscriptionKey, TrackId};
use crate::media::Kind;
use crate::offering::{OwnOffers, peer_gone};
use crate::outbox::Outbox;
use crate::peers::{Peers, Role};
use crate::publishing::Publications;
use crate::sdp::{self, OfferedSection, SectionAnswer, Sending};
use crate::subscribing::Subscriptions;
use crate::transport::StreamSsrcs;

/// What a negotiation reads and changes.
pub(crate) struct Negotiation<'a> {
    pub peers: &'a mut Peers,
    pub publications: &'a mut Publications,
    pub subscriptions: &'a mut Subscriptions,
    pub outbox: &'a mut Outbox,
}

impl Negotiation<'_> {
    /// Where we make the offers.
    pub fn own_offers(&mut self) -> OwnOffers<'_> {
        let Self { peers, subscriptions, outbox, .. } = self;
        OwnOffers { peers, subscriptions, outbox }
    }

    /// Apply an offer and emit the answer. The error says what is wrong with the offer.
    pub fn accept(&mut self, now: Instant, key: PeerKey, offer_id: i64, sdp: &str) -> Result<(), String> {
        let offered = sdp::read_offer(sdp)?;
        let prepared = sdp::prepare_offer(sdp);
        let sources: Vec<_> = offered.iter().flat_map(|section| section.sources.iter().copied()).collect();
        fault::point(Fault::Negotiating(key));
        let answer = self
            .peers
            .step(key, self.outbox, |transport, drained| transport.accept_offer(now, drained, &prepared, &sources));
        let answer = answer.ok_or_else(peer_gone)??;
        let replaced = self.adopt_credentials(now, key).ok_or_else(peer_gone)?;

        self.sync_sections(key, &offered);
        self.publications.match_sections(key, self.peers);
        let assigned = self.assign_sections(key);
        let ssrcs = self.prepare_streams(now, key, &assigned).ok_or_else(peer_gone)?;
        let (answers, tracks) = self.section_answers(key, &ssrcs);
        let sdp = sdp::finish_answer(&answer, &answers, &replaced);

        let peer = self.peers.get_mut(key).ok_or_else(peer_gone)?;
        peer.negotiated(now);
        self.outbox.emit(Event::Answered { peer: peer.id().clone(), offer_id, sdp, tracks });
        self.peers.check_sections(key);
        for (mid, subscription) in assigned {
            if let Some(streams) = ssrcs.get(&mid) {
                self.subscriptions.bind(subscription, streams.media, self.peers, self.outbox);
            }
        }
        Ok(())
    }

    /// After an ICE restart, replace the transport's credentials by some that name this shard. Returns the texts to
    /// replace in the answer.
    fn adopt_credentials(&mut self, now: Instant, key: PeerKey) -> Option<Vec<(String, String)>> {
        let fresh = self.peers.new_credentials();
        let old = self
            .peers
            .step(key, self.outbox, |transport, drained| transport.adopt_credentials(now, drained, &fresh))?;
        let Some(old) = old else { return Some(Vec::new()) };
        self.peers.add_credentials(key, &fresh);
        Some(vec![(old.ufrag, fresh.ufrag), (old.password, fresh.password)])
    }

    /// Bring the table of sections up to the offer; tracks of sections that no longer send end.
    fn sync_sections(&mut self, key: PeerKey, offered: &[OfferedSection]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let released = peer.sections_mut().sync(offered);
        for track in released.tracks {
            self.publications.end(track, self.peers, self.outbox);
        }
        for subscription in released.subscriptions {
            self.subscriptions.unbind(subscription);
        }
    }

    /// Give free sections to waiting subscriptions, oldest first.
    fn assign_sections(&mut self, key: PeerKey) -> Vec<(Mid, SubscriptionKey)> {
        let Some(peer) = self.peers.get_mut(key) else { return Vec::new() };
        let waiting = self.subscriptions.unbound(peer);
        peer.sections_mut().assign(waiting)
    }

    /// The SSRCs of all sections that send; new ones for a section that carried another track before.
    fn prepare_streams(
        &mut self,
        now: Instant,
        key: PeerKey,
        assigned: &[(Mid, SubscriptionKey)],
    ) -> Option<HashMap<Mid, StreamSsrcs>> {
        let sending = self.peers.get_mut(key)?.sections_mut().start_sending(assigned);
        self.peers.step(key, self.outbox, |transport, drained| transport.prepare_streams(now, drained, &sending))
    }

    fn section_answers(
        &self,
        key: PeerKey,
        ssrcs: &HashMap<Mid, StreamSsrcs>,
    ) -> (HashMap<String, SectionAnswer>, Vec<(String, TrackId)>) {
        let (mut answers, mut tracks) = (HashMap::new(), Vec::new());
        let Some(peer) = self.peers.get(key) else { return (answers, tracks) };
        for section in peer.sections().iter() {
            let mid = section.mid().to_string();
            let answer = match section.role() {
                Role::Idle => continue,
                Role::Publishing(publishing) => {
                    let spec = publishing.track().and_then(|track| self.publications.spec(track));
                    SectionAnswer::Receive {
                        codec: spec.and_then(|spec| spec.codec.clone()),
                        opus: spec.map(|spec| spec.opus).unwrap_or_default(),
                    }
                }
                Role::Receiving(slot) => {
                    let source = slot.subscription().and_then(|key| self.subscriptions.source(key));
                    SectionAnswer::Send(source.zip(ssrcs.get(section.mid())).map(|(source, streams)| {
                        let track = source.track.published();
                        tracks.push((mid.clone(), track.clone()));
                        Sending {
                            stream: format!("{}|{track}", source.publisher),
                            track: track.to_string(),
                            ssrc: streams.media.0,
                            rtx: streams.rtx.map(|rtx| rtx.0),
                        }
                    }))
                }
            };
            answers.insert(mid, answer);
        }
        (answers, tracks)
    }

    /// Make offers, or ask clients for an offer whose subscriptions wait for sections, or whose sections have to be shown empty.
    pub fn request_offers(&mut self, now: Instant) {
        for key in self.peers.take_section_checks() {
            if self.peers.get(key).is_some_and(|peer| peer.offering().is_some()) {
                self.own_offers().offer(now, key);
                continue;
            }
            let Some(peer) = self.peers.get_mut(key).filter(|peer| peer.may_be_asked(now)) else { continue };
            let unbound = self.subscriptions.unbound(peer);
            let sections = peer.sections_mut();
            if unbound.is_empty() && !sections.has_stale_slots() {
                continue;
            }
            let [audio, video] = [Kind::Audio, Kind::Video].map(|kind| {
                let wanted = unbound.iter().filter(|(_, of)| *of == kind).count();
                u32::try_from(wanted.saturating_sub(sections.free_slots(kind))).unwrap_or(u32::MAX)
            });
            peer.asked(now);
            self.outbox.emit(Event::SectionsNeeded { peer: peer.id().clone(), audio, video });
        }
    }
}
