//! UDP datagrams to send.

use std::net::SocketAddr;

/// A UDP datagram to send from the worker's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where it goes.
    pub destination: SocketAddr,
    /// Its payload.
    pub contents: Vec<u8>,
}
