//! All peers of a shard, and the work that waits to be done for them.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use slab::Slab;

use super::demux::{Demux, Owner};
use super::offering::Offering;
use super::peer::Peer;
use super::throttle::Verdict;
use super::timers::Timers;
use super::unsent::Unsent;
use crate::datagram::{Origin, Path};
use crate::ids::{PeerId, PeerKey, ShardId};
use crate::outbox::Outbox;
use crate::token_bucket::Rate;
use crate::transport::{
    Codecs, Drained, Egress, IceCredentials, Outgoing, ShardConfig, Transport, TransportError, TransportEvent,
    is_binding_success,
};

/// How often those that wait with data are looked at.
const RELEASE_EVERY: Duration = Duration::from_millis(5);
/// Datagrams of one peer, authentic or not, that cost more than a look. A fast transfer of files has a tenth of it.
const MAX_DATAGRAMS: Rate = Rate { per_second: 20_000.0, burst: 10_000.0 };
/// Why a peer is removed in whose handling there is a defect.
const FAULT: &str = "internal fault";

pub(crate) struct Peers {
    shard: ShardId,
    config: ShardConfig,
    entries: Slab<Entry>,
    by_id: HashMap<PeerId, PeerKey>,
    demux: Demux,
    timers: Timers,
    /// What steps have produced and was not handled yet.
    drained: Drained,
    /// Peers that an error has removed, and the error.
    failed: VecDeque<(Peer, String)>,
    unsent: Unsent,
    /// Peers whose sections may not suffice.
    to_check: Vec<PeerKey>,
    /// Peers whose data is held back.
    held: VecDeque<PeerKey>,
    /// When to look whether they may go on.
    release_at: Option<Instant>,
    /// When the datagram that is being handled was received, and on which shard's socket.
    receiving: Option<(Instant, ShardId)>,
    /// Whose state was touched last: a panic is put down to it.
    at_work: Cell<Option<PeerKey>>,
}

struct Entry {
    peer: Peer,
    /// It is in [`Peers::unsent`].
    has_egress: bool,
    /// The deadline of its current entry in [`Peers::timers`].
    scheduled: Option<Instant>,
}

/// A connected peer that packets can be forwarded to.
pub(crate) struct PeerEgress<'a> {
    key: PeerKey,
    entry: &'a mut Entry,
    unsent: &'a mut Unsent,
}

impl Egress for PeerEgress<'_> {
    fn send(&mut self, packet: Outgoing<'_>) -> bool {
        let sent = self.entry.peer.transport.send(packet);
        if sent && !self.entry.has_egress {
            self.entry.has_egress = true;
            self.unsent.add(self.key);
        }
        sent
    }
}

impl Peers {
    pub fn new(shard: ShardId, config: ShardConfig) -> Self {
        Self {
            shard,
            demux: Demux::new(shard, config.ufrag_key().clone()),
            config,
            entries: Slab::new(),
            by_id: HashMap::new(),
            timers: Timers::default(),
            drained: Drained::default(),
            failed: VecDeque::new(),
            unsent: Unsent::default(),
            to_check: Vec::new(),
            held: VecDeque::new(),
            release_at: None,
            receiving: None,
            at_work: Cell::default(),
        }
    }

    // ── the table ──

    /// None if the peer exists. `offering`: where we make the offers.
    pub fn add(&mut self, now: Instant, id: PeerId, codecs: Codecs, offering: Option<Offering>) -> Option<PeerKey> {
        if self.by_id.contains_key(&id) {
            return None;
        }
        let credentials = self.new_credentials();
        let ufrag = credentials.ufrag.clone();
        let transport = Transport::new(now, &self.config, credentials, codecs);
        let peer = Peer::new(id.clone(), transport, offering, now);
        let key = self.entries.insert(Entry { peer, has_egress: false, scheduled: None });
        self.by_id.insert(id, key);
        self.demux.add_ufrag(ufrag, key);
        Some(key)
    }

    pub fn remove(&mut self, key: PeerKey) -> Option<Peer> {
        let Entry { peer, .. } = self.entries.try_remove(key)?;
        self.by_id.remove(peer.id());
        self.demux.remove(key);
        Some(peer)
    }

    /// Remove a peer because of an error; [`Peers::take_failed`] returns it.
    pub fn fail(&mut self, key: PeerKey, reason: &str) {
        if let Some(peer) = self.remove(key) {
            self.failed.push_back((peer, reason.to_owned()));
        }
    }

