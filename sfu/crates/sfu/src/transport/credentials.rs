//! ICE credentials that name the worker they belong to.

use std::hash::{BuildHasher, RandomState};

use str0m::IceCreds;

use crate::ids::ShardId;

/// Digits of the shard's number at the head of a ufrag, hexadecimal.
const SHARD_DIGITS: usize = 4;
/// Digits of the tag that follows it, hexadecimal: 48 bits.
const TAG_DIGITS: usize = 12;
const TAG_MASK: u64 = (1 << (4 * TAG_DIGITS)) - 1;

/// A local user name fragment and password (RFC 8445 section 5.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IceCredentials {
    pub ufrag: String,
    pub password: String,
}

/// Tells ufrags that a worker of this process has made from forged ones, without a table that all workers share. It
/// only decides what is worth a look: what proves a client is the integrity of its checks.
#[derive(Clone, Default)]
pub(crate) struct UfragKey(RandomState);

impl UfragKey {
    fn tag(&self, shard: ShardId, random: &str) -> u64 {
        self.0.hash_one((shard, random)) & TAG_MASK
    }

    /// The shard that a ufrag names, None for a forged one.
    pub fn shard_of(&self, ufrag: &str) -> Option<ShardId> {
        let number = |text: Option<&str>| u64::from_str_radix(text?, 16).ok();
        let shard = ShardId(u16::try_from(number(ufrag.get(..SHARD_DIGITS))?).ok()?);
        let tag = number(ufrag.get(SHARD_DIGITS..SHARD_DIGITS + TAG_DIGITS))?;
        let random = ufrag.get(SHARD_DIGITS + TAG_DIGITS..)?;
        (tag == self.tag(shard, random)).then_some(shard)
    }
}

impl IceCredentials {
    /// Random credentials whose ufrag begins with the shard's number: any worker can route a first datagram.
    pub fn generate(shard: ShardId, key: &UfragKey) -> Self {
        let IceCreds { ufrag: random, pass: password } = IceCreds::new();
        let tag = key.tag(shard, &random);
        Self { ufrag: format!("{:0SHARD_DIGITS$x}{tag:0TAG_DIGITS$x}{random}", shard.0), password }
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
