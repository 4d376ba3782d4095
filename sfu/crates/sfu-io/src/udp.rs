//! The UDP socket of one worker. The only unsafe code of the server: one system call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tertulia_sfu::Datagram;

/// Asked for; the system may grant less.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Datagrams in one call (udp(7): UDP_SEGMENT).
const MAX_SEGMENTS: usize = 64;
/// Their bytes, below the largest UDP payload.
const MAX_RUN_BYTES: usize = 60_000;

/// `count` sockets on one address: the kernel spreads clients over them. A port that is taken is an error.
pub(crate) fn bind_group(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    // any process of the same user can join a group: make sure that the port is free
    drop(UdpSocket::bind(address)?);
    let first = bind(address)?;
    let address = first.local_addr()?;
    let mut sockets = vec![first];
    for _ in 1..count {
        sockets.push(bind(address)?);
    }
    Ok(sockets)
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    // best effort: with smaller buffers more is lost under load
    let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

pub(crate) fn descriptor(socket: &UdpSocket) -> BorrowedFd<'_> {
    socket.as_fd()
}

/// A destination that does not take segmented packets is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(600);
/// Such destinations are remembered, up to this many.
const MAX_PLAIN: usize = 4096;

/// Sends batches, several packets to one client in one call where the kernel can (generic segmentation offload).
#[derive(Default)]
pub(crate) struct BatchSender {
    /// Destinations whose packets go one by one, and since when: of a small path MTU, or behind a device that cannot
    /// segment. Others have nothing to do with it.
    plain: RefCell<HashMap<IpAddr, Instant>>,
}

impl BatchSender {
    fn may_segment(&self, destination: SocketAddr) -> bool {
        let plain = self.plain.borrow();
        let is_plain = || plain.get(&destination.ip()).is_some_and(|since| since.elapsed() < TRY_AGAIN);
        cfg!(target_os = "linux") && (plain.is_empty() || !is_plain())
    }

    fn send_plainly(&self, destination: SocketAddr) {
        let mut plain = self.plain.borrow_mut();
        if plain.len() >= MAX_PLAIN {
            plain.clear();
        }
        plain.insert(destination.ip(), Instant::now());
    }

    /// Send datagrams in order. Returns how many were dropped because the socket's buffer is full.
    pub fn send(&self, socket: &UdpSocket, datagrams: &[Datagram]) -> u64 {
        let mut dropped = 0;
        let mut rest = datagrams;
        while let Some(first) = rest.first() {
            let (run, after) = rest.split_at(run_length(rest));
            rest = after;
            if run.len() > 1 && self.may_segment(first.destination) {
                match send_run(socket, run, first.contents.len()) {
                    Ok(()) => continue,
                    Err(error) if is_full(&error) => {
                        dropped += run.len() as u64;
                        continue;
                    }
                    Err(error) if is_refused(&error) => self.send_plainly(first.destination),
                    Err(_) => {}
                }
            }
            dropped += run.iter().filter(|datagram| send_one(socket, datagram).is_err()).count() as u64;
        }
        dropped
    }
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::ENOBUFS)
}

/// The path's MTU is smaller than a segment (EMSGSIZE; EINVAL before Linux 5.0 and for other reasons), or the device
/// cannot segment (EIO).
fn is_refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMSGSIZE | libc::EINVAL | libc::EIO))
}

fn send_one(socket: &UdpSocket, datagram: &Datagram) -> io::Result<usize> {
    socket.send_to(&datagram.contents, datagram.destination)
}

/// Packets at the head that may go together: one destination, equal sizes, only the last may be smaller.
fn run_length(datagrams: &[Datagram]) -> usize {
    let Some(first) = datagrams.first() else { return 0 };
    let size = first.contents.len();
    let mut count = 1;
    for datagram in datagrams.iter().skip(1) {
        let fits = count < MAX_SEGMENTS && (count + 1) * size <= MAX_RUN_BYTES;
        if !fits || datagram.destination != first.destination || datagram.contents.len() > size {
            break;
        }
        count += 1;
        if datagram.contents.len() < size {
            break;
        }
    }
    count
}

