//! The state of one worker: dispatches inputs to the parts that own their state, and collects what they produce.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::allocator::{Allocator, on_arrivals, on_estimate};
use crate::command::Command;
use crate::counters::Counters;
use crate::data::DataMessage;
use crate::datagram::{Origin, Path};
use crate::event::Event;
use crate::ids::{PeerId, PeerKey, ShardId};
use crate::media::Channel;
use crate::message::Message;
use crate::negotiation::Negotiation;
use crate::outbox::{Outbox, Output};
use crate::peers::{Offering, Owner, Peer, Peers, is_channel_data};
use crate::publishing::Publications;
use crate::report::report_peer;
use crate::subscribing::Subscriptions;
use crate::tick::tick;
use crate::transport::{Codecs, Sent, ShardConfig, TransportEvent};

/// Layers, waiting key frames, silence and bandwidth are checked this often.
const TICK: Duration = Duration::from_millis(100);
/// So many datagrams are sealed before they are sent: 40 kB, which the processor then still has in its nearest cache.
const MAX_FLUSHED: usize = 32;

/// The state of one worker. Give it inputs, call [`Shard::flush`], then take [`Shard::output`].
pub struct Shard {
    peers: Peers,
    publications: Publications,
    subscriptions: Subscriptions,
    allocator: Allocator,
    outbox: Outbox,
    next_tick: Option<Instant>,
}

impl Shard {
    /// A shard without peers. `id` is its index among the shards that exchange messages.
    pub fn new(id: ShardId, config: ShardConfig) -> Self {
        Self {
            peers: Peers::new(id, config),
            publications: Publications::default(),
            subscriptions: Subscriptions::default(),
            allocator: Allocator::default(),
            outbox: Outbox::new(id),
            next_tick: None,
        }
    }

    // ── inputs ──

    /// A datagram from one of this worker's sockets, with the local address that the system tells. `now` is when it
    /// arrived, as exactly as known: the bandwidth of publishers is estimated from the intervals.
    pub fn handle_datagram(&mut self, now: Instant, path: Path, data: &[u8]) {
        let counters = self.outbox.count();
        counters.datagrams_in += 1;
        counters.bytes_in += data.len() as u64;
        let via = self.outbox.shard();
        let Some(path) = self.peers.offered(path) else {
            self.outbox.count().drop_unknown_source += 1;
            return;
        };
        match self.peers.owner(now, path, data) {
            Owner::Here(peer) => self.admit(now, peer, (path, via), data),
            Owner::Shard(shard) => {
                self.outbox.send(shard, Message::Datagram { path, data: data.to_vec(), arrival: now, via });
            }
            Owner::Unknown => self.outbox.count().drop_unknown_source += 1,
        }
    }

    /// A message from another shard.
    pub fn handle_message(&mut self, now: Instant, message: Message) {
        if !message.is_traffic() {
            self.forward();
        }
        self.guarded(None, |shard| shard.dispatch_message(now, message));
        self.settle(now);
    }

    fn dispatch_message(&mut self, now: Instant, message: Message) {
        let Self { peers, publications, subscriptions, outbox, .. } = self;
        match message {
            Message::Datagram { path, data, arrival, via } => match peers.owner(arrival, path, &data) {
                Owner::Here(peer) => self.admit(arrival, peer, (path, via), &data),
                // never passed on again: a forged ufrag must not make it circulate
                Owner::Shard(_) | Owner::Unknown => outbox.count().drop_unknown_source += 1,
            },
            Message::Packet { track, packet } => subscriptions.receive([(track, packet)]),
            Message::PathBound { path, owner } => peers.on_path(now, path, owner, true),
            Message::PathReleased { path, owner } => peers.on_path(now, path, owner, false),
            Message::Attach { track, from } => publications.on_attach(&track, from, outbox),
            Message::Detach { track, from } => publications.on_detach(now, &track, from, peers, outbox),
            Message::Demand { track, from, wanted, relay } => {
                publications.on_demand(now, &track, from, (wanted, relay), peers, outbox);
            }
            Message::KeyframeWanted { track, layer } => {
                publications.on_keyframe_wanted(now, &track, layer, peers, outbox);
            }
            Message::State { track, state } => subscriptions.on_state(&track, state, peers, outbox),
            Message::Gone { track } => subscriptions.on_gone(&track, peers, outbox),
        }
    }

