//! The TCP connections of one worker: clients for whom UDP is blocked (RFC 6544, passive candidates).
//!
//! A connection is nobody's until its first frame, a connectivity check, names a peer; it then belongs to the worker of
//! this peer. It has to be answered soon and again and again, which only checks whose integrity is right are.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::process::{Resource, getrlimit};
use socket2::SockRef;
use tertulia_framing::{FrameReader, SendQueue};
use tertulia_sfu::{Datagram, Path, ShardConfig};

/// How long a new connection may take to be answered.
const MAX_UNPROVEN_TIME: Duration = Duration::from_secs(10);
/// Connections of one address, or IPv6 network of 64 bits, that have not been answered yet; and of all together.
const MAX_UNPROVEN_OF_ADDRESS: usize = 16;
const MAX_UNPROVEN: usize = 512;
/// A connection on which nothing is sent for this long is closed: its client's checks, every 25 s at least, are not
/// answered any more.
const MAX_SILENCE: Duration = Duration::from_secs(60);
/// Connections of one worker, unless the process may have few open files.
const MAX_CONNECTIONS: usize = 4096;
/// The share of the process's open files that connections may take: one of so many.
const SHARE_OF_FILES: usize = 4;
/// Connections looked at before the other sockets are.
const EVENTS: usize = 32;
/// Connections accepted before others are looked at.
const ACCEPTED_AT_ONCE: usize = 32;
const SWEEP_EVERY: Duration = Duration::from_millis(500);
/// Small: what waits in the system's buffer can no longer be dropped.
const SEND_BUFFER_BYTES: usize = 64 * 1024;
const UNSENT_BYTES: u32 = 16 * 1024;
/// How long the system resends what a client does not acknowledge.
const UNACKNOWLEDGED_TIME: Duration = Duration::from_secs(20);
/// Keys of listeners in the event queue; those of connections are below.
const FIRST_LISTENER: u64 = u64::MAX / 2;

/// A connection of a client.
pub(crate) struct Connection {
    stream: TcpStream,
    path: Path,
    reader: FrameReader,
    queue: SendQueue,
    opened: Instant,
    /// None until the first answer: it may be anyone's.
    last_sent: Option<Instant>,
    /// The first frame has named a peer of this worker.
    is_assigned: bool,
    is_blocked: bool,
}

/// Whose a connection turns out to be.
pub(crate) enum Arrival<'a> {
    /// A datagram for this worker's shard.
    Frame(Path, &'a [u8]),
    /// The connection is of a peer of another worker, who reads from its first frame on.
    Foreign(u16, Box<Connection>),
}

/// What is counted.
#[derive(Clone, Copy, Default)]
pub(crate) struct TcpCounts {
    /// Connections that were not accepted, or closed for what they sent or did not send.
    pub refused: u64,
    /// Datagrams dropped because a client takes them too slowly, or is gone.
    pub dropped: u64,
}

pub(crate) struct TcpConnections {
    config: ShardConfig,
    shard: u16,
    events: OwnedFd,
    listeners: Vec<TcpListener>,
    connections: HashMap<u64, Connection>,
    keys: HashMap<Path, u64>,
    unproven: HashMap<IpAddr, usize>,
    next_key: u64,
    most: usize,
    swept: Option<Instant>,
    is_accepting: bool,
    counts: TcpCounts,
}

impl TcpConnections {
    /// Of the worker with this number among `workers`.
    pub fn new(shard: u16, workers: usize, config: ShardConfig, listeners: Vec<TcpListener>) -> io::Result<Self> {
        let events = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (listener, key) in listeners.iter().zip(FIRST_LISTENER..) {
            epoll::add(&events, listener, epoll::EventData::new_u64(key), epoll::EventFlags::IN)?;
        }
        let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
        let most = files.unwrap_or(usize::MAX) / SHARE_OF_FILES / workers.max(1);
        Ok(Self {
            config,
            shard,
            events,
            listeners,
            connections: HashMap::new(),
            keys: HashMap::new(),
            unproven: HashMap::new(),
            next_key: 0,
            most: most.min(MAX_CONNECTIONS),
            swept: None,
            is_accepting: true,
            counts: TcpCounts::default(),
        })
    }

    pub fn counts(&self) -> TcpCounts {
        self.counts
    }

