//! Which peer a datagram belongs to (RFC 7983 for kinds of datagrams, RFC 8445 for first connectivity checks).
//!
//! A binding says whose a path is: what comes from one address of a client to one of ours. Only an answered connectivity
//! check makes one, because only a request whose integrity is right is answered: what is not authenticated can neither
//! add, replace nor evict a binding. The worker on whose socket a path arrives decides about it, also where another
//! worker owns the peer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::probation::Probation;
use crate::datagram::Path;
use crate::ids::{PeerKey, ShardId};
use crate::message::Message;
use crate::transport::{UfragKey, is_stun, ufrag_of_check};

/// Another peer gets a path only after this much silence. Clients check their connection every few seconds.
const HELD: Duration = Duration::from_secs(10);
/// Bindings to other workers are forgotten after this much silence: the owner has reported its peer's end long before.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Paths of one peer; a further one takes the place of the one that was used least recently.
const MAX_PATHS: usize = 16;
/// Paths that one peer may prove to hold before it has to restart ICE: the transport keeps a candidate for each.
const MAX_PROVEN: usize = 256;
/// Ufrags of one peer: the current one and the one before an ICE restart.
const MAX_UFRAGS: usize = 2;

pub(super) struct Demux {
    me: ShardId,
    ufrags: UfragKey,
    bindings: HashMap<Path, Binding>,
    by_ufrag: HashMap<String, PeerKey>,
    routes: HashMap<PeerKey, Routes>,
    probation: Probation,
    /// For the workers on whose sockets paths of our peers arrive.
    notices: Vec<(ShardId, Message)>,
    /// Paths of peers of ours that began or ended.
    changes: Vec<(Path, bool)>,
    swept: Option<Instant>,
}

/// Whose a path is.
struct Binding {
    holder: Holder,
    /// The worker on whose socket it arrives.
    via: ShardId,
    last_used: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    Peer(PeerKey),
    Shard(ShardId),
}

/// What leads to one peer.
#[derive(Default)]
struct Routes {
    ufrags: VecDeque<String>,
    paths: Vec<Path>,
    /// Paths bound since the last ICE restart.
    proven: usize,
}

/// Whose a datagram is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A peer of this shard.
    Here(PeerKey),
    /// A peer of another shard.
    Shard(ShardId),
    Unknown,
}

impl From<Holder> for Owner {
    fn from(holder: Holder) -> Self {
        match holder {
            Holder::Peer(peer) => Self::Here(peer),
            Holder::Shard(shard) => Self::Shard(shard),
        }
    }
}

impl Binding {
    fn is_held(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_used) < HELD
    }
}

impl Demux {
    pub fn new(me: ShardId, ufrags: UfragKey) -> Self {
        Self {
            me,
            ufrags,
            bindings: HashMap::new(),
            by_ufrag: HashMap::new(),
            routes: HashMap::new(),
            probation: Probation::default(),
            notices: Vec::new(),
            changes: Vec::new(),
            swept: None,
        }
    }

    /// Connectivity checks are routed by ufrag, everything else by a path that a check has proven.
    pub fn owner(&mut self, now: Instant, path: Path, data: &[u8]) -> Owner {
        if is_stun(data) {
            return self.owner_of_check(now, path, data).unwrap_or(Owner::Unknown);
        }
        let Some(binding) = self.bindings.get_mut(&path) else { return Owner::Unknown };
        binding.last_used = now;
        binding.holder.into()
    }

    /// None for a check that nobody has to look at: it names no ufrag of ours, or its path is another peer's.
    fn owner_of_check(&mut self, now: Instant, path: Path, data: &[u8]) -> Option<Owner> {
        let ufrag = ufrag_of_check(data)?;
        let claimed = match self.by_ufrag.get(ufrag) {
            Some(peer) => Holder::Peer(*peer),
            None => Holder::Shard(self.ufrags.shard_of(ufrag).filter(|shard| *shard != self.me)?),
        };
        if let Some(binding) = self.bindings.get_mut(&path) {
            if binding.holder == claimed {
                binding.last_used = now;
                return Some(claimed.into());
            }
            if binding.is_held(now) {
                return None;
            }
        }
        let may_prove_more = match claimed {
            Holder::Peer(peer) => self.routes.get(&peer).is_none_or(|routes| routes.proven < MAX_PROVEN),
            Holder::Shard(_) => true,
        };
        (may_prove_more && self.probation.admits(now, ufrag)).then(|| claimed.into())
    }

