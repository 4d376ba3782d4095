//! Which peer a datagram belongs to (RFC 7983 for kinds of datagrams, RFC 8445 for first connectivity checks).

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::ids::{PeerKey, ShardId};
use crate::transport::{is_stun, shard_of_check};

/// More addresses of other shards than this are dropped; their next connectivity check brings them back.
const MAX_FOREIGN: usize = 65_536;

#[derive(Default)]
pub(super) struct Demux {
    by_address: HashMap<SocketAddr, PeerKey>,
    by_ufrag: HashMap<String, PeerKey>,
    /// Addresses whose peer another shard owns.
    foreign: HashMap<SocketAddr, ShardId>,
}

/// Whose a datagram is.
pub(crate) enum Owner {
    /// A peer of this shard.
    Here(PeerKey),
    /// A peer of another shard.
    Shard(ShardId),
    Unknown,
}

impl Demux {
    /// Connectivity checks are routed by ufrag, everything else by an address that a check has validated.
    pub fn owner(&mut self, me: ShardId, source: SocketAddr, data: &[u8]) -> Owner {
        if is_stun(data) {
            return self.owner_of_check(me, source, data);
        }
        if let Some(peer) = self.by_address.get(&source) {
            return Owner::Here(*peer);
        }
        self.foreign.get(&source).map_or(Owner::Unknown, |shard| Owner::Shard(*shard))
    }

    fn owner_of_check(&mut self, me: ShardId, source: SocketAddr, data: &[u8]) -> Owner {
        let owner = shard_of_check(data, |shard, ufrag| {
            if shard == me {
                return self.by_ufrag.get(ufrag).map_or(Owner::Unknown, |peer| Owner::Here(*peer));
            }
            if self.foreign.len() >= MAX_FOREIGN {
                self.foreign.clear();
            }
            self.foreign.insert(source, shard);
            Owner::Shard(shard)
        });
        owner.unwrap_or(Owner::Unknown)
    }

    pub fn add_ufrag(&mut self, ufrag: String, peer: PeerKey) {
        self.by_ufrag.insert(ufrag, peer);
    }

    /// An answered check proves that the peer holds its ICE password.
    pub fn validate(&mut self, address: SocketAddr, peer: PeerKey) {
        self.by_address.insert(address, peer);
    }

    pub fn remove(&mut self, peer: PeerKey) {
        self.by_address.retain(|_, owner| *owner != peer);
        self.by_ufrag.retain(|_, owner| *owner != peer);
    }
}
