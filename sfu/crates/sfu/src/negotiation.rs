//! Offers of clients and our answers: which section carries which track, in both directions.
//!
//! There is one connection and only the client offers. A subscription takes a free receiving section of its kind; if
//! there is none, or none can be told to the client without an offer, the client is asked for one.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::media::Mid;
use str0m::{Candidate, IceCreds, Rtc};

use crate::command::Kind;
use crate::config::credentials;
use crate::event::Event;
use crate::ids::{DownKey, PeerId, PeerKey, TrackId};
use crate::peer::{Matching, Peer, Role, Section, Slot};
use crate::sdp::{self, Direction, OfferedSection, SectionAnswer, Sending};
use crate::shard::Shard;

/// A client that was asked for an offer and sent none is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

impl Shard {
    pub(crate) fn trickle(&mut self, now: Instant, id: &PeerId, candidate: &str) {
        let Some(key) = self.peer_key(id) else { return };
        // names (mDNS), TCP and what else cannot be used: the client's checks tell us its address anyway
        let Ok(candidate) = Candidate::from_sdp_string(candidate) else { return };
        self.step(now, key, |peer, drained| {
            peer.transport.step(now, drained, |rtc| {
                rtc.add_remote_candidate(candidate);
                Ok(())
            })
        });
    }

    pub(crate) fn negotiate(&mut self, now: Instant, id: &PeerId, offer_id: i64, sdp: &str) {
        let Some(key) = self.peer_key(id) else { return };
        if let Err(reason) = self.accept(now, key, offer_id, sdp) {
            self.out.events.push(Event::NegotiationFailed { peer: id.clone(), offer_id, reason });
        }
    }

    fn accept(&mut self, now: Instant, key: PeerKey, offer_id: i64, sdp: &str) -> Result<(), String> {
        let offered = sdp::read_offer(sdp)?;
        let offer = SdpOffer::from_sdp_string(&sdp::prepare_offer(sdp)).map_err(|error| error.to_string())?;
        let gone = || "the peer is gone".to_owned();
        let answer = self.step(now, key, |peer, drained| {
            peer.transport.step(now, drained, |rtc| Ok(rtc.sdp_api().accept_offer(offer)))
        });
        let answer = answer.ok_or_else(gone)?.map_err(|error| error.to_string())?.to_sdp_string();
        let replaced = self.adopt_credentials(now, key).ok_or_else(gone)?;

        self.sync_sections(key, &offered);
        self.match_published(key);
        let started = self.assign_slots(key);
        let ssrcs = self.prepare_streams(now, key, &started).ok_or_else(gone)?;
        let (answers, tracks) = self.section_answers(key, &ssrcs);
        let sdp = sdp::finish_answer(&answer, &answers, &replaced);

        let peer = self.peers.get_mut(key).ok_or_else(gone)?;
        if !peer.connection.is_negotiated {
            peer.connection.last_heard = now;
        }
        peer.connection.is_negotiated = true;
        peer.asked_at = None;
        self.to_ask.push(key);
        self.out.events.push(Event::Answered { peer: peer.id.clone(), offer_id, sdp, tracks });
        self.bind(key, &started, &ssrcs);
        Ok(())
    }

    /// After an ICE restart the transport has made up credentials of its own: put ours in their place, so that every
    /// worker knows whose they are. Returns the texts to replace in the answer.
    fn adopt_credentials(&mut self, now: Instant, key: PeerKey) -> Option<Vec<(String, String)>> {
        let fresh = credentials(self.id);
        let current = self.step(now, key, |peer, drained| {
            peer.transport.step(now, drained, |rtc| Ok(rtc.direct_api().local_ice_credentials()))
        })?;
        let peer = self.peers.get_mut(key)?;
        if current == peer.credentials {
            return Some(Vec::new());
        }
        peer.credentials = fresh.clone();
        self.demux.add_ufrag(fresh.ufrag.clone(), key);
        let IceCreds { ufrag, pass } = fresh.clone();
        self.step(now, key, |peer, drained| {
            peer.transport.step(now, drained, |rtc| {
                rtc.direct_api().set_local_ice_credentials(fresh);
                Ok(())
            })
        })?;
        Some(vec![(current.ufrag, ufrag), (current.pass, pass)])
    }

