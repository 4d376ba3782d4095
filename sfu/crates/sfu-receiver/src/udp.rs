//! The UDP socket, and which of our addresses a datagram came to.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Socket buffer asked for; the system may grant less.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// The discard port. Connecting a UDP socket sends nothing, it only looks up the route.
const PROBE_PORT: u16 = 9;

/// One port for both families where the system has both.
pub(crate) struct UdpLink {
    socket: UdpSocket,
    local: SocketAddr,
}

impl UdpLink {
    pub fn open() -> io::Result<Self> {
        let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
        let both = bind(any).or_else(|_| bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))?;
        // best effort: with a smaller buffer more is lost under load. Beyond the system's limit with its permission only
        let _ = set_socket_recv_buffer_size_force(&both, BUFFER_BYTES)
            .or_else(|_| both.set_recv_buffer_size(BUFFER_BYTES).map_err(|_| rustix::io::Errno::PERM));
        let socket = UdpSocket::from(both);
        let local = socket.local_addr()?;
        Ok(Self { socket, local })
    }

    pub fn port(&self) -> u16 {
        self.local.port()
    }

    /// The receive buffer in bytes, as the system granted it.
    pub fn buffer_size(&self) -> usize {
        SockRef::from(&self.socket).recv_buffer_size().unwrap_or(0)
    }

    /// The next datagram that waits: its length, and whence it comes.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, source) = self.socket.recv_from(buffer)?;
        Ok((length, SocketAddr::new(source.ip().to_canonical(), source.port())))
    }

    pub fn send(&self, destination: SocketAddr, contents: &[u8]) {
        // a full socket buffer is loss, as on any network
        let _ = self.socket.send_to(contents, self.reachable(destination));
    }

    /// A dual-stack socket takes IPv4 addresses in their IPv4-mapped form (RFC 4291 section 2.5.5.2).
    fn reachable(&self, address: SocketAddr) -> SocketAddr {
        match (self.local, address.ip()) {
            (SocketAddr::V6(_), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
    }
}

impl AsFd for UdpLink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn bind(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Which of our addresses a datagram was sent to: the one from which we would answer.
pub(crate) struct Routes {
    locals: Vec<SocketAddr>,
    known: HashMap<IpAddr, Option<SocketAddr>>,
}

impl Routes {
    pub fn new(locals: Vec<SocketAddr>) -> Self {
        Self { locals, known: HashMap::new() }
    }

    pub fn local_for(&mut self, source: SocketAddr) -> Option<SocketAddr> {
        let locals = &self.locals;
        *self.known.entry(source.ip()).or_insert_with(|| {
            let routed = route_to(source.ip());
            let same_family = |local: &&SocketAddr| local.is_ipv4() == source.is_ipv4();
            let exact = locals.iter().find(|local| Some(local.ip()) == routed);
            exact.or_else(|| locals.iter().find(same_family)).copied()
        })
    }
}

fn route_to(address: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let probe = UdpSocket::bind((any, 0)).ok()?;
    probe.connect((address, PROBE_PORT)).ok()?;
    probe.local_addr().ok().map(|local| local.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_has_a_large_buffer_where_the_system_allows_it() {
        assert!(UdpLink::open().unwrap().buffer_size() > 100_000);
    }
}
