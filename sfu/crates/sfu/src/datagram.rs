//! Datagrams, and between which addresses they travel.

use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use crate::ids::ShardId;

/// What carries a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// A UDP datagram.
    Udp,
    /// A frame of a TCP connection (RFC 4571, RFC 6544) that the client has opened.
    Tcp,
}

/// Between which addresses a datagram travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// What carries it.
    pub protocol: Protocol,
    /// Ours.
    pub local: SocketAddr,
    /// The client's.
    pub remote: SocketAddr,
}

impl Path {
    /// A UDP path.
    pub fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { protocol: Protocol::Udp, local, remote }
    }

    /// A TCP connection.
    pub fn tcp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { protocol: Protocol::Tcp, local, remote }
    }
}

/// By the client's address alone: it is nearly always enough to tell paths apart, and every datagram is looked up.
impl Hash for Path {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.remote.hash(state);
    }
}

/// The path of a datagram, and the shard on whose socket it arrived.
pub(crate) type Origin = (Path, ShardId);

/// Buffers that are kept: as many as a worker may send at once.
const MAX_BUFFERS: usize = 1024;
/// Larger ones are not kept.
const MAX_BUFFER_BYTES: usize = 4096;

/// Memory of datagrams that were sent, for the next ones: allocating each costs a tenth of forwarding it.
#[derive(Default)]
pub(crate) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// An empty buffer with room for this many bytes.
    pub fn take(&mut self, bytes: usize) -> Vec<u8> {
        let mut buffer = self.0.pop().unwrap_or_default();
        buffer.reserve(bytes);
        buffer
    }

    pub fn put_back(&mut self, mut buffer: Vec<u8>) {
        if self.0.len() < MAX_BUFFERS && buffer.capacity() <= MAX_BUFFER_BYTES {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}

/// A datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// How it goes.
    pub path: Path,
    /// Whether it carries video, which a slow TCP connection drops first. Told for TCP only.
    pub is_video: bool,
    /// Its payload.
    pub contents: Vec<u8>,
}