    /// Bring the table of sections up to the offer; tracks of sections that no longer send end.
    fn sync_sections(&mut self, key: PeerKey, offered: &[OfferedSection]) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let mut old = std::mem::take(&mut peer.sections);
        let (mut ended, mut unbound) = (Vec::new(), Vec::new());
        for offer in offered {
            let mid = Mid::from(offer.mid.as_str());
            let before = old.iter().position(|section| section.mid == mid).map(|index| old.swap_remove(index));
            let (role, has_sent) = before.map_or((Role::Idle, false), |section| (section.role, section.has_sent));
            let role = next_role(role, offer, &mut ended, &mut unbound);
            let transport_cc = offer.transport_cc.clone();
            peer.sections.push(Section { mid, kind: offer.kind, role, has_sent, transport_cc });
        }
        for section in old {
            leave_role(section.role, &mut ended, &mut unbound);
        }
        for up in ended {
            self.end_up(up);
        }
        for down in unbound {
            if let Some(down) = self.downs.get_mut(down) {
                down.unbind();
            }
        }
    }

    /// Give free sections to waiting subscriptions, oldest first.
    fn assign_slots(&mut self, key: PeerKey) -> Vec<(Mid, DownKey)> {
        let Some(peer) = self.peers.get_mut(key) else { return Vec::new() };
        let mut waiting: Vec<(DownKey, Kind)> = Vec::new();
        for down in peer.downs.values() {
            let unbound = self.downs.get(*down).filter(|down| down.binding.is_none());
            let kind = unbound.and_then(|down| self.feeds.get(&down.source.track)?.kind());
            waiting.extend(kind.map(|kind| (*down, kind)));
        }
        waiting.sort_unstable_by_key(|(down, _)| *down);
        let mut started = Vec::new();
        for (mid, kind, slot) in peer.slots() {
            if slot.stale {
                // this answer shows it empty
                slot.stale = false;
                continue;
            }
            if slot.down.is_some() {
                continue;
            }
            let Some(next) = waiting.iter().position(|(_, wanted)| *wanted == kind) else { continue };
            let (down, _) = waiting.remove(next);
            slot.down = Some(down);
            started.push((mid, down));
        }
        started
    }

    /// The SSRCs of all sections that send; fresh ones for a section that carried another track before.
    fn prepare_streams(
        &mut self,
        now: Instant,
        key: PeerKey,
        started: &[(Mid, DownKey)],
    ) -> Option<HashMap<Mid, (u32, Option<u32>)>> {
        let peer = self.peers.get_mut(key)?;
        let mut sending = Vec::new();
        for section in &mut peer.sections {
            if matches!(section.role, Role::Receiving(Slot { down: Some(_), .. })) {
                let fresh = section.has_sent && started.iter().any(|(other, _)| *other == section.mid);
                section.has_sent = true;
                sending.push((section.mid, fresh));
            }
        }
        self.step(now, key, |peer, drained| peer.transport.step(now, drained, |rtc| Ok(streams_of(rtc, &sending))))
    }

    fn section_answers(
        &mut self,
        key: PeerKey,
        ssrcs: &HashMap<Mid, (u32, Option<u32>)>,
    ) -> (HashMap<String, SectionAnswer>, Vec<(String, TrackId)>) {
        let (mut answers, mut tracks) = (HashMap::new(), Vec::new());
        let Some(peer) = self.peers.get(key) else { return (answers, tracks) };
        for section in &peer.sections {
            let mid = section.mid.to_string();
            let answer = match &section.role {
                Role::Idle => continue,
                Role::Publishing { .. } => SectionAnswer::Receive,
                Role::Receiving(slot) => {
                    let down = slot.down.and_then(|down| self.downs.get(down));
                    let sending = down.zip(ssrcs.get(&section.mid)).map(|(down, (ssrc, rtx))| {
                        tracks.push((mid.clone(), down.source.track.clone()));
                        let (publisher, track) = (&down.source.publisher, &down.source.track);
                        Sending {
                            stream: format!("{publisher}|{track}"),
                            track: track.to_string(),
                            ssrc: *ssrc,
                            rtx: *rtx,
                        }
                    });
                    SectionAnswer::Send { sending, transport_cc: section.transport_cc.clone() }
                }
            };
            answers.insert(mid, answer);
        }
        (answers, tracks)
    }

    /// The client knows the section: media may flow as soon as the codec is known.
    fn bind(&mut self, key: PeerKey, started: &[(Mid, DownKey)], ssrcs: &HashMap<Mid, (u32, Option<u32>)>) {
        let Some(peer_id) = self.peers.get(key).map(|peer| peer.id.clone()) else { return };
        for (mid, down_key) in started {
            let (Some(down), Some((ssrc, _))) = (self.downs.get_mut(*down_key), ssrcs.get(mid)) else { continue };
            down.binding = Some((*ssrc).into());
            let track = down.source.track.clone();
            self.out.events.push(Event::SubscriptionStarted { peer: peer_id.clone(), track: track.clone() });
            self.refresh_feed(&track);
        }
    }

    /// Ask clients whose subscriptions wait for sections, or whose sections have to be shown empty.
    pub(crate) fn ask_for_sections(&mut self, now: Instant) {
        let mut keys = std::mem::take(&mut self.to_ask);
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let Some(peer) = self.peers.get_mut(key) else { continue };
            let asked = peer.asked_at.is_some_and(|at| now.saturating_duration_since(at) < ASK_AGAIN);
            if asked || !peer.connection.is_negotiated {
                continue;
            }
            let stale = peer.slots().any(|(_, _, slot)| slot.stale);
            let unbound =
                peer.downs.values().filter_map(|down| self.downs.get(*down)).filter(|down| down.binding.is_none());
            let kinds: Vec<Kind> = unbound.filter_map(|down| self.feeds.get(&down.source.track)?.kind()).collect();
            if kinds.is_empty() && !stale {
                continue;
            }
            let missing = |peer: &mut Peer, kind: Kind| {
                let wanted = kinds.iter().filter(|of| **of == kind).count();
                u32::try_from(wanted.saturating_sub(peer.free_slots(kind))).unwrap_or(u32::MAX)
            };
            let (audio, video) = (missing(peer, Kind::Audio), missing(peer, Kind::Video));
            peer.asked_at = Some(now);
            self.out.events.push(Event::SectionsNeeded { peer: peer.id.clone(), audio, video });
        }
    }
}

