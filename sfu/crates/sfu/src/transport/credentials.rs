//! ICE credentials that name the worker they belong to.

use str0m::IceCreds;

use crate::ids::ShardId;

/// Digits of the shard's number at the head of a ufrag, hexadecimal.
const SHARD_DIGITS: usize = 4;

/// A local user name fragment and password (RFC 8445 section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub ufrag: String,
    pub password: String,
}

impl IceCredentials {
    /// Random credentials whose ufrag begins with the shard's number: any worker can route a first datagram.
    pub fn generate(shard: ShardId) -> Self {
        let random = IceCreds::new();
        Self { ufrag: format!("{:0SHARD_DIGITS$x}{}", shard.0, random.ufrag), password: random.pass }
    }
}

impl From<IceCreds> for IceCredentials {
    fn from(IceCreds { ufrag, pass }: IceCreds) -> Self {
        Self { ufrag, password: pass }
    }
}

impl From<&IceCredentials> for IceCreds {
    fn from(credentials: &IceCredentials) -> Self {
        Self { ufrag: credentials.ufrag.clone(), pass: credentials.password.clone() }
    }
}

/// The shard that a local ufrag names.
pub(super) fn shard_of_ufrag(ufrag: &str) -> Option<ShardId> {
    u16::from_str_radix(ufrag.get(..SHARD_DIGITS)?, 16).ok().map(ShardId)
}