    /// A command from signalling.
    pub fn handle_command(&mut self, now: Instant, command: Command) {
        self.forward();
        self.guarded(None, |shard| shard.dispatch_command(now, command));
        self.settle(now);
    }

    fn dispatch_command(&mut self, now: Instant, command: Command) {
        let Self { peers, publications, subscriptions, outbox, .. } = self;
        match command {
            Command::AddPeer { peer, codecs } => self.add_peer(now, peer, codecs, None),
            Command::AddSubscriber { peer, channels, codecs } => self.add_peer(now, peer, codecs, Some(channels)),
            Command::RemovePeer { peer } => self.remove_peer(now, &peer),
            Command::Offer { peer, offer_id, sdp } => {
                self.negotiate(now, peer, offer_id, |it, key| it.accept(now, key, offer_id, &sdp));
            }
            Command::Answer { peer, offer_id, sdp } => {
                self.negotiate(now, peer, offer_id, |it, key| it.own_offers().accept_answer(now, key, offer_id, &sdp));
            }
            Command::RestartIce { peer } => self.negotiation().own_offers().restart_ice(&peer),
            Command::ExpectTrack { peer, track, spec } => publications.expect(&peer, track, spec, peers),
            Command::WithdrawTrack { peer, track } => publications.withdraw(&peer, &track, peers, outbox),
            Command::SetTrackMuted { peer, track, muted } => {
                publications.set_muted(&peer, &track, muted, peers, outbox);
            }
            Command::Subscribe { peer, source } => subscriptions.subscribe(&peer, source, peers, outbox),
            Command::Unsubscribe { peer, track } => subscriptions.unsubscribe(&peer, &track, peers, outbox),
            Command::ConfigureSubscription { peer, track, settings } => {
                subscriptions.configure(&peer, track, settings, peers, outbox);
            }
            Command::SendData { peers, channel, payload } => {
                for peer in &peers {
                    self.send_data(now, peer, channel, &payload);
                }
            }
            Command::HoldData { peer, time } => {
                if let Some(peer) = peers.key_of(&peer).and_then(|key| peers.get_mut(key)) {
                    peer.hold_data_until(now + time);
                }
            }
        }
    }

