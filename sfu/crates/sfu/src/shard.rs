//! The state of one worker, and its inputs and outputs.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use slab::Slab;
use str0m::net::Transmit;
use str0m::{Event as RtcEvent, Rtc, RtcError};

use crate::command::{Command, Wish};
use crate::config::{ShardConfig, credentials};
use crate::demux::{Demux, Owner, is_binding_success};
use crate::down_track::DownTrack;
use crate::event::Event;
use crate::forwarding::Feed;
use crate::ids::{PeerId, PeerKey, ShardId, TrackId};
use crate::message::Message;
use crate::peer::Peer;
use crate::speaker::Speakers;
use crate::stats::Counters;
use crate::timers::Timers;
use crate::transport::{Drained, Transport};
use crate::up_track::UpTrack;

/// A peer that is silent this long is reported as disconnected. Browsers check their connection every 2.5 s.
const SILENCE: Duration = Duration::from_secs(10);
/// Layers, waiting key frames, silence and bandwidth are looked after this often.
const TICK: Duration = Duration::from_millis(100);

/// To be sent from the worker's socket.
pub type Datagram = Transmit;

/// What came out since it was last taken.
#[derive(Default)]
pub struct Output {
    pub datagrams: Vec<Datagram>,
    pub events: Vec<Event>,
    pub messages: Vec<(ShardId, Message)>,
}

/// The state of one worker. Feed it, then [`Shard::flush`], then take [`Shard::output`].
pub struct Shard {
    pub(crate) id: ShardId,
    pub(crate) config: ShardConfig,
    pub(crate) peers: Slab<Peer>,
    pub(crate) names: HashMap<PeerId, PeerKey>,
    pub(crate) ups: Slab<UpTrack>,
    pub(crate) up_names: HashMap<TrackId, usize>,
    pub(crate) downs: Slab<DownTrack>,
    pub(crate) feeds: HashMap<TrackId, Feed>,
    pub(crate) demux: Demux,
    pub(crate) speakers: Speakers,
    pub(crate) counters: Counters,
    pub(crate) out: Output,
    pub(crate) to_self: VecDeque<Message>,
    /// Peers with packets to seal.
    pub(crate) to_drain: Vec<PeerKey>,
    /// Peers whose sections may not suffice.
    pub(crate) to_ask: Vec<PeerKey>,
    pub(crate) last_measured: Option<Instant>,
    pub(crate) last_judged: Option<Instant>,
    pub(crate) last_budgeted: Option<Instant>,
    timers: Timers,
    next_tick: Option<Instant>,
}

impl Shard {
    pub fn new(id: ShardId, config: ShardConfig) -> Self {
        Self {
            id,
            config,
            peers: Slab::new(),
            names: HashMap::new(),
            ups: Slab::new(),
            up_names: HashMap::new(),
            downs: Slab::new(),
            feeds: HashMap::new(),
            demux: Demux::default(),
            speakers: Speakers::default(),
            counters: Counters::default(),
            out: Output::default(),
            to_self: VecDeque::new(),
            to_drain: Vec::new(),
            to_ask: Vec::new(),
            last_measured: None,
            last_judged: None,
            last_budgeted: None,
            timers: Timers::default(),
            next_tick: None,
        }
    }

    // ── inputs ──

    /// A datagram from this worker's socket. `now` is when it arrived, as exactly as known: publishers' bandwidth is
    /// estimated from the distances.
    pub fn handle_datagram(&mut self, now: Instant, source: SocketAddr, data: &[u8]) {
        self.counters.datagrams_in += 1;
        self.counters.bytes_in += data.len() as u64;
        match self.demux.owner(self.id, source, data) {
            Owner::Here(peer) => self.receive(now, peer, source, data),
            Owner::Shard(shard) if shard != self.id => {
                self.out.messages.push((shard, Message::Datagram { source, data: data.to_vec(), arrival: now }));
            }
            Owner::Shard(_) | Owner::Unknown => self.counters.drop_unknown_source += 1,
        }
    }

    pub fn handle_message(&mut self, now: Instant, message: Message) {
        match message {
            Message::Datagram { source, data, arrival } => match self.demux.owner(self.id, source, &data) {
                Owner::Here(peer) => self.receive(arrival, peer, source, &data),
                // never passed on again: a made-up ufrag must not make it go round
                Owner::Shard(_) | Owner::Unknown => self.counters.drop_unknown_source += 1,
            },
            Message::Attach { track, from } => self.on_attach(&track, from),
            Message::Detach { track, from } => self.on_detach(now, &track, from),
            Message::Demand { track, from, wanted, relay } => self.on_demand(now, &track, from, wanted, relay),
            Message::KeyframeWanted { track, layer } => self.want_keyframe(now, &track, layer),
            Message::State { track, state } => self.on_state(&track, state),
            Message::Packet { track, packet } => self.forward(&track, &packet),
            Message::Gone { track } => self.on_gone(&track),
        }
    }

