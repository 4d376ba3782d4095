//! Identifiers as types, so that a peer's identifier cannot be passed where a track's is expected.

use std::fmt;
use std::sync::Arc;

macro_rules! string_id {
    ($(#[$doc:meta])* $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $id(Arc<str>);

        impl $id {
            /// The identifier as signalling writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $id {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $id {
            fn from(id: String) -> Self {
                Self(id.into())
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

string_id! {
    /// A peer connection: the participant SID (`PA_…`) of the participant that it belongs to.
    PeerId
}
string_id! {
    /// A published track: its track SID (`TR_…`).
    TrackId
}
string_id! {
    /// A media section of a session description: the value of its `a=mid` (RFC 5888).
    Mid
}

/// The index of a worker's shard. Every local ICE ufrag begins with it, so that any worker can route a first datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShardId(pub u16);

impl TrackId {
    /// The track as clients know it: `TR_a/vp8` is `TR_a` in a second codec.
    pub(crate) fn published(&self) -> Self {
        self.0.split_once('/').map_or_else(|| self.clone(), |(track, _)| Self::from(track))
    }
}

/// The synchronization source of an RTP stream (RFC 3550 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Ssrc(pub u32);

/// Index of a peer in its shard.
pub(crate) type PeerKey = usize;
/// Index of a published track in its publisher's shard.
pub(crate) type TrackKey = usize;
/// Index of a subscription in its subscriber's shard.
pub(crate) type SubscriptionKey = usize;