    // ── receiving ──

    /// Look at what is ready: accept, read, send what waited. `take` gets what arrives.
    pub fn handle_ready(&mut self, now: Instant, mut take: impl FnMut(Arrival<'_>)) {
        let mut ready: Vec<epoll::Event> = Vec::with_capacity(EVENTS);
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if epoll::wait(&self.events, spare_capacity(&mut ready), Some(&at_once)).is_err() {
            return;
        }
        for event in ready {
            let (key, flags) = (event.data.u64(), event.flags);
            if key >= FIRST_LISTENER {
                self.accept(now, key);
                continue;
            }
            if flags.contains(epoll::EventFlags::OUT) {
                self.flush(key);
            }
            if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
                self.read(key, &mut take);
            }
        }
    }

    /// Take a connection that another server has accepted, whose first bytes say that it is a client of ours. It is
    /// closed if it is one too many.
    pub fn take_over(&mut self, now: Instant, stream: TcpStream) {
        let added = stream.peer_addr().ok().and_then(|remote| self.add_accepted(now, stream, remote));
        self.counts.refused += u64::from(added.is_none());
    }

    fn accept(&mut self, now: Instant, key: u64) {
        for _ in 0..ACCEPTED_AT_ONCE {
            let index = usize::try_from(key - FIRST_LISTENER).unwrap_or(usize::MAX);
            let Some(listener) = self.listeners.get(index) else { return };
            match listener.accept() {
                Ok((stream, remote)) => {
                    if self.add_accepted(now, stream, remote).is_none() {
                        self.counts.refused += 1;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // no more open files: the next sweep begins again
                Err(_) => return self.set_accepting(false),
            }
        }
    }

    /// None if it is refused: it is closed.
    fn add_accepted(&mut self, now: Instant, stream: TcpStream, remote: SocketAddr) -> Option<()> {
        let remote = canonical(remote);
        let of_address = self.unproven.get(&network_of(remote.ip())).copied().unwrap_or_default();
        let unproven: usize = self.unproven.values().sum();
        if of_address >= MAX_UNPROVEN_OF_ADDRESS || unproven >= MAX_UNPROVEN || self.connections.len() >= self.most {
            return None;
        }
        let path = self.config.offered(Path::tcp(canonical(stream.local_addr().ok()?), remote))?;
        stream.set_nonblocking(true).ok()?;
        let options = SockRef::from(&stream);
        options.set_tcp_nodelay(true).ok()?;
        // best effort: with a larger buffer more is late
        let _ = options.set_send_buffer_size(SEND_BUFFER_BYTES);
        let _ = options.set_tcp_notsent_lowat(UNSENT_BYTES);
        let _ = options.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIME));
        self.add(Connection {
            stream,
            path,
            reader: FrameReader::default(),
            queue: SendQueue::default(),
            opened: now,
            last_sent: None,
            is_assigned: false,
            is_blocked: false,
        })
        .map(drop)
    }

    fn add(&mut self, connection: Connection) -> Option<u64> {
        let key = self.next_key;
        let data = epoll::EventData::new_u64(key);
        epoll::add(&self.events, &connection.stream, data, epoll::EventFlags::IN).ok()?;
        self.next_key += 1;
        *self.unproven.entry(network_of(connection.path.remote.ip())).or_default() += 1;
        self.keys.insert(connection.path, key);
        self.connections.insert(key, connection);
        Some(key)
    }

