//! Receives what waits on a UDP socket, as few system calls as possible.

use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::ptr;

use tertulia_sfu::Path;

use crate::control::{CONTROL_BYTES, local_address, segment_size};
use crate::udp::WorkerSocket;

/// Messages of one call. Each is a datagram, or several of one sender that the kernel has put together.
const MESSAGES: usize = 32;
/// The most that the kernel puts together (udp(7): UDP_GRO).
const MESSAGE_BYTES: usize = 65_536;
/// From one buffer to the next: at powers of two their beginnings would compete for the same lines of the cache.
const STRIDE: usize = MESSAGE_BYTES + 1_088;
/// Larger datagrams are cut, and then fail their authentication.
const MAX_DATAGRAM_BYTES: usize = 2048;

/// The memory for received messages, used again for every call. What is never filled is never given by the system.
pub(crate) struct BatchReceiver {
    bytes: Vec<u8>,
    addresses: Vec<libc::sockaddr_storage>,
    controls: Vec<[u8; CONTROL_BYTES]>,
}

/// What one call has received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub datagrams: usize,
    /// As many messages as fit were there: more may wait.
    pub is_full: bool,
}

/// One message, as the kernel describes it.
#[derive(Clone, Copy, Default)]
struct Arrived {
    bytes: usize,
    control_bytes: usize,
}

impl Default for BatchReceiver {
    fn default() -> Self {
        // SAFETY: all fields are numbers or arrays of them, for which zero is a value.
        let address = unsafe { mem::zeroed() };
        Self {
            bytes: vec![0; MESSAGES * STRIDE],
            addresses: vec![address; MESSAGES],
            controls: vec![[0; CONTROL_BYTES]; MESSAGES],
        }
    }
}

impl BatchReceiver {
    /// Hand the next datagrams that wait, with their paths, to `take`. Fails with [`io::ErrorKind::WouldBlock`] if there
    /// are none.
    pub fn receive(&mut self, socket: &WorkerSocket, mut take: impl FnMut(Path, &[u8])) -> io::Result<Received> {
        let mut arrived = [Arrived::default(); MESSAGES];
        let count = self.call(socket, &mut arrived)?;
        let mut datagrams = 0;
        let buffers = self.bytes.chunks(STRIDE).zip(&self.addresses).zip(&self.controls);
        for (message, ((bytes, address), control)) in arrived.iter().take(count).zip(buffers) {
            let control = control.get(..message.control_bytes).unwrap_or_default();
            let data = bytes.get(..message.bytes).unwrap_or_default();
            let Some(remote) = socket_address(address) else { continue };
            let local = local_address(control).unwrap_or(socket.local().ip());
            let path = Path::udp(SocketAddr::new(local, socket.local().port()), remote);
            for datagram in data.chunks(segment_size(control).unwrap_or(MESSAGE_BYTES)) {
                take(path, datagram.get(..MAX_DATAGRAM_BYTES).unwrap_or(datagram));
                datagrams += 1;
            }
        }
        Ok(Received { datagrams, is_full: count == MESSAGES })
    }

    fn call(&mut self, socket: &WorkerSocket, arrived: &mut [Arrived; MESSAGES]) -> io::Result<usize> {
        let mut parts = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; MESSAGES];
        // SAFETY: all fields are numbers or pointers, for which zero is a value.
        let mut headers: [libc::mmsghdr; MESSAGES] = unsafe { mem::zeroed() };
        let buffers = self.bytes.chunks_mut(STRIDE).zip(&mut self.addresses).zip(&mut self.controls);
        for ((header, part), ((bytes, address), control)) in headers.iter_mut().zip(&mut parts).zip(buffers) {
            *part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: MESSAGE_BYTES.min(bytes.len()) };
            header.msg_hdr.msg_name = ptr::from_mut(address).cast();
            header.msg_hdr.msg_namelen = mem::size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_BYTES as _;
        }
        // SAFETY: every header points at memory of this value or of this function, of the length that it says and
        // borrowed by nobody else, and the kernel writes no further. The socket does not block, so that no time is used.
        let result = unsafe {
            libc::recvmmsg(socket.as_udp().as_raw_fd(), headers.as_mut_ptr(), MESSAGES as _, 0, ptr::null_mut())
        };
        let count = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
        for (message, header) in arrived.iter_mut().zip(&headers).take(count) {
            message.bytes = header.msg_len as usize;
            message.control_bytes = header.msg_hdr.msg_controllen.min(CONTROL_BYTES);
        }
        Ok(count)
    }
}