    pub fn handle_command(&mut self, now: Instant, command: Command) {
        match command {
            Command::AddPeer { peer } => self.add_peer(now, peer),
            Command::RemovePeer { peer } => self.remove_peer(now, &peer),
            Command::Offer { peer, offer_id, sdp } => self.negotiate(now, &peer, offer_id, &sdp),
            Command::Trickle { peer, candidate } => self.trickle(now, &peer, &candidate),
            Command::ExpectTrack { peer, track, kind, cids, layers } => {
                self.expect_track(&peer, UpTrack::new(0, track, kind, cids, layers));
            }
            Command::WithdrawTrack { peer, track } => self.withdraw_track(&peer, &track),
            Command::SetTrackMuted { peer, track, muted } => self.set_track_muted(&peer, &track, muted),
            Command::Subscribe { peer, source } => self.subscribe(&peer, source),
            Command::Unsubscribe { peer, track } => self.unsubscribe(&peer, &track),
            Command::ConfigureSubscription { peer, track, wish } => self.configure(&peer, track, wish),
            Command::SendData { peers, channel, payload } => {
                for peer in peers {
                    self.send_data(now, &peer, channel, &payload);
                }
            }
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((deadline, key)) = self.timers.pop_due(now) {
            let Some(peer) = self.peers.get_mut(key).filter(|peer| peer.scheduled == Some(deadline)) else { continue };
            peer.scheduled = None;
            if peer.transport.deadline() <= now {
                self.step(now, key, |peer, drained| peer.transport.advance(now, drained));
            } else {
                self.schedule(key);
            }
        }
        if self.next_tick.is_none_or(|tick| tick <= now) {
            self.next_tick = Some(now + TICK);
            self.tick(now);
        }
    }

    /// End of a batch of inputs: settle what they set off and seal what has to be sent.
    pub fn flush(&mut self, now: Instant) {
        loop {
            while let Some(message) = self.to_self.pop_front() {
                self.handle_message(now, message);
            }
            let Some(key) = self.to_drain.pop() else { break };
            if let Some(peer) = self.peers.get_mut(key) {
                peer.has_egress = false;
                self.step(now, key, |peer, drained| peer.transport.advance(now, drained));
            }
        }
        self.ask_for_sections(now);
    }

    // ── outputs ──

    pub fn output(&mut self) -> &mut Output {
        &mut self.out
    }

    /// When [`Shard::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.peers.is_empty() {
            return None;
        }
        self.timers.next().into_iter().chain(self.next_tick).min()
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Give up every peer, telling why.
    pub fn fail_all(&mut self, reason: &str) {
        let keys: Vec<PeerKey> = self.peers.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.fail(key, reason);
        }
    }

    // ── peers ──

    fn add_peer(&mut self, now: Instant, id: PeerId) {
        if self.names.contains_key(&id) {
            return;
        }
        let credentials = credentials(self.id);
        let transport = Transport::new(now, &self.config, credentials.clone());
        let key = self.peers.insert(Peer::new(id.clone(), transport, credentials.clone(), now));
        self.names.insert(id, key);
        self.demux.add_ufrag(credentials.ufrag, key);
        self.counters.peers_added += 1;
        self.next_tick.get_or_insert(now + TICK);
    }

    fn remove_peer(&mut self, now: Instant, id: &PeerId) {
        let Some(key) = self.names.get(id).copied() else { return };
        // says goodbye (DTLS close_notify), so that the client need not wait for its timeout
        self.step(now, key, |peer, drained| peer.transport.step(now, drained, Rtc::close));
        self.forget_peer(key);
    }

    /// The peer and all that hangs on it.
    fn forget_peer(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get(key) else { return };
        let (ups, downs): (Vec<_>, Vec<_>) = (peer.ups.clone(), peer.downs.values().copied().collect());
        for up in ups {
            self.remove_up(up);
        }
        for down in downs {
            self.remove_down(down);
        }
        if let Some(peer) = self.peers.try_remove(key) {
            self.names.remove(&peer.id);
        }
        self.demux.forget(key);
    }

    pub(crate) fn fail(&mut self, key: PeerKey, reason: &str) {
        let Some(peer) = self.peers.get(key) else { return };
        self.counters.peers_failed += 1;
        self.out.events.push(Event::PeerFailed { peer: peer.id.clone(), reason: reason.to_owned() });
        self.forget_peer(key);
    }

    pub(crate) fn peer_key(&self, id: &PeerId) -> Option<PeerKey> {
        self.names.get(id).copied()
    }

    pub(crate) fn send(&mut self, to: ShardId, message: Message) {
        if to == self.id {
            self.to_self.push_back(message);
        } else {
            self.out.messages.push((to, message));
        }
    }

    fn receive(&mut self, now: Instant, key: PeerKey, source: SocketAddr, data: &[u8]) {
        let Some(destination) = self.config.local_address(source) else { return };
        if let Some(peer) = self.peers.get_mut(key) {
            peer.connection.last_heard = now;
        }
        self.step(now, key, |peer, drained| peer.transport.receive(now, drained, (source, destination), data));
        self.reconnected(key);
    }

    /// Run one step of a peer. A panic or an error costs that peer alone.
    pub(crate) fn step<R>(
        &mut self,
        now: Instant,
        key: PeerKey,
        run: impl FnOnce(&mut Peer, &mut Drained) -> Result<R, RtcError>,
    ) -> Option<R> {
        let peer = self.peers.get_mut(key)?;
        let mut drained = Drained::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(peer, &mut drained)));
        for datagram in drained.datagrams {
            if is_binding_success(&datagram.contents) {
                self.demux.validate(datagram.destination, key);
            }
            self.counters.datagrams_out += 1;
            self.counters.bytes_out += datagram.contents.len() as u64;
            self.out.datagrams.push(datagram);
        }
        let result = match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => {
                self.fail(key, &error.to_string());
                return None;
            }
            Err(_) => {
                self.fail(key, "internal fault");
                return None;
            }
        };
        self.schedule(key);
        for event in drained.events {
            self.on_rtc_event(now, key, event);
        }
        Some(result)
    }

    fn schedule(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let deadline = peer.transport.deadline();
        if peer.scheduled.is_none_or(|scheduled| deadline < scheduled) {
            peer.scheduled = Some(deadline);
            self.timers.push(deadline, key);
        }
    }

    fn on_rtc_event(&mut self, now: Instant, key: PeerKey, event: RtcEvent) {
        match event {
            RtcEvent::RtpPacket(packet) => self.on_rtp(now, key, packet),
            RtcEvent::Connected => self.on_connected(key),
            RtcEvent::KeyframeRequest(request) => self.on_keyframe_request(key, request.mid),
            RtcEvent::EgressBitrateEstimate(estimate) => self.on_estimate(now, key, &estimate),
            RtcEvent::ChannelOpen(id, label) => self.on_channel_open(now, key, id, &label),
            RtcEvent::ChannelData(data) => self.on_channel_data(key, data),
            RtcEvent::ChannelClose(id) => {
                if let Some(peer) = self.peers.get_mut(key) {
                    peer.channels.closed(id);
                }
            }
            RtcEvent::ChannelBufferedAmountLow(_) => self.resume_data(now, key),
            RtcEvent::PeerStats(stats) => self.on_stats(key, &stats),
            RtcEvent::Closed => self.on_closed(key),
            _ => {}
        }
    }

    fn on_connected(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.connection.is_up = true;
        peer.connection.is_lost = false;
        self.out.events.push(Event::PeerConnected { peer: peer.id.clone() });
        let tracks: Vec<TrackId> = peer.downs.keys().cloned().collect();
        for track in tracks {
            self.refresh_feed(&track);
        }
    }

    /// A lost peer was heard again, on an address that a check has validated.
    fn reconnected(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        if peer.connection.is_up && peer.connection.is_lost {
            peer.connection.is_lost = false;
            self.out.events.push(Event::PeerConnected { peer: peer.id.clone() });
        }
    }

    /// The client closed its end in an orderly way. What still comes from it afterwards does not bring it back.
    fn on_closed(&mut self, key: PeerKey) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        peer.connection.is_up = false;
        if !peer.connection.is_lost {
            peer.connection.is_lost = true;
            self.out.events.push(Event::PeerDisconnected { peer: peer.id.clone() });
        }
    }

    fn tick(&mut self, now: Instant) {
        for (_, peer) in &mut self.peers {
            let connection = &mut peer.connection;
            let silent = now.saturating_duration_since(connection.last_heard) >= SILENCE;
            if silent && connection.is_negotiated && !connection.is_lost {
                connection.is_lost = true;
                self.out.events.push(Event::PeerDisconnected { peer: peer.id.clone() });
            }
        }
        self.tick_published(now);
        self.tick_feeds();
        self.tick_budgets(now);
        self.tick_data(now);
    }

    pub(crate) fn wish_for(&mut self, key: PeerKey, track: &TrackId) -> Wish {
        self.peers.get_mut(key).and_then(|peer| peer.early_wishes.remove(track)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_one_peers_step_costs_that_peer_alone() {
        let config = ShardConfig::new(&["192.0.2.1:1".parse().expect("an address")]).expect("a configuration");
        let (now, mut shard) = (Instant::now(), Shard::new(ShardId(0), config));
        for peer in ["PA_unlucky", "PA_other"] {
            shard.handle_command(now, Command::AddPeer { peer: peer.into() });
        }
        let unlucky = PeerId::from("PA_unlucky");
        let key = shard.peer_key(&unlucky).expect("was added");
        let outcome: Option<()> = shard.step(now, key, |_, _| panic!("on purpose"));
        assert!(outcome.is_none());
        assert!(shard.peer_key(&unlucky).is_none());
        assert!(matches!(&shard.out.events[..], [Event::PeerFailed { peer, .. }] if *peer == unlucky));
        assert!(shard.peer_key(&"PA_other".into()).is_some());
        shard.handle_timeout(now + Duration::from_secs(1));
        shard.flush(now + Duration::from_secs(1));
    }
}
