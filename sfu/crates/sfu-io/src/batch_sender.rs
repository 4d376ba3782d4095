//! Sends what a worker has to send by UDP, as few system calls as possible.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{MsgHdr, SockAddr, SockRef};
use tertulia_sfu::Datagram;

use crate::control::ControlMessages;
use crate::udp::{UdpSockets, WorkerSocket};

/// Datagrams in one call (udp(7): UDP_SEGMENT).
const MAX_SEGMENTS: usize = 64;
/// Their bytes, below the largest UDP payload.
const MAX_RUN_BYTES: usize = 60_000;

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
    pub fn send(&self, sockets: &UdpSockets, datagrams: &[Datagram]) -> u64 {
        let mut dropped = 0;
        let mut rest = datagrams;
        while let Some(first) = rest.first() {
            let (run, after) = rest.split_at(run_length(rest));
            rest = after;
            let Some(socket) = sockets.of_family(first.path.remote) else {
                dropped += run.len() as u64;
                continue;
            };
            if run.len() > 1 && self.may_segment(first.path.remote) {
                match send_run(socket, run, first.contents.len()) {
                    Ok(()) => continue,
                    Err(error) if is_full(&error) => {
                        dropped += run.len() as u64;
                        continue;
                    }
                    Err(error) if is_refused(&error) => self.send_plainly(first.path.remote),
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

fn send_one(socket: &WorkerSocket, datagram: &Datagram) -> io::Result<usize> {
    match socket.source_of(datagram.path) {
        None => socket.as_udp().send_to(&datagram.contents, datagram.path.remote),
        Some(source) => send_parts(
            socket,
            datagram.path.remote,
            &[IoSlice::new(&datagram.contents)],
            &ControlMessages::default().with_source(source),
        ),
    }
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

fn send_run(socket: &WorkerSocket, run: &[Datagram], segment: usize) -> io::Result<()> {
    let Some(first) = run.first() else { return Ok(()) };
    let parts: Vec<_> = run.iter().map(|datagram| IoSlice::new(&datagram.contents)).collect();
    let mut control = ControlMessages::default().with_segment_size(segment as u16);
    if let Some(source) = socket.source_of(first.path) {
        control = control.with_source(source);
    }
    send_parts(socket, first.path.remote, &parts, &control).map(drop)
}

fn send_parts(
    socket: &WorkerSocket,
    destination: SocketAddr,
    parts: &[IoSlice<'_>],
    control: &ControlMessages,
) -> io::Result<usize> {
    let destination = SockAddr::from(destination);
    let message = MsgHdr::new().with_addr(&destination).with_buffers(parts).with_control(control.as_bytes());
    SockRef::from(socket.as_udp()).sendmsg(&message, 0)
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
        let sender = sender("0.0.0.0")?;
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