    /// Remove a peer for what its client does; the reason names its address.
    pub fn fail_offender(&mut self, key: PeerKey, offence: &str) {
        let address = self.demux.address_of(key).map(|address| format!(", from {address}"));
        self.fail(key, &format!("{offence}{}", address.unwrap_or_default()));
    }

    // ── faults ──

    /// What follows is done for this peer.
    pub fn work_for(&self, key: Option<PeerKey>) {
        self.at_work.set(key);
    }

    /// Remove the peer that a panic is put down to. False if there is none.
    pub fn fail_at_work(&mut self) -> bool {
        let Some(key) = self.at_work.take().filter(|key| self.entries.contains(*key)) else { return false };
        self.fail(key, FAULT);
        true
    }

    pub fn take_failed(&mut self) -> Option<(Peer, String)> {
        self.failed.pop_front()
    }

    pub fn key_of(&self, id: &PeerId) -> Option<PeerKey> {
        self.by_id.get(id).copied()
    }

    pub fn get(&self, key: PeerKey) -> Option<&Peer> {
        self.at_work.set(Some(key));
        self.entries.get(key).map(|entry| &entry.peer)
    }

    pub fn get_mut(&mut self, key: PeerKey) -> Option<&mut Peer> {
        self.at_work.set(Some(key));
        self.entries.get_mut(key).map(|entry| &mut entry.peer)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.entries.iter_mut().map(|(_, entry)| &mut entry.peer)
    }

