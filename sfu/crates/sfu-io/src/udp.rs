//! The UDP socket of one worker.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, Socket, Type};

/// Asked for; the system may grant less.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// `count` sockets on one address: the kernel spreads clients over them. A port that is taken is an error.
pub(crate) fn bind_group(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    // a group can be joined by whoever runs as the same user: make sure that nobody is there
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
    // best effort: smaller buffers work, they only lose more under load
    let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

pub(crate) fn descriptor(socket: &UdpSocket) -> BorrowedFd<'_> {
    socket.as_fd()
}
