//! The UDP sockets of one worker: one for each address family.

use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tertulia_sfu::Path;

/// Asked for; the system may grant less.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// How often another port is tried, where any is right and the first is taken for the other family.
const PORT_TRIES: usize = 20;

/// A socket of a port's group.
pub(crate) struct WorkerSocket {
    socket: UdpSocket,
    local: SocketAddr,
    /// It is bound to all addresses of the machine: these are offered and really the machine's. None: bound to one.
    sources: Option<Vec<IpAddr>>,
}

/// The sockets of one worker, of the same port.
pub(crate) struct UdpSockets(Vec<WorkerSocket>);

/// Bind `count` workers' sockets to a port of these addresses, at most one of each family: the kernel spreads clients
/// over them. A port that is taken is an error. `offered` are the addresses that clients are told.
pub(crate) fn bind_group(
    addresses: &[IpAddr],
    port: u16,
    count: usize,
    offered: &[IpAddr],
) -> io::Result<(u16, Vec<UdpSockets>)> {
    let mut tries = if port == 0 && addresses.len() > 1 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match try_bind_group(addresses, port, count, offered) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            other => return other,
        }
    }
}

fn try_bind_group(
    addresses: &[IpAddr],
    mut port: u16,
    count: usize,
    offered: &[IpAddr],
) -> io::Result<(u16, Vec<UdpSockets>)> {
    let mut workers: Vec<_> = (0..count).map(|_| UdpSockets(Vec::new())).collect();
    for ip in addresses {
        // any process of the same user can join a group: make sure that the port is free
        drop(open(SocketAddr::new(*ip, port), false)?);
        for worker in &mut workers {
            let socket = WorkerSocket::bind(SocketAddr::new(*ip, port), offered)?;
            port = socket.local.port();
            worker.0.push(socket);
        }
    }
    Ok((port, workers))
}

fn open(address: SocketAddr, is_shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(is_shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

impl UdpSockets {
    pub fn iter(&self) -> impl Iterator<Item = &WorkerSocket> {
        self.0.iter()
    }
}

impl WorkerSocket {
    fn bind(address: SocketAddr, offered: &[IpAddr]) -> io::Result<Self> {
        let socket = open(address, true)?;
        let options = SockRef::from(&socket);
        // best effort: with smaller buffers more is lost under load
        let _ = options.set_recv_buffer_size(BUFFER_BYTES);
        let _ = options.set_send_buffer_size(BUFFER_BYTES);
        // what came together is then handed over together; a kernel before Linux 5.0 cannot
        let _ = set_option(&socket, libc::SOL_UDP, libc::UDP_GRO);
        let mut sources = None;
        if address.ip().is_unspecified() {
            tell_local_address(&socket, address.is_ipv4())?;
            let of_family = offered.iter().filter(|ip| ip.is_ipv4() == address.is_ipv4());
            sources = Some(of_family.copied().filter(|ip| UdpSocket::bind((*ip, 0)).is_ok()).collect());
        }
        let local = socket.local_addr()?;
        Ok(Self { socket, local, sources })
    }

    pub fn as_udp(&self) -> &UdpSocket {
        &self.socket
    }

    /// The address that it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Whether this address is of the socket's family.
    pub fn reaches(&self, address: SocketAddr) -> bool {
        self.local.is_ipv4() == address.is_ipv4()
    }

    /// The address to send from, None where the system has no choice or knows best.
    pub fn source_of(&self, path: Path) -> Option<IpAddr> {
        let source = path.local.ip();
        self.sources.as_ref().is_some_and(|sources| sources.contains(&source)).then_some(source)
    }
}

impl AsFd for WorkerSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Ask for the address to which each datagram came (ip(7), RFC 3542 section 6).
fn tell_local_address(socket: &UdpSocket, is_ipv4: bool) -> io::Result<()> {
    match is_ipv4 {
        true => set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO),
        false => set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    }
}

fn set_option(socket: &UdpSocket, level: libc::c_int, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = mem::size_of_val(&on) as libc::socklen_t;
    // SAFETY: the descriptor is open while `socket` is borrowed, and the kernel reads `length` bytes of `on`.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), length) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tertulia_sfu::Datagram;

    use super::*;
    use crate::batch_receiver::BatchReceiver;
    use crate::batch_sender::BatchSender;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    fn receive(sockets: &UdpSockets) -> (Path, Vec<u8>) {
        let (mut receiver, mut received) = (BatchReceiver::default(), None);
        loop {
            for socket in sockets.iter() {
                match receiver.receive(socket, |path, data| received = Some((path, data.to_vec()))) {
                    Ok(_) => return received.expect("one datagram"),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn an_answer_comes_from_the_address_that_was_asked() {
        let offered = addresses(&["127.0.0.1", "127.0.0.5", "127.3.0.5", "::1"]);
        let (port, mut workers) = bind_group(&addresses(&["0.0.0.0", "::"]), 0, 1, &offered).expect("both families");
        let worker = workers.pop().expect("one");
        for ip in offered {
            let client = UdpSocket::bind((if ip.is_ipv4() { "127.0.0.1" } else { "::1" }, 0)).expect("a port");
            client.set_read_timeout(Some(Duration::from_secs(5))).expect("an option");
            // of a connected socket the system keeps away what comes from elsewhere
            client.connect((ip, port)).expect("loopback");
            client.send(b"question").expect("loopback");
            let (path, question) = receive(&worker);
            assert_eq!((&question[..], path.local), (&b"question"[..], SocketAddr::new(ip, port)));
            assert_eq!(path.remote, client.local_addr().expect("bound"));
            for answers in [1, 3] {
                let answer = Datagram { path, is_video: false, contents: b"answer".to_vec() };
                assert_eq!(BatchSender::default().send(&worker, &vec![answer; answers]), 0);
                let mut buffer = [0; 100];
                for _ in 0..answers {
                    let length = client.recv(&mut buffer).expect("the answer");
                    assert_eq!(&buffer[..length], b"answer");
                }
            }
        }
    }

    #[test]
    fn an_address_that_is_not_the_machines_leaves_the_source_to_the_system() {
        let offered = addresses(&["203.0.113.7"]);
        let (port, mut workers) = bind_group(&addresses(&["0.0.0.0"]), 0, 1, &offered).expect("a port");
        let (worker, client) = (workers.pop().expect("one"), UdpSocket::bind("127.0.0.1:0").expect("a port"));
        client.set_read_timeout(Some(Duration::from_secs(5))).expect("an option");
        let remote = client.local_addr().expect("bound");
        let path = Path::udp(SocketAddr::new(offered[0], port), remote);
        let answer = Datagram { path, is_video: false, contents: b"answer".to_vec() };
        assert_eq!(BatchSender::default().send(&worker, &[answer]), 0);
        assert_eq!(client.recv(&mut [0; 100]).expect("the answer"), 6);
    }

    #[test]
    fn a_port_that_is_taken_is_an_error() {
        let taken = UdpSocket::bind("[::1]:0").expect("a port");
        let port = taken.local_addr().expect("bound").port();
        let bound = bind_group(&addresses(&["127.0.0.1", "::1"]), port, 2, &[]);
        assert_eq!(bound.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
    }
}
