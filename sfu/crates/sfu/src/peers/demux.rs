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
mod tests {
    use super::*;
    use crate::transport::IceCredentials;

    const RTP: &[u8] = &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];

    /// A binding request with nothing but a user name, as a stranger can write it.
    fn check(ufrag: &str) -> Vec<u8> {
        let name = format!("{ufrag}:them");
        let mut attribute = vec![0x00, 0x06];
        attribute.extend(u16::try_from(name.len()).expect("short").to_be_bytes());
        attribute.extend(name.bytes());
        attribute.resize(attribute.len().next_multiple_of(4), 0);
        let mut message = vec![0x00, 0x01];
        message.extend(u16::try_from(attribute.len()).expect("short").to_be_bytes());
        message.extend([0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
        message.extend(attribute);
        message
    }

    fn address(number: usize) -> Path {
        let remote = SocketAddr::from(([10, (number >> 16) as u8, (number >> 8) as u8, number as u8], 5000));
        Path::udp(([192, 0, 2, 1], 7882).into(), remote)
    }

    /// Two workers and a peer of each, with the ufrags that their clients know.
    struct Workers {
        now: Instant,
        first: Demux,
        second: Demux,
        ufrags: [String; 2],
    }

    impl Workers {
        fn new() -> Self {
            let key = UfragKey::default();
            let (mut first, mut second) = (Demux::new(ShardId(0), key.clone()), Demux::new(ShardId(1), key.clone()));
            let ufrags = [0, 1].map(|shard| IceCredentials::generate(ShardId(shard), &key).ufrag);
            first.add_ufrag(ufrags[0].clone(), 7);
            second.add_ufrag(ufrags[1].clone(), 8);
            Self { now: Instant::now(), first, second, ufrags }
        }

        /// The peer of the second worker proves an address that arrives at the first one.
        fn bind_across(&mut self, address: Path) {
            self.second.bind(self.now, address, 8, ShardId(0));
            self.deliver();
        }

        fn deliver(&mut self) {
            for (_, message) in self.second.notices.drain(..) {
                match message {
                    Message::PathBound { path, owner } => self.first.on_bound(self.now, path, owner),
                    Message::PathReleased { path, owner } => self.first.on_released(path, owner),
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn checks_that_are_not_answered_bind_nothing_and_evict_nothing() {
        let mut workers = Workers::new();
        let (here, across) = (address(1), address(2));
        workers.first.bind(workers.now, here, 7, ShardId(0));
        workers.bind_across(across);
        let ufrags = workers.ufrags.clone();
        for number in 0..200_000 {
            workers.first.owner(workers.now, address(100 + number), &check(&ufrags[number % 2]));
        }
        assert_eq!(workers.first.bindings.len(), 2);
        assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Here(7));
        assert_eq!(workers.first.owner(workers.now, across, RTP), Owner::Shard(ShardId(1)));
        assert_eq!(workers.first.owner(workers.now, address(100), RTP), Owner::Unknown);
    }

    #[test]
    fn nobody_gets_an_address_that_another_one_uses() {
        let mut workers = Workers::new();
        let (here, across) = (address(1), address(2));
        workers.first.bind(workers.now, here, 7, ShardId(0));
        workers.bind_across(across);
        let ufrags = workers.ufrags.clone();
        // the checks of a participant who writes another one's address as source are not even looked at
        assert_eq!(workers.first.owner(workers.now, here, &check(&ufrags[1])), Owner::Unknown);
        assert_eq!(workers.first.owner(workers.now, across, &check(&ufrags[0])), Owner::Unknown);
        // and could not bind it if they were
        workers.first.bind(workers.now, across, 7, ShardId(0));
        workers.bind_across(here);
        assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Here(7));
        assert_eq!(workers.first.owner(workers.now, across, RTP), Owner::Shard(ShardId(1)));
        // an address that has become silent is free
        workers.now += HELD;
        assert_eq!(workers.first.owner(workers.now, here, &check(&ufrags[1])), Owner::Shard(ShardId(1)));
        workers.bind_across(here);
        assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Shard(ShardId(1)));
    }

    #[test]
    fn only_ufrags_that_a_worker_has_made_are_passed_on() {
        let mut workers = Workers::new();
        let [_, other] = workers.ufrags.clone();
        assert_eq!(workers.first.owner(workers.now, address(1), &check(&other)), Owner::Shard(ShardId(1)));
        for forged in ["0001".to_owned(), format!("{}x", other), format!("0001{}", &other[5..]), "ä€ä€ä€ä€ä€".into()]
        {
            assert_eq!(workers.first.owner(workers.now, address(1), &check(&forged)), Owner::Unknown, "{forged}");
        }
    }

    #[test]
    fn a_ufrag_that_many_addresses_use_is_answered_in_portions() {
        let mut workers = Workers::new();
        let ufrags = workers.ufrags.clone();
        let mut admitted = |ufrag: &str| {
            let checks = (0..1000).map(|number| workers.first.owner(workers.now, address(number), &check(ufrag)));
            checks.filter(|owner| *owner != Owner::Unknown).count()
        };
        assert!((10..100).contains(&admitted(&ufrags[0])));
        assert!((10..100).contains(&admitted(&ufrags[1])), "another participant's checks are counted alone");
    }

    #[test]
    fn a_peer_holds_few_addresses_and_its_end_releases_them() {
        let mut workers = Workers::new();
        for number in 0..1000 {
            workers.now += Duration::from_millis(1);
            workers.bind_across(address(number));
        }
        assert_eq!((workers.second.bindings.len(), workers.first.bindings.len()), (MAX_PATHS, MAX_PATHS));
        assert_eq!(workers.first.owner(workers.now, address(999), RTP), Owner::Shard(ShardId(1)));
        let known = workers.ufrags[1].clone();
        assert_eq!(workers.second.owner(workers.now, address(5000), &check(&known)), Owner::Unknown, "too many");
        workers.second.remove(8);
        workers.deliver();
        assert!(workers.second.bindings.is_empty() && workers.first.bindings.is_empty());
        assert!(workers.second.by_ufrag.is_empty() && workers.second.routes.is_empty());
    }

    #[test]
    fn old_ufrags_and_addresses_of_a_lost_worker_are_forgotten() {
        let mut workers = Workers::new();
        for restart in 0..50 {
            workers.second.add_ufrag(format!("{restart}"), 8);
        }
        assert_eq!(workers.second.by_ufrag.len(), MAX_UFRAGS);
        workers.bind_across(address(1));
        workers.first.sweep(workers.now + FORGOTTEN);
        assert!(workers.first.bindings.is_empty());
    }
}
