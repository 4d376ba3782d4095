//! The TCP connections to the media server, for where UDP does not come through (RFC 6544, active candidates).

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustix::event::epoll;
use rustix::io::Errno;
use socket2::{Domain, Protocol as SocketProtocol, Socket, Type};
use tertulia_framing::{FrameReader, SendQueue};

use crate::path::Path;

/// The first byte of the last kind of STUN message (RFC 7983).
const LAST_STUN_BYTE: u8 = 3;
/// Reads of one connection before the others are looked at.
const READS: usize = 16;

/// Connections, each opened by the first connectivity check on its path. One that has ended is opened again by the next
/// check: the server knows the participant by it.
pub(crate) struct TcpLinks {
    /// Tells that there is something to do; which connection, a look at each of the few says.
    events: OwnedFd,
    links: Mutex<Vec<Link>>,
}

struct Link {
    path: Path,
    stream: TcpStream,
    reader: FrameReader,
    queue: SendQueue,
    is_blocked: bool,
}

/// What has arrived.
pub(crate) struct Arrived {
    pub frames: Vec<(Path, Vec<u8>)>,
    /// Whether there was more than is read at once.
    pub is_cut: bool,
}

impl TcpLinks {
    pub fn new() -> io::Result<Self> {
        Ok(Self { events: epoll::create(epoll::CreateFlags::CLOEXEC)?, links: Mutex::default() })
    }

    /// Send a frame, or as much of it as the connection takes now. Without a connection, only a connectivity check
    /// opens one: the server takes nothing else for the first frame.
    pub fn send(&self, now: Instant, path: Path, contents: Vec<u8>) {
        let mut links = self.lock();
        let index = links.iter().position(|link| link.path == path);
        let is_check = contents.first().is_some_and(|first| *first <= LAST_STUN_BYTE);
        let index = match index {
            Some(index) => index,
            None if is_check => {
                // one that fails at once is tried again with the next check
                let Ok(link) = self.open(path) else { return };
                links.push(link);
                links.len() - 1
            }
            None => return,
        };
        let Some(link) = links.get_mut(index) else { return };
        link.queue.push(now, contents, false);
        if self.flush(link).is_err() {
            links.remove(index);
        }
    }

    /// Read what has come, and send what waited.
    pub fn turn(&self) -> Arrived {
        let mut arrived = Arrived { frames: Vec::new(), is_cut: false };
        self.lock().retain_mut(|link| {
            let goes_on = if link.is_blocked { self.flush(link) } else { Ok(()) };
            goes_on.and_then(|()| link.read(&mut arrived)).is_ok()
        });
        arrived
    }

    fn open(&self, path: Path) -> io::Result<Link> {
        let stream = connect(path.remote)?;
        // it can be written once it is up
        let waited = epoll::EventFlags::IN | epoll::EventFlags::OUT;
        epoll::add(&self.events, &stream, epoll::EventData::new_u64(0), waited)?;
        Ok(Link { path, stream, reader: FrameReader::default(), queue: SendQueue::default(), is_blocked: true })
    }

