//! The listening sockets of the TCP port, one for each worker and address family.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

const BACKLOG: i32 = 256;

/// Bind `count` workers' listeners to a port of these addresses. A port that is taken is an error.
pub(crate) fn listen_group(
    addresses: &[IpAddr],
    mut port: u16,
    count: usize,
) -> io::Result<(u16, Vec<Vec<TcpListener>>)> {
    let mut workers: Vec<_> = (0..count).map(|_| Vec::new()).collect();
    for ip in addresses {
        // any process of the same user can join a group: make sure that the port is free
        drop(listen(SocketAddr::new(*ip, port), false)?);
        for worker in &mut workers {
            let listener = listen(SocketAddr::new(*ip, port), true)?;
            port = listener.local_addr()?.port();
            worker.push(listener);
        }
    }
    Ok((port, workers))
}

fn listen(address: SocketAddr, is_shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // connections of the process before may not be quite over
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(is_shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
