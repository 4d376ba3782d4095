//! Sends what a worker has to send by UDP, as few system calls as possible.

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::slice;
use std::time::{Duration, Instant};

use tertulia_sfu::Datagram;

use crate::control::ControlMessages;
use crate::udp::{UdpSockets, WorkerSocket};

/// Datagrams in one message (udp(7): UDP_SEGMENT).
const MAX_SEGMENTS: usize = 64;
/// Their bytes, below the largest UDP payload.
const MAX_RUN_BYTES: usize = 60_000;
/// Messages in one call: the system looks at no more (sendmmsg(2): UIO_MAXIOV).
const MAX_MESSAGES: usize = 1024;

/// A destination that does not take segmented packets is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(600);
/// Such destinations are remembered, up to this many.
const MAX_PLAIN: usize = 4096;

/// Where the datagrams are that go to one client in one message.
type Run = Range<usize>;

/// Sends batches: many messages in one call, and several packets to one client in one message where the kernel can
/// (generic segmentation offload).
#[derive(Default)]
pub(crate) struct BatchSender {
    /// Destinations whose packets go one by one, and since when: of a small path MTU, or behind a device that cannot
    /// segment. Others have nothing to do with it.
    plain: HashMap<IpAddr, Instant>,
    calls: u64,
    messages: u64,
    memory: Memory,
}

/// Of one call, used again: a twentieth of forwarding went to making it.
#[derive(Default)]
struct Memory {
    runs: Vec<Run>,
    messages: Vec<Message>,
    parts: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

impl BatchSender {
    /// System calls so far, and the messages that they were given.
    pub fn counts(&self) -> (u64, u64) {
        (self.calls, self.messages)
    }

    fn may_segment(&self, destination: SocketAddr) -> bool {
        let is_plain = || self.plain.get(&destination.ip()).is_some_and(|since| since.elapsed() < TRY_AGAIN);
        self.plain.is_empty() || !is_plain()
    }

    fn send_plainly(&mut self, destination: SocketAddr) {
        if self.plain.len() >= MAX_PLAIN {
            self.plain.clear();
        }
        self.plain.insert(destination.ip(), Instant::now());
    }

    /// Send datagrams, those to one client in order. Returns how many were dropped, because the socket's buffer is full
    /// or the client cannot be reached.
    pub fn send(&mut self, sockets: &UdpSockets, datagrams: &[Datagram]) -> u64 {
        let mut runs = mem::take(&mut self.memory.runs);
        let (mut dropped, mut sent) = (0, 0);
        for socket in sockets.iter() {
            runs.clear();
            sent += self.find_runs(socket, datagrams, &mut runs);
            dropped += self.send_runs(socket, datagrams, &runs);
        }
        self.memory.runs = runs;
        dropped + (datagrams.len() - sent) as u64
    }

    /// The runs that a socket can send. Returns how many datagrams they are.
    fn find_runs(&self, socket: &WorkerSocket, datagrams: &[Datagram], runs: &mut Vec<Run>) -> usize {
        let (mut start, mut found) = (0, 0);
        while let Some((first, rest)) = datagrams.get(start..).and_then(|rest| Some((rest.first()?, rest))) {
            let length = run_length(rest);
            let length = if length > 1 && self.may_segment(first.path.remote) { length } else { 1 };
            if socket.reaches(first.path.remote) {
                runs.push(start..start + length);
                found += length;
            }
            start += length;
        }
        found
    }

    /// Returns how many datagrams were dropped.
    fn send_runs(&mut self, socket: &WorkerSocket, datagrams: &[Datagram], mut runs: &[Run]) -> u64 {
        let mut dropped = 0;
        while let Some((first, others)) = runs.split_first() {
            match self.call(socket, datagrams, runs) {
                Ok(sent) => runs = runs.get(sent.max(1)..).unwrap_or_default(),
                Err(error) => {
                    dropped += self.handle_error(socket, datagrams, first.clone(), &error);
                    runs = others;
                }
            }
        }
        dropped
    }

    /// A run could not be sent: its packets go one by one if that can help. Returns how many were dropped.
    fn handle_error(&mut self, socket: &WorkerSocket, datagrams: &[Datagram], run: Run, error: &io::Error) -> u64 {
        let Some(first) = datagrams.get(run.start).filter(|_| run.len() > 1 && !is_full(error)) else {
            return run.len() as u64;
        };
        if is_refused(error) {
            self.send_plainly(first.path.remote);
        }
        run.filter(|at| self.call(socket, datagrams, slice::from_ref(&(*at..at + 1))).is_err()).count() as u64
    }

