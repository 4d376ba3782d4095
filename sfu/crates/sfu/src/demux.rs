//! Whose datagram is this? (RFC 7983 for kinds, RFC 8445 for the first contact.)

use std::collections::HashMap;
use std::net::SocketAddr;

use str0m::ice::StunMessage;

use crate::config::shard_of_ufrag;
use crate::ids::{PeerKey, ShardId};

/// More strangers than this are forgotten; they are learned again by their next connectivity check.
const MAX_FOREIGN: usize = 65_536;

#[derive(Default)]
pub(crate) struct Demux {
    by_address: HashMap<SocketAddr, PeerKey>,
    by_ufrag: HashMap<String, PeerKey>,
    foreign: HashMap<SocketAddr, ShardId>,
}

pub(crate) enum Owner {
    Here(PeerKey),
    Shard(ShardId),
    Unknown,
}

impl Demux {
    /// Connectivity checks go by ufrag, all else by an address that a check has validated.
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
        let Ok(message) = StunMessage::parse(data) else { return Owner::Unknown };
        let Some((local, _)) = message.split_username() else { return Owner::Unknown };
        match shard_of_ufrag(local) {
            Some(shard) if shard == me => self.by_ufrag.get(local).map_or(Owner::Unknown, |peer| Owner::Here(*peer)),
            Some(shard) => {
                if self.foreign.len() >= MAX_FOREIGN {
                    self.foreign.clear();
                }
                self.foreign.insert(source, shard);
                Owner::Shard(shard)
            }
            None => Owner::Unknown,
        }
    }

    pub fn add_ufrag(&mut self, ufrag: String, peer: PeerKey) {
        self.by_ufrag.insert(ufrag, peer);
    }

    /// An answered check proves that the peer holds its ICE password.
    pub fn validate(&mut self, address: SocketAddr, peer: PeerKey) {
        self.by_address.insert(address, peer);
    }

    pub fn forget(&mut self, peer: PeerKey) {
        self.by_address.retain(|_, owner| *owner != peer);
        self.by_ufrag.retain(|_, owner| *owner != peer);
    }
}

pub(crate) fn is_stun(data: &[u8]) -> bool {
    data.first().is_some_and(|first| *first < 2)
}

/// A binding success response (RFC 8489): only checks with the right integrity are answered so.
pub(crate) fn is_binding_success(data: &[u8]) -> bool {
    data.starts_with(&[0x01, 0x01])
}