    /// Take over a connection that another worker has accepted, with what it has read.
    pub fn adopt(&mut self, connection: Connection, mut take: impl FnMut(Arrival<'_>)) {
        if let Some(key) = self.add(connection) {
            self.take_frames(key, &mut take);
        }
    }

    fn read(&mut self, key: u64, take: &mut impl FnMut(Arrival<'_>)) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        match connection.reader.read(&mut connection.stream) {
            Ok(0) => drop(self.remove(key)),
            Ok(_) => self.take_frames(key, take),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => drop(self.remove(key)),
        }
    }

    fn take_frames(&mut self, key: u64, take: &mut impl FnMut(Arrival<'_>)) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        if !connection.is_assigned {
            match connection.reader.peek().map(|frame| frame.map(|frame| self.config.shard_of_check(frame))) {
                Ok(None) => return,
                Ok(Some(Some(owner))) if owner.0 == self.shard => connection.is_assigned = true,
                Ok(Some(Some(owner))) => {
                    if let Some(connection) = self.remove(key) {
                        take(Arrival::Foreign(owner.0, Box::new(connection)));
                    }
                    return;
                }
                // it does not begin as a client does
                Ok(Some(None)) | Err(_) => return self.refuse(key),
            }
        }
        let path = connection.path;
        loop {
            match connection.reader.take() {
                Ok(Some(frame)) => take(Arrival::Frame(path, frame)),
                Ok(None) => return,
                Err(_) => return self.refuse(key),
            }
        }
    }

    fn refuse(&mut self, key: u64) {
        self.counts.refused += 1;
        self.remove(key);
    }

    fn remove(&mut self, key: u64) -> Option<Connection> {
        let connection = self.connections.remove(&key)?;
        // it may live on with another worker
        let _ = epoll::delete(&self.events, &connection.stream);
        if self.keys.get(&connection.path) == Some(&key) {
            self.keys.remove(&connection.path);
        }
        if connection.last_sent.is_none() {
            self.proven(&connection.path);
        }
        Some(connection)
    }

    fn proven(&mut self, path: &Path) {
        let network = network_of(path.remote.ip());
        if let Some(count) = self.unproven.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.unproven.remove(&network);
            }
        }
    }

    // ── sending ──

    /// Queue datagrams, and send what the clients take.
    pub fn send(&mut self, now: Instant, datagrams: impl Iterator<Item = Datagram>) {
        let mut touched = Vec::new();
        for Datagram { path, is_video, contents } in datagrams {
            let key = self.keys.get(&path).copied();
            let Some((key, connection)) = key.and_then(|key| Some((key, self.connections.get_mut(&key)?))) else {
                self.counts.dropped += 1;
                continue;
            };
            self.counts.dropped += connection.queue.push(now, contents, is_video);
            if connection.last_sent.replace(now).is_none() {
                self.proven(&path);
            }
            if touched.last() != Some(&key) {
                touched.push(key);
            }
        }
        for key in touched {
            if self.connections.get(&key).is_some_and(|connection| !connection.is_blocked) {
                self.flush(key);
            }
        }
    }

    fn flush(&mut self, key: u64) {
        let Some(connection) = self.connections.get_mut(&key) else { return };
        let Ok(is_done) = connection.queue.flush(&mut connection.stream) else { return drop(self.remove(key)) };
        if connection.is_blocked == is_done {
            connection.is_blocked = !is_done;
            let waited = if is_done { epoll::EventFlags::IN } else { epoll::EventFlags::IN | epoll::EventFlags::OUT };
            let data = epoll::EventData::new_u64(key);
            if epoll::modify(&self.events, &connection.stream, data, waited).is_err() {
                self.remove(key);
            }
        }
    }

    // ── time ──

    /// Close what has not been answered in time; a few times a second.
    pub fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|swept| now.saturating_duration_since(swept) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        if !self.is_accepting {
            self.set_accepting(true);
        }
        let is_late = |connection: &Connection| match connection.last_sent {
            None => now.saturating_duration_since(connection.opened) >= MAX_UNPROVEN_TIME,
            Some(last_sent) => now.saturating_duration_since(last_sent) >= MAX_SILENCE,
        };
        let late: Vec<_> = self.connections.iter().filter(|(_, each)| is_late(each)).map(|(key, _)| *key).collect();
        for key in late {
            self.refuse(key);
        }
    }

    fn set_accepting(&mut self, is_accepting: bool) {
        self.is_accepting = is_accepting;
        let waited = if is_accepting { epoll::EventFlags::IN } else { epoll::EventFlags::empty() };
        for (listener, key) in self.listeners.iter().zip(FIRST_LISTENER..) {
            // an error means that it stays as it is
            let _ = epoll::modify(&self.events, listener, epoll::EventData::new_u64(key), waited);
        }
    }
}

impl AsFd for TcpConnections {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

/// A socket for both families has IPv4 addresses in another form (RFC 4291 section 2.5.5.2).
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// One subscriber's addresses count as one: a network of 64 bits of IPv6.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
#[path = "tcp_tests.rs"]
mod tests;
