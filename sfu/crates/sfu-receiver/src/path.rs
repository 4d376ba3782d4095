//! Between which addresses a datagram travels.

use std::net::SocketAddr;

/// What carries a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A UDP datagram.
    Udp,
    /// A frame of a TCP connection (RFC 4571, RFC 6544) that we have opened.
    Tcp,
}

/// Between which addresses a datagram travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// What carries it.
    pub protocol: Protocol,
    /// Ours, as our ICE candidate has it.
    pub local: SocketAddr,
    /// The media server's.
    pub remote: SocketAddr,
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// How it goes.
    pub path: Path,
    /// Its payload.
    pub contents: Vec<u8>,
}