fn send_run(socket: &UdpSocket, run: &[Datagram], segment: usize) -> io::Result<()> {
    let Some(first) = run.first() else { return Ok(()) };
    let destination = SockAddr::from(first.destination);
    let mut parts: Vec<libc::iovec> = run
        .iter()
        .map(|datagram| libc::iovec {
            iov_base: datagram.contents.as_ptr().cast_mut().cast(),
            iov_len: datagram.contents.len(),
        })
        .collect();
    let mut control = SegmentSize::new(segment as u16);
    // SAFETY: all zero is a valid msghdr; its pointers are set below to memory that outlives the call: the address,
    // the datagrams (only read by the kernel) and the control message, each with its own length.
    let sent = unsafe {
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_name = destination.as_ptr().cast_mut().cast();
        message.msg_namelen = destination.len();
        message.msg_iov = parts.as_mut_ptr();
        message.msg_iovlen = parts.len();
        message.msg_control = (&raw mut control).cast();
        message.msg_controllen = mem::size_of::<SegmentSize>();
        libc::sendmsg(socket.as_raw_fd(), &raw const message, 0)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The control message UDP_SEGMENT, laid out as cmsg(3) wants it: header, value, padding to the header's alignment.
#[repr(C)]
struct SegmentSize {
    header: libc::cmsghdr,
    bytes: u16,
    padding: [u16; 3],
}

impl SegmentSize {
    fn new(bytes: u16) -> Self {
        // SAFETY: all zero is a valid cmsghdr on every platform, whatever padding it has.
        let mut header: libc::cmsghdr = unsafe { mem::zeroed() };
        header.cmsg_len = mem::size_of::<libc::cmsghdr>() + mem::size_of::<u16>();
        header.cmsg_level = libc::SOL_UDP;
        header.cmsg_type = libc::UDP_SEGMENT;
        Self { header, bytes, padding: [0; 3] }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn datagram(destination: SocketAddr, size: usize, fill: u8) -> Datagram {
        Datagram { destination, contents: vec![fill; size] }
    }

    #[test]
    fn every_datagram_arrives_whole_and_in_order() -> io::Result<()> {
        let localhost = "127.0.0.1:0".parse().map_err(io::Error::other)?;
        let (sender, receivers) = (bind(localhost)?, [UdpSocket::bind(localhost)?, UdpSocket::bind(localhost)?]);
        let [a, b] = [receivers[0].local_addr()?, receivers[1].local_addr()?];
        let plan = [(a, 500), (a, 500), (a, 500), (a, 90), (a, 500), (b, 500), (b, 700), (b, 700), (a, 1), (a, 1)];
        let sizes: Vec<_> = plan.iter().zip(1u8..).map(|((to, size), fill)| datagram(*to, *size, fill)).collect();
        assert_eq!(BatchSender::default().send(&sender, &sizes), 0);
        for receiver in &receivers {
            receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
            let address = receiver.local_addr()?;
            for ((_, size), fill) in plan.iter().zip(1u8..).filter(|((to, _), _)| *to == address) {
                let mut buffer = [0; 2000];
                let (length, _) = receiver.recv_from(&mut buffer)?;
                assert_eq!((length, buffer[0]), (*size, fill));
            }
        }
        Ok(())
    }

    /// An address of this machine whose path has a small MTU. Needs the right to change routes.
    struct NarrowPath(&'static str);

    impl NarrowPath {
        fn new(address: &'static str) -> Option<Self> {
            Self::ip(&["route", "replace", "local", address, "dev", "lo", "table", "local", "mtu", "700"])
                .then_some(Self(address))
        }

        fn ip(arguments: &[&str]) -> bool {
            std::process::Command::new("ip").args(arguments).status().is_ok_and(|status| status.success())
        }
    }

    impl Drop for NarrowPath {
        fn drop(&mut self) {
            Self::ip(&["route", "del", "local", self.0, "dev", "lo", "table", "local"]);
        }
    }

    #[test]
    fn a_narrow_path_changes_nothing_for_other_destinations() -> io::Result<()> {
        let Some(path) = NarrowPath::new("127.7.0.77") else {
            eprintln!("not tested: routes cannot be changed here");
            return Ok(());
        };
        let sender = bind("0.0.0.0:0".parse().map_err(io::Error::other)?)?;
        let (narrow, wide) = (UdpSocket::bind((path.0, 0))?, UdpSocket::bind("127.0.0.1:0")?);
        let batch = BatchSender::default();
        let of = |socket: &UdpSocket| -> io::Result<Vec<Datagram>> {
            let address = socket.local_addr()?;
            Ok((0..3).map(|fill| datagram(address, 1200, fill)).collect())
        };
        for receiver in [&narrow, &wide] {
            receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
            assert_eq!(batch.send(&sender, &of(receiver)?), 0);
            for fill in 0..3 {
                let mut buffer = [0; 2000];
                assert_eq!((receiver.recv(&mut buffer)?, buffer[0]), (1200, fill));
            }
        }
        assert!(!batch.may_segment(narrow.local_addr()?) && batch.may_segment(wide.local_addr()?));
        Ok(())
    }
}