    /// Time has passed; due at [`Shard::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((peer, from, data)) = self.peers.take_held(now) {
            self.receive(now, peer, from, &data);
        }
        while self.peers.advance_next(now, &mut self.outbox) {
            self.settle(now);
        }
        if self.next_tick.is_none_or(|tick| tick <= now) {
            self.next_tick = Some(now + TICK);
            self.guarded(None, |shard| {
                let Self { peers, publications, subscriptions, allocator, outbox, .. } = shard;
                tick(now, peers, publications, subscriptions, allocator, outbox);
            });
            self.settle(now);
        }
    }

    /// End of a batch of inputs: handle the messages to this shard itself, and encrypt what has to be sent.
    pub fn flush(&mut self, now: Instant) {
        while !self.flush_some(now) {}
    }

    /// A part of [`Shard::flush`]: true when it was the last one. What it has produced is small enough to still be in
    /// the processor's cache when it is sent.
    #[must_use]
    pub fn flush_some(&mut self, now: Instant) -> bool {
        self.forward();
        let before = self.outbox.output().datagrams.len();
        loop {
            while let Some(message) = self.outbox.take_local() {
                self.handle_message(now, message);
            }
            if self.outbox.output().datagrams.len() >= before + MAX_FLUSHED {
                return false;
            }
            if !self.peers.flush_next(now, &mut self.outbox) {
                break;
            }
            self.settle(now);
        }
        self.guarded(None, |shard| shard.negotiation().request_offers(now));
        self.settle(now);
        self.peers.announce_paths(&mut self.outbox);
        true
    }

    /// Let what came so far be sent with the next flush.
    fn forward(&mut self) {
        self.guarded(None, |shard| shard.subscriptions.forward(&mut shard.peers, &mut shard.outbox));
    }

    // ── outputs ──

    /// What the inputs so far have produced; the caller drains it.
    pub fn output(&mut self) -> &mut Output {
        self.outbox.output()
    }

    /// When [`Shard::handle_timeout`] is due, None while there are no peers.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.peers.is_empty() {
            return None;
        }
        self.peers.next_deadline().into_iter().chain(self.next_tick).min()
    }

    /// Counts since the shard was made.
    pub fn counters(&self) -> Counters {
        self.outbox.counters()
    }

    /// Remove every peer because of an error outside any peer's own step.
    pub fn fail_all(&mut self, now: Instant, reason: &str) {
        self.peers.keys().into_iter().for_each(|key| self.peers.fail(key, reason));
        self.settle(now);
        self.peers.announce_paths(&mut self.outbox);
    }

    // ── peers ──

    fn add_peer(&mut self, now: Instant, id: PeerId, codecs: Codecs, offered_channels: Option<bool>) {
        if let Some(key) = self.peers.add(now, id, codecs, offered_channels.map(Offering::new)) {
            self.peers.check_sections(key);
            self.outbox.count().peers_added += 1;
            self.next_tick.get_or_insert(now + TICK);
        }
    }

    fn remove_peer(&mut self, now: Instant, id: &PeerId) {
        let Some(key) = self.peers.key_of(id) else { return };
        self.peers.step(key, &mut self.outbox, |transport, drained| transport.close(now, drained));
        self.settle(now);
        if let Some(peer) = self.peers.remove(key) {
            self.forget(&peer);
        }
    }

    /// End everything that belonged to a removed peer.
    fn forget(&mut self, peer: &Peer) {
        for track in peer.published() {
            self.publications.remove(*track, &mut self.peers, &mut self.outbox);
        }
        for (_, subscription) in peer.subscriptions() {
            self.subscriptions.remove(subscription, &mut self.peers, &mut self.outbox);
        }
    }

    fn negotiation(&mut self) -> Negotiation<'_> {
        let Self { peers, publications, subscriptions, outbox, .. } = self;
        Negotiation { peers, publications, subscriptions, outbox }
    }

    fn negotiate(
        &mut self,
        now: Instant,
        peer: PeerId,
        offer_id: i64,
        run: impl FnOnce(&mut Negotiation<'_>, PeerKey) -> Result<(), String>,
    ) {
        let Some(key) = self.peers.key_of(&peer) else { return };
        self.peers.work_for(Some(key));
        let outcome = run(&mut self.negotiation(), key);
        // if the peer failed, that is reported first
        self.settle(now);
        if let Err(reason) = outcome {
            self.outbox.emit(Event::NegotiationFailed { peer, offer_id, reason });
        }
    }

    fn admit(&mut self, now: Instant, key: PeerKey, from: Origin, data: &[u8]) {
        if !is_channel_data(data) || self.peers.admit_data(now, key, from, data, &mut self.outbox) {
            self.receive(now, key, from, data);
        }
    }

    fn receive(&mut self, now: Instant, key: PeerKey, from: Origin, data: &[u8]) {
        self.peers.receive(now, key, from, data, &mut self.outbox);
        self.settle(now);
        if self.peers.get_mut(key).is_some_and(Peer::is_back) {
            self.subscriptions.on_return(key, &self.peers, &mut self.outbox);
        }
        // a lost peer sends again, from an address that a check has validated
        if let Some(peer) = self.peers.get_mut(key)
            && peer.is_recovered()
        {
            self.outbox.emit(Event::PeerConnected { peer: peer.id().clone() });
        }
    }

    // ── faults ──

    /// Run work whose panic costs the peer that it was done for: `peer`, or else the one that was touched last. Without
    /// one the caller has to give the whole shard up.
    fn guarded(&mut self, peer: Option<PeerKey>, work: impl FnOnce(&mut Self)) {
        self.peers.work_for(peer);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(self)))
            && !self.peers.fail_at_work()
        {
            resume_unwind(panic);
        }
    }

    // ── what steps have produced ──

    /// Handle the events and failures of all steps so far.
    fn settle(&mut self, now: Instant) {
        loop {
            if let Some((peer, reason)) = self.peers.take_failed() {
                self.outbox.count().peers_failed += 1;
                self.outbox.emit(Event::PeerFailed { peer: peer.id().clone(), reason });
                self.forget(&peer);
            } else if let Some((key, event)) = self.peers.take_event() {
                self.guarded(Some(key), |shard| shard.on_transport_event(now, key, event));
            } else {
                return;
            }
        }
    }

    fn on_transport_event(&mut self, now: Instant, key: PeerKey, event: TransportEvent) {
        let Self { peers, publications, subscriptions, outbox, .. } = self;
        match event {
            TransportEvent::Media(packet) => {
                subscriptions.receive(publications.receive(now, key, packet, peers, outbox));
            }
            TransportEvent::Connected => self.on_connected(key),
            TransportEvent::Closed => {
                if let Some(peer) = peers.get_mut(key)
                    && peer.closed()
                {
                    outbox.emit(Event::PeerDisconnected { peer: peer.id().clone() });
                }
            }
            TransportEvent::KeyframeRequested(mid) => subscriptions.on_keyframe_request(key, &mid, peers, outbox),
            TransportEvent::BandwidthEstimated(bps) => on_estimate(now, key, bps, peers),
            TransportEvent::Arrived(arrivals) => on_arrivals(now, key, &arrivals, peers, subscriptions, outbox),
            TransportEvent::Stats(stats) => {
                let Some(peer) = peers.get_mut(key) else { return };
                peer.budget_mut().reported(now, stats.sent_loss, stats.rtt);
                if let Some((loss, rtt_ms)) = peer.update_link(&stats) {
                    outbox.emit(Event::LinkQuality { peer: peer.id().clone(), loss, rtt_ms });
                }
            }
            TransportEvent::Report(link) => report_peer(now, (key, &link), peers, publications, subscriptions, outbox),
            TransportEvent::ChannelOpened(channel) => {
                if let Some(peer) = peers.get(key) {
                    outbox.emit(Event::DataOpen { peer: peer.id().clone(), channel });
                }
            }
            TransportEvent::DataReceived(channel, payload) => self.on_data(key, channel, payload),
        }
    }

    fn on_connected(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.connected();
        self.outbox.emit(Event::PeerConnected { peer: peer.id().clone() });
        let tracks: Vec<_> = peer.subscriptions().map(|(track, _)| track.clone()).collect();
        for track in tracks {
            self.subscriptions.refresh(&track, &mut self.peers, &mut self.outbox);
        }
    }

    fn send_data(&mut self, now: Instant, id: &PeerId, channel: Channel, payload: &Arc<DataMessage>) {
        let Self { peers, outbox, .. } = self;
        let Some(key) = peers.key_of(id) else { return };
        let sent = peers.step(key, outbox, |transport, drained| transport.send_data(now, drained, channel, payload));
        match sent {
            Some(Sent::Accepted) => outbox.count().data_messages_out += 1,
            Some(Sent::Dropped) => outbox.count().drop_data += 1,
            Some(Sent::Lost) => {
                outbox.count().drop_data += 1;
                outbox.emit(Event::DataLost { peer: id.clone(), bytes: payload.len() as u64 });
            }
            None => {}
        }
    }

    fn on_data(&mut self, key: PeerKey, channel: Channel, payload: Vec<u8>) {
        let Some(peer) = self.peers.get(key) else { return };
        let payload = Arc::new(DataMessage::new(payload, Some(peer.data_flow().clone())));
        self.outbox.count().data_messages_in += 1;
        self.outbox.emit(Event::DataReceived { peer: peer.id().clone(), channel, payload });
    }
}

#[cfg(test)]
#[path = "shard_faults.rs"]
mod faults;