    /// Checks for this ufrag belong to the peer.
    pub fn add_ufrag(&mut self, ufrag: String, peer: PeerKey) {
        let routes = self.routes.entry(peer).or_default();
        routes.proven = 0;
        routes.ufrags.push_back(ufrag.clone());
        if routes.ufrags.len() > MAX_UFRAGS
            && let Some(oldest) = routes.ufrags.pop_front()
        {
            self.by_ufrag.remove(&oldest);
        }
        self.by_ufrag.insert(ufrag, peer);
    }

    /// An answered check, received on the socket of `via`, proves that the peer holds its ICE password.
    pub fn bind(&mut self, now: Instant, path: Path, peer: PeerKey, via: ShardId) {
        if !self.hold(now, path, Holder::Peer(peer), via) {
            return;
        }
        if via != self.me {
            self.notices.push((via, Message::PathBound { path, owner: self.me }));
        }
        let routes = self.routes.entry(peer).or_default();
        if routes.paths.contains(&path) {
            return;
        }
        routes.proven += 1;
        routes.paths.push(path);
        self.changes.push((path, true));
        if routes.paths.len() > MAX_PATHS {
            let last_used = |held: &&Path| self.bindings.get(held).map(|binding| binding.last_used);
            let others = routes.paths.iter().filter(|held| **held != path);
            if let Some(oldest) = others.min_by_key(last_used).copied() {
                routes.paths.retain(|held| *held != oldest);
                self.unbind(oldest, Holder::Peer(peer));
            }
        }
    }

    /// Another worker says that a path, whose datagrams arrive here, is of one of its peers.
    pub fn on_bound(&mut self, now: Instant, path: Path, owner: ShardId) {
        self.hold(now, path, Holder::Shard(owner), self.me);
    }

    pub fn on_released(&mut self, path: Path, owner: ShardId) {
        self.unbind(path, Holder::Shard(owner));
    }

    /// False if the path is another one's.
    fn hold(&mut self, now: Instant, path: Path, holder: Holder, via: ShardId) -> bool {
        if let Some(binding) = self.bindings.get(&path)
            && binding.holder != holder
        {
            if binding.is_held(now) {
                return false;
            }
            let former = binding.holder;
            if let Holder::Peer(peer) = former
                && let Some(routes) = self.routes.get_mut(&peer)
            {
                routes.paths.retain(|held| *held != path);
            }
            self.unbind(path, former);
        }
        self.bindings.insert(path, Binding { holder, via, last_used: now });
        true
    }

    fn unbind(&mut self, path: Path, holder: Holder) {
        if self.bindings.get(&path).is_none_or(|binding| binding.holder != holder) {
            return;
        }
        if matches!(holder, Holder::Peer(_)) {
            self.changes.push((path, false));
        }
        if let Some(binding) = self.bindings.remove(&path)
            && binding.via != self.me
        {
            self.notices.push((binding.via, Message::PathReleased { path, owner: self.me }));
        }
    }

    pub fn remove(&mut self, peer: PeerKey) {
        let Some(routes) = self.routes.remove(&peer) else { return };
        for ufrag in routes.ufrags {
            self.by_ufrag.remove(&ufrag);
        }
        for path in routes.paths {
            self.unbind(path, Holder::Peer(peer));
        }
    }

    /// Where a peer is, as far as it has proven it last.
    pub fn address_of(&self, peer: PeerKey) -> Option<SocketAddr> {
        self.routes.get(&peer)?.paths.last().map(|path| path.remote)
    }

    /// What the other workers have to know.
    pub fn take_notices(&mut self) -> impl Iterator<Item = (ShardId, Message)> + '_ {
        self.notices.drain(..)
    }

    /// Paths that are a peer's of ours now (true), or no longer.
    pub fn take_changes(&mut self) -> impl Iterator<Item = (Path, bool)> + '_ {
        self.changes.drain(..)
    }

    /// Forget paths whose owner cannot have told us that they ended; a few times a minute.
    pub fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < HELD) {
            return;
        }
        self.swept = Some(now);
        self.bindings.retain(|_, binding| {
            let is_silent = now.saturating_duration_since(binding.last_used) >= FORGOTTEN;
            matches!(binding.holder, Holder::Peer(_)) || !is_silent
        });
    }
}

#[cfg(test)]
#[path = "demux_tests.rs"]
mod tests;
