//! UDP datagrams.

use std::net::SocketAddr;

use crate::ids::ShardId;

/// Where a datagram came from, and on which shard's socket it arrived.
pub(crate) type Origin = (SocketAddr, ShardId);

/// A UDP datagram to send from the worker's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where it goes.
    pub destination: SocketAddr,
    /// Its payload.
    pub contents: Vec<u8>,
}