    pub fn keys(&self) -> Vec<PeerKey> {
        self.entries.iter().map(|(key, _)| key).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    // ── datagrams ──

    /// The path by the candidate that leads to it, None if there is none.
    pub fn offered(&self, path: Path) -> Option<Path> {
        self.config.offered(path)
    }

    pub fn owner(&mut self, now: Instant, path: Path, data: &[u8]) -> Owner {
        self.demux.owner(now, path, data)
    }

    /// `via`: the shard on whose socket the datagram arrived.
    pub fn receive(&mut self, now: Instant, key: PeerKey, (path, via): Origin, data: &[u8], outbox: &mut Outbox) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.peer.connectivity.received(now);
            if !entry.peer.datagrams.take(now, 1.0, MAX_DATAGRAMS) {
                outbox.count().drop_flood += 1;
                return;
            }
        }
        self.receiving = Some((now, via));
        self.step(key, outbox, |transport, drained| transport.receive(now, drained, path, data));
        self.receiving = None;
        outbox.count().drop_unmatched_media += std::mem::take(&mut self.drained.refused);
    }

    /// The owner of a peer tells whether a path whose datagrams arrive here is the peer's.
    pub fn on_path(&mut self, now: Instant, path: Path, owner: ShardId, is_bound: bool) {
        if is_bound {
            self.demux.on_bound(now, path, owner);
        } else {
            self.demux.on_released(path, owner);
        }
    }

    /// Tell other shards which paths are our peers'.
    pub fn announce_paths(&mut self, outbox: &mut Outbox) {
        for (shard, message) in self.demux.take_notices() {
            outbox.send(shard, message);
        }
        outbox.output().paths.extend(self.demux.take_changes());
    }

    /// Forget paths of peers that other shards no longer have.
    pub fn sweep_paths(&mut self, now: Instant) {
        self.demux.sweep(now);
    }

    pub fn new_credentials(&self) -> IceCredentials {
        IceCredentials::generate(self.shard, self.config.ufrag_key())
    }

    /// Whether a datagram with data may be received now. If not, it is returned by [`Peers::take_held`], or dropped.
    pub fn admit_data(&mut self, now: Instant, key: PeerKey, from: Origin, data: &[u8], outbox: &mut Outbox) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        let was_holding = entry.peer.throttle.is_holding();
        match entry.peer.throttle.admit(now, from, data) {
            Verdict::Pass => return true,
            Verdict::Held if !was_holding => {
                self.held.push_back(key);
                self.release_at.get_or_insert(now + RELEASE_EVERY);
            }
            Verdict::Held => {}
            Verdict::Dropped => outbox.count().drop_throttled += 1,
        }
        false
    }

    /// The next held datagram of a peer that may go on. None if there is none, or if it is not yet time to look.
    pub fn take_held(&mut self, now: Instant) -> Option<(PeerKey, Origin, Vec<u8>)> {
        if self.release_at.is_none_or(|at| now < at) {
            return None;
        }
        for _ in 0..self.held.len() {
            let key = self.held.front().copied()?;
            let throttle = self.entries.get_mut(key).map(|entry| &mut entry.peer.throttle);
            let Some(throttle) = throttle.filter(|throttle| throttle.is_holding()) else {
                self.held.pop_front();
                continue;
            };
            if let Some((from, data)) = throttle.take(now) {
                return Some((key, from, data));
            }
            self.held.rotate_left(1);
        }
        self.release_at = (!self.held.is_empty()).then_some(now + RELEASE_EVERY);
        None
    }

    /// Route connectivity checks for these credentials to the peer.
    pub fn add_credentials(&mut self, key: PeerKey, credentials: &IceCredentials) {
        self.demux.add_ufrag(credentials.ufrag.clone(), key);
    }

    /// Whether packets can be forwarded to it.
    pub fn is_connected(&self, key: PeerKey) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.peer.connectivity.is_up())
    }

    /// Where to write forwarded packets. None while the peer is not connected: what cannot be encrypted would pile up.
    pub fn egress(&mut self, key: PeerKey) -> Option<PeerEgress<'_>> {
        self.at_work.set(Some(key));
        let entry = self.entries.get_mut(key).filter(|entry| entry.peer.connectivity.is_up())?;
        Some(PeerEgress { key, entry, unsent: &mut self.unsent })
    }

    // ── steps ──

    /// Run one step of a peer's connection. An error or a panic removes this peer and no other one.
    pub fn step<R>(
        &mut self,
        key: PeerKey,
        outbox: &mut Outbox,
        run: impl FnOnce(&mut Transport, &mut Drained) -> Result<R, TransportError>,
    ) -> Option<R> {
        let transport = &mut self.entries.get_mut(key)?.peer.transport;
        let drained = &mut self.drained;
        let unhandled = drained.events.len();
        drained.peer = key;
        let outcome = catch_unwind(AssertUnwindSafe(|| run(transport, drained)));
        for datagram in self.drained.datagrams.drain(..) {
            if let Some((now, via)) = self.receiving
                && is_binding_success(&datagram.contents)
            {
                self.demux.bind(now, datagram.path, key, via);
            }
            outbox.send_datagram(datagram);
        }
        let error = match outcome {
            Ok(Ok(result)) => {
                self.schedule(key);
                return Some(result);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => FAULT.to_owned(),
        };
        self.drained.events.truncate(unhandled);
        self.fail_offender(key, &error);
        None
    }

    /// The next event of past steps. Events of a peer that is gone are skipped.
    pub fn take_event(&mut self) -> Option<(PeerKey, TransportEvent)> {
        loop {
            let (key, event) = self.drained.events.pop_front()?;
            if self.entries.contains(key) {
                return Some((key, event));
            }
        }
    }

    /// What was forwarded is sent at this time, or sooner with what cannot wait.
    pub fn send_by(&mut self, at: Instant) {
        self.unsent.send_by(at);
    }

    /// Encrypt and send what was forwarded to one peer. False if there is none, or if it waits for more.
    pub fn flush_next(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let Some(key) = self.unsent.take_due(now) else { return false };
        if let Some(entry) = self.entries.get_mut(key) {
            entry.has_egress = false;
            let mut buffers = std::mem::take(outbox.buffers());
            self.step(key, outbox, |transport, drained| {
                transport.flush(now, &mut buffers, drained);
                Ok(())
            });
            *outbox.buffers() = buffers;
        }
        true
    }

    // ── time ──

    fn schedule(&mut self, key: PeerKey) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let deadline = entry.peer.transport.deadline();
        if entry.scheduled.is_none_or(|scheduled| deadline < scheduled) {
            entry.scheduled = Some(deadline);
            self.timers.push(deadline, key);
        }
    }

    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next().into_iter().chain(self.release_at).chain(self.unsent.due()).min()
    }

    /// Advance one peer whose deadline has passed. False if there is none.
    pub fn advance_next(&mut self, now: Instant, outbox: &mut Outbox) -> bool {
        let Some((deadline, key)) = self.timers.pop_due(now) else { return false };
        if let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.scheduled == Some(deadline)) {
            entry.scheduled = None;
            if entry.peer.transport.deadline() <= now {
                self.step(key, outbox, |transport, drained| transport.advance(now, drained));
            } else {
                self.schedule(key);
            }
        }
        true
    }

    // ── sections ──

    /// Look at the peer's sections with the next flush.
    pub fn check_sections(&mut self, key: PeerKey) {
        self.to_check.push(key);
    }

    /// The peers to look at, each once.
    pub fn take_section_checks(&mut self) -> Vec<PeerKey> {
        let mut keys = std::mem::take(&mut self.to_check);
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