    /// Send as many runs as the system takes in one call. Fails if that is none, for what is wrong with the first.
    fn call(&mut self, socket: &WorkerSocket, datagrams: &[Datagram], runs: &[Run]) -> io::Result<usize> {
        let runs = runs.get(..MAX_MESSAGES).unwrap_or(runs);
        let Memory { messages, parts, headers, .. } = &mut self.memory;
        messages.clear();
        parts.clear();
        headers.clear();
        let own = || runs.iter().filter_map(|run| datagrams.get(run.clone()));
        messages.extend(own().filter_map(|run| Message::new(socket, run)));
        // the kernel does not write to what it sends
        parts.extend(own().flatten().map(|datagram| libc::iovec {
            iov_base: datagram.contents.as_ptr().cast_mut().cast(),
            iov_len: datagram.contents.len(),
        }));
        let mut rest = &parts[..];
        for (message, run) in messages.iter().zip(own()) {
            let (own, after) = rest.split_at_checked(run.len()).unwrap_or_default();
            headers.push(message.header(own));
            rest = after;
        }
        self.calls += 1;
        // SAFETY: every header points at memory of `messages`, `parts` and the datagrams, of the length that it says,
        // which all stay as they are until the end of this function, and the kernel writes to nothing but the headers.
        let result = unsafe {
            libc::sendmmsg(socket.as_udp().as_raw_fd(), headers.as_mut_ptr(), headers.len() as libc::c_uint, 0)
        };
        let sent = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
        self.messages += sent as u64;
        Ok(sent)
    }
}

/// What a run's header points at, but for the datagrams.
struct Message {
    destination: Destination,
    control: ControlMessages,
}

enum Destination {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl Message {
    fn new(socket: &WorkerSocket, run: &[Datagram]) -> Option<Self> {
        let first = run.first()?;
        let mut control = ControlMessages::default();
        if run.len() > 1 {
            control = control.with_segment_size(first.contents.len() as u16);
        }
        if let Some(source) = socket.source_of(first.path) {
            control = control.with_source(source);
        }
        Some(Self { destination: Destination::from(first.path.remote), control })
    }

    fn header(&self, parts: &[libc::iovec]) -> libc::mmsghdr {
        // SAFETY: all fields are numbers or pointers, for which zero is a value.
        let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
        (header.msg_hdr.msg_name, header.msg_hdr.msg_namelen) = self.destination.place();
        header.msg_hdr.msg_iov = parts.as_ptr().cast_mut();
        header.msg_hdr.msg_iovlen = parts.len() as _;
        let control = self.control.as_bytes();
        if !control.is_empty() {
            header.msg_hdr.msg_control = control.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_controllen = control.len() as _;
        }
        header
    }
}

impl Destination {
    /// Where it is, and its bytes.
    fn place(&self) -> (*mut libc::c_void, libc::socklen_t) {
        match self {
            Self::V4(address) => ((&raw const *address).cast_mut().cast(), mem::size_of_val(address) as _),
            Self::V6(address) => ((&raw const *address).cast_mut().cast(), mem::size_of_val(address) as _),
        }
    }
}

/// As the system has it (ip(7), ipv6(7)).
impl From<SocketAddr> for Destination {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(libc::sockaddr_in {
                sin_family: libc::AF_INET as _,
                sin_port: address.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(address.ip().octets()) },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(address) => Self::V6(libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as _,
                sin6_port: address.port().to_be(),
                sin6_flowinfo: address.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: address.ip().octets() },
                sin6_scope_id: address.scope_id(),
            }),
        }
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

/// Packets at the head that may go together: one path, equal sizes, only the last may be smaller.
fn run_length(datagrams: &[Datagram]) -> usize {
    let Some(first) = datagrams.first() else { return 0 };
    let size = first.contents.len();
    let mut count = 1;
    for datagram in datagrams.iter().skip(1) {
        let fits = count < MAX_SEGMENTS && (count + 1) * size <= MAX_RUN_BYTES;
        if !fits || datagram.path != first.path || datagram.contents.len() > size {
            break;
        }
        count += 1;
        if datagram.contents.len() < size {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::Duration;

    use tertulia_sfu::Path;

    use super::*;
    use crate::udp::bind_group;

    fn datagram(destination: SocketAddr, size: usize, fill: u8) -> Datagram {
        let path = Path::udp(([0, 0, 0, 0], 0).into(), destination);
        Datagram { path, is_video: false, contents: vec![fill; size] }
    }

    fn sender(address: &str) -> io::Result<UdpSockets> {
        let address = address.parse().map_err(io::Error::other)?;
        bind_group(&[address], 0, 1, &[address])?.1.pop().ok_or(io::ErrorKind::NotFound.into())
    }

    #[test]
    fn every_datagram_arrives_whole_and_in_order() -> io::Result<()> {
        let (sender, localhost) = (sender("127.0.0.1")?, "127.0.0.1:0");
        let receivers = [UdpSocket::bind(localhost)?, UdpSocket::bind(localhost)?];
        let [a, b] = [receivers[0].local_addr()?, receivers[1].local_addr()?];
        let plan = [(a, 500), (a, 500), (a, 500), (a, 90), (a, 500), (b, 500), (b, 700), (b, 700), (a, 1), (a, 1)];
        let sizes: Vec<_> = plan.iter().zip(1u8..).map(|((to, size), fill)| datagram(*to, *size, fill)).collect();
        let mut batch = BatchSender::default();
        assert_eq!(batch.send(&sender, &sizes), 0);
        assert_eq!(batch.counts(), (1, 5), "calls and messages");
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
        let sender = sender("0.0.0.0")?;
        let (narrow, wide) = (UdpSocket::bind((path.0, 0))?, UdpSocket::bind("127.0.0.1:0")?);
        let mut batch = BatchSender::default();
        let of = |socket: &UdpSocket| -> io::Result<Vec<Datagram>> {
            let address = socket.local_addr()?;
            Ok((0..3).map(|fill| datagram(address, 1200, fill)).collect())
        };
        for _ in 0..2 {
            assert_eq!(batch.send(&sender, &[of(&wide)?, of(&narrow)?, of(&wide)?].concat()), 0);
            for (receiver, times) in [(&narrow, 1), (&wide, 2)] {
                receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
                for fill in (0..times).flat_map(|_| 0..3) {
                    let mut buffer = [0; 2000];
                    assert_eq!((receiver.recv(&mut buffer)?, buffer[0]), (1200, fill));
                }
            }
        }
        assert!(!batch.may_segment(narrow.local_addr()?) && batch.may_segment(wide.local_addr()?));
        Ok(())
    }
}
