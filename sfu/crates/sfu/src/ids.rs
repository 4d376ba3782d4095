//! Names that signalling gives us, as types: a peer's name can never be taken for a track's.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $id(Arc<str>);

        impl $id {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $id {
            fn from(name: &str) -> Self {
                Self(name.into())
            }
        }

        impl From<String> for $id {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A participant's connection: its participant SID (`PA_…`).
    PeerId
}
name! {
    /// A published track: its track SID (`TR_…`).
    TrackId
}

/// Which worker's state: an index, written into every ICE ufrag so that any worker can route a first datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

/// Index of a peer inside its shard.
pub(crate) type PeerKey = usize;
/// Index of a published track inside its publisher's shard.
pub(crate) type UpKey = usize;
/// Index of a subscription inside its subscriber's shard.
pub(crate) type DownKey = usize;