    fn flush(&self, link: &mut Link) -> io::Result<()> {
        let is_done = link.queue.flush(&mut link.stream)?;
        if link.is_blocked == is_done {
            link.is_blocked = !is_done;
            let waited = if is_done { epoll::EventFlags::IN } else { epoll::EventFlags::IN | epoll::EventFlags::OUT };
            epoll::modify(&self.events, &link.stream, epoll::EventData::new_u64(0), waited)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for TcpLinks {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl Link {
    /// An error means that the connection has ended, or does not carry frames.
    fn read(&mut self, arrived: &mut Arrived) -> io::Result<()> {
        for _ in 0..READS {
            match self.reader.read(&mut self.stream) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.take_frames(arrived)?,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        arrived.is_cut = true;
        Ok(())
    }

    fn take_frames(&mut self, arrived: &mut Arrived) -> io::Result<()> {
        while let Some(frame) = self.reader.take().map_err(|_| io::ErrorKind::InvalidData)? {
            arrived.frames.push((self.path, frame.to_vec()));
        }
        Ok(())
    }
}

/// Begin to connect; the stream is not up yet.
fn connect(remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(remote), Type::STREAM, Some(SocketProtocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    match socket.connect(&remote.into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => Err(error),
        _ => Ok(socket.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use tertulia_framing::frame_header;

    use super::*;
    use crate::path::Protocol;

    const CHECK: &[u8] = &[0, 1, 2, 3];
    const MEDIA: &[u8] = &[0x80, 1, 2];

    fn framed(contents: &[u8]) -> Vec<u8> {
        [&frame_header(contents.len()).unwrap()[..], contents].concat()
    }

    struct Server {
        listener: TcpListener,
        links: TcpLinks,
        path: Path,
    }

    impl Server {
        fn new() -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let remote = listener.local_addr().unwrap();
            let path = Path { protocol: Protocol::Tcp, local: "127.0.0.1:9".parse().unwrap(), remote };
            Self { listener, links: TcpLinks::new().unwrap(), path }
        }

        fn accept(&self) -> TcpStream {
            let (stream, _) = self.listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream
        }

        /// Look at the connections whenever they say that there is something to do.
        fn turn_until(&self, mut is_done: impl FnMut(Vec<Vec<u8>>) -> bool) {
            if is_done(Vec::new()) {
                return;
            }
            for _ in 0..1000 {
                let timeout = Timespec { tv_sec: 5, tv_nsec: 0 };
                let ready = poll(&mut [PollFd::new(&self.links, PollFlags::IN)], Some(&timeout)).unwrap();
                assert!(ready > 0, "nothing comes");
                let frames = self.links.turn().frames;
                assert!(frames.iter().all(|(path, _)| *path == self.path));
                if is_done(frames.into_iter().map(|(_, contents)| contents).collect()) {
                    return;
                }
            }
            panic!("it is never done");
        }

        fn is_open(&self) -> bool {
            !self.links.lock().is_empty()
        }
    }

    #[test]
    fn a_check_opens_a_connection_that_carries_frames_both_ways() {
        let server = Server::new();
        server.links.send(Instant::now(), server.path, MEDIA.to_vec());
        assert!(!server.is_open());
        server.links.send(Instant::now(), server.path, CHECK.to_vec());
        server.links.send(Instant::now(), server.path, MEDIA.to_vec());
        let mut stream = server.accept();
        server.turn_until(|_| !server.links.lock()[0].is_blocked);
        let mut sent = vec![0; framed(CHECK).len() + framed(MEDIA).len()];
        stream.read_exact(&mut sent).unwrap();
        assert_eq!(sent, [framed(CHECK), framed(MEDIA)].concat());
        let large = vec![0x80; 1400];
        for contents in [MEDIA, &large] {
            stream.write_all(&framed(contents)).unwrap();
        }
        let mut received = Vec::new();
        server.turn_until(|frames| {
            received.extend(frames);
            received.len() == 2
        });
        assert_eq!(received, [MEDIA.to_vec(), large]);
    }

    #[test]
    fn a_connection_that_ends_or_is_refused_is_opened_again_by_the_next_check() {
        let server = Server::new();
        for _ in 0..3 {
            server.links.send(Instant::now(), server.path, CHECK.to_vec());
            drop(server.accept());
            server.turn_until(|_| !server.is_open());
        }
        let Server { listener, links, path } = server;
        drop(listener);
        let closed = Server { listener: TcpListener::bind("127.0.0.1:0").unwrap(), links, path };
        closed.links.send(Instant::now(), path, CHECK.to_vec());
        if closed.is_open() {
            closed.turn_until(|_| !closed.is_open());
        }
    }

    #[test]
    fn what_is_not_framed_ends_the_connection() {
        let server = Server::new();
        server.links.send(Instant::now(), server.path, CHECK.to_vec());
        let mut stream = server.accept();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        server.turn_until(|_| !server.is_open());
    }
}