/// None if it is of another family.
fn socket_address(storage: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the kernel has written an address of this family, and the storage is large enough for each.
            let address = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr));
            Some((ip, u16::from_be(address.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let address = unsafe { &*ptr::from_ref(storage).cast::<libc::sockaddr_in6>() };
            let (ip, port) = (Ipv6Addr::from(address.sin6_addr.s6_addr), u16::from_be(address.sin6_port));
            Some(SocketAddrV6::new(ip, port, address.sin6_flowinfo, address.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::thread;

    use tertulia_sfu::Datagram;

    use super::*;
    use crate::batch_sender::BatchSender;
    use crate::udp::{UdpSockets, bind_group};

    fn bound(address: &str) -> UdpSockets {
        let address = address.parse().expect("an address");
        bind_group(&[address], 0, 1, &[address]).expect("a port").1.pop().expect("one worker")
    }

    /// Receive until there are as many, and return them with the number of calls.
    fn receive(sockets: &UdpSockets, count: usize) -> (Vec<(Path, Vec<u8>)>, usize) {
        let (mut receiver, mut received, mut calls) = (BatchReceiver::default(), Vec::new(), 0);
        let socket = sockets.iter().next().expect("a socket");
        while received.len() < count {
            let taken = receiver.receive(socket, |path, data| received.push((path, data.to_vec())));
            match taken {
                Ok(_) => calls += 1,
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            thread::yield_now();
        }
        (received, calls)
    }

    #[test]
    fn many_senders_datagrams_are_received_in_one_call() {
        for address in ["127.0.0.1", "::1"] {
            let sockets = bound(address);
            let target = sockets.iter().next().expect("a socket").local();
            let senders: Vec<_> = (0..5).map(|_| UdpSocket::bind((target.ip(), 0)).expect("a port")).collect();
            for fill in 0..4 {
                for sender in &senders {
                    sender.send_to(&[fill; 100], target).expect("loopback");
                }
            }
            let (received, calls) = receive(&sockets, 20);
            assert_eq!(calls, 1);
            for sender in &senders {
                let own = sender.local_addr().expect("bound");
                let of_sender = received.iter().filter(|(path, _)| path.remote == own);
                let fills: Vec<_> = of_sender.map(|(path, data)| (path.local, data[0], data.len())).collect();
                assert_eq!(fills, (0..4).map(|fill| (target, fill, 100)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn datagrams_that_came_together_are_told_apart() {
        let (from, to) = (bound("127.0.0.1"), bound("127.0.0.1"));
        let target = to.iter().next().expect("a socket").local();
        let path = Path::udp(from.iter().next().expect("a socket").local(), target);
        let sizes = [900, 900, 900, 40, 1200, 1200];
        let datagrams: Vec<_> = (0u8..).zip(sizes).map(|(fill, size)| vec![fill; size]).collect();
        let sent: Vec<_> =
            datagrams.iter().map(|it| Datagram { path, is_video: false, contents: it.clone() }).collect();
        assert_eq!(BatchSender::default().send(&from, &sent), 0);
        let (received, _) = receive(&to, sizes.len());
        assert_eq!(received.into_iter().map(|(_, data)| data).collect::<Vec<_>>(), datagrams);
    }

    #[test]
    fn a_datagram_that_is_too_large_is_cut() {
        let to = bound("127.0.0.1");
        let sender = UdpSocket::bind("127.0.0.1:0").expect("a port");
        sender.send_to(&[1; 9000], to.iter().next().expect("a socket").local()).expect("loopback");
        let (received, _) = receive(&to, 1);
        assert_eq!(received[0].1.len(), MAX_DATAGRAM_BYTES);
    }
}