/// What a section is after this offer. What it was and is no more goes to `ended` (published) or `unbound`.
fn next_role(before: Role, offer: &OfferedSection, ended: &mut Vec<usize>, unbound: &mut Vec<DownKey>) -> Role {
    match (offer.direction, before) {
        (Direction::SendOnly | Direction::SendRecv, Role::Publishing { cid, track, .. }) if cid == offer.cid => {
            Role::Publishing { cid, simulcast: offer.simulcast, track }
        }
        (Direction::SendOnly | Direction::SendRecv, before) => {
            leave_role(before, ended, unbound);
            Role::Publishing { cid: offer.cid.clone(), simulcast: offer.simulcast, track: Matching::Waiting }
        }
        (Direction::RecvOnly, Role::Receiving(slot)) => Role::Receiving(slot),
        (Direction::RecvOnly, before) => {
            leave_role(before, ended, unbound);
            Role::Receiving(Slot::default())
        }
        (Direction::Inactive, before) => {
            leave_role(before, ended, unbound);
            Role::Idle
        }
    }
}

fn leave_role(role: Role, ended: &mut Vec<usize>, unbound: &mut Vec<DownKey>) {
    match role {
        Role::Publishing { track: Matching::Matched(up), .. } => ended.push(up),
        Role::Receiving(slot) => unbound.extend(slot.down),
        Role::Publishing { .. } | Role::Idle => {}
    }
}

fn streams_of(rtc: &mut Rtc, sending: &[(Mid, bool)]) -> HashMap<Mid, (u32, Option<u32>)> {
    let mut direct = rtc.direct_api();
    let mut ssrcs = HashMap::new();
    for (mid, fresh) in sending {
        if *fresh {
            // made anew: the library's reset keeps the stream under its old SSRC, where feedback would not find it
            let old = direct.stream_tx_by_mid(*mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
            if let Some((old, old_rtx)) = old {
                direct.remove_stream_tx(old);
                let (ssrc, rtx) = (direct.new_ssrc(), old_rtx.map(|_| direct.new_ssrc()));
                direct.declare_stream_tx(ssrc, rtx, *mid, None);
            }
        }
        if let Some(stream) = direct.stream_tx_by_mid(*mid, None) {
            ssrcs.insert(*mid, (*stream.ssrc(), stream.rtx().map(|rtx| *rtx)));
        }
    }
    ssrcs
}
