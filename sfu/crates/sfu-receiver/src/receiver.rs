//! A thread and a UDP socket around a [`Peer`].

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::frame::Frame;
use crate::peer::{Peer, State};
use crate::transport::Datagram;

/// Socket buffer asked for; the system may grant less.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Also how often [`Receiver::behind`] is brought up to date while nothing arrives.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// Packets read before their frames are handed over.
const BATCH: usize = 64;
/// Sound that may wait to be drained: most of a minute of a large meeting. Beyond that the oldest is dropped.
const MAX_WAITING_AUDIO: usize = 65_536;
/// Pictures that may wait: some seconds. Beyond that those of the track that has most of them are dropped.
const MAX_WAITING_VIDEO_BYTES: usize = 64 * 1024 * 1024;
/// What a picture counts beside its own bytes, so that there are not too many small ones.
const PICTURE_BYTES: usize = 8 * 1024;
/// The discard port. Connecting a UDP socket sends nothing, it only looks up the route.
const PROBE_PORT: u16 = 9;
/// Larger datagrams are cut, and then fail their authentication.
const MAX_DATAGRAM_BYTES: usize = 2000;

/// A [`Peer`] with a thread and a UDP socket of its own. Dropping it closes it.
pub struct Receiver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    socket: UdpSocket,
    peer: Mutex<Peer>,
    audio: Mutex<VecDeque<Frame>>,
    video: Mutex<WaitingVideo>,
    began: Instant,
    /// Microseconds after `began`: everything that had arrived by then has been handed over.
    read_until_us: AtomicU64,
    is_closing: AtomicBool,
}

impl Receiver {
    /// Bind a port and start the thread. `addresses` are those of this machine at which a media server may reach it.
    ///
    /// Fails if there is no socket, or for an address that no ICE candidate can have.
    pub fn new(addresses: &[IpAddr]) -> io::Result<Self> {
        let socket = bind()?;
        let port = socket.local_addr()?.port();
        let locals: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
        let peer = Peer::new(Instant::now(), &locals).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            socket,
            peer: Mutex::new(peer),
            audio: Mutex::default(),
            video: Mutex::default(),
            began: Instant::now(),
            read_until_us: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        });
        let routes = Routes { locals, known: HashMap::new() };
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("receive".into()).spawn(move || of_thread.run(routes))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// An offer with this many additional receiving sections; see [`Peer::offer`].
    pub fn offer(&self, audio: usize, video: usize) -> Result<String, String> {
        self.act(|peer, now| peer.offer(now, audio, video))
    }

    /// Apply the answer to the last offer. The error says why it does not fit.
    pub fn answer(&self, sdp: &str) -> Result<(), String> {
        self.act(|peer, now| peer.answer(now, sdp))
    }

    /// Add a remote ICE candidate (`candidate:…`). Those that cannot be used are ignored.
    pub fn add_candidate(&self, candidate: &str) {
        self.act(|peer, now| peer.add_candidate(now, candidate));
    }

    /// Request a key frame, and withhold frames of this section until it comes.
    pub fn restart(&self, mid: &str) {
        self.act(|peer, now| peer.restart(now, mid));
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        let has_ended = lock(&self.thread).as_ref().is_none_or(JoinHandle::is_finished);
        if has_ended { State::Gone } else { lock(&self.shared.peer).state() }
    }

    /// The socket's receive buffer in bytes, as the system granted it.
    pub fn socket_buffer(&self) -> usize {
        SockRef::from(&self.shared.socket).recv_buffer_size().unwrap_or(0)
    }

    /// How long ago a packet may have arrived at the socket without being drained yet: little, unless the machine gives
    /// the thread no time. Read it before draining.
    pub fn behind(&self) -> Duration {
        let read_until = Duration::from_micros(self.shared.read_until_us.load(Ordering::Acquire));
        self.shared.began.elapsed().saturating_sub(read_until)
    }

    /// All sound received since the last call, in order. It waits in a queue of its own, so that no amount of pictures
    /// displaces it.
    pub fn drain_audio(&self) -> Vec<Frame> {
        lock(&self.shared.audio).drain(..).collect()
    }

    /// All pictures received since the last call, in order.
    pub fn drain_video(&self) -> Vec<Frame> {
        let mut waiting = lock(&self.shared.video);
        waiting.take()
    }

    /// End the thread and free the port. Idempotent.
    pub fn close(&self) {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        if let Some(thread) = lock(&self.thread).take() {
            // an error means that the thread has panicked: it is gone all the same
            let _ = thread.join();
        }
    }

    fn act<R>(&self, action: impl FnOnce(&mut Peer, Instant) -> R) -> R {
        let mut peer = lock(&self.shared.peer);
        let result = action(&mut peer, Instant::now());
        self.shared.hand_over(&mut peer);
        result
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn run(&self, mut routes: Routes) {
        while !self.is_closing.load(Ordering::Relaxed) {
            let empty_at = self.read(&mut routes);
            let now = Instant::now();
            let mut peer = lock(&self.peer);
            peer.advance(now);
            let deadline = peer.deadline();
            self.hand_over(&mut peer);
            drop(peer);
            if let Some(at) = empty_at {
                let read_until = at.saturating_duration_since(self.began).as_micros();
                self.read_until_us.store(u64::try_from(read_until).unwrap_or(u64::MAX), Ordering::Release);
                self.wait(deadline.saturating_duration_since(now).clamp(SHORTEST_WAIT, LONGEST_WAIT));
            }
        }
    }

    /// Read waiting datagrams. Returns the time at which there were none left, None if there may be more.
    fn read(&self, routes: &mut Routes) -> Option<Instant> {
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        for _ in 0..BATCH {
            let before = Instant::now();
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { return Some(before) };
            let source = SocketAddr::new(source.ip().to_canonical(), source.port());
            if let (Some(data), Some(destination)) = (buffer.get(..length), routes.local_for(source)) {
                lock(&self.peer).receive(before, source, destination, data);
            }
        }
        None
    }

    fn wait(&self, time: Duration) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        // an interrupted wait does no harm: the loop reads everything anyway
        let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout));
    }

    /// Send datagrams and queue frames. The caller holds the peer's lock, so that frames stay in order.
    fn hand_over(&self, peer: &mut Peer) {
        let output = peer.output();
        for Datagram { destination, contents } in output.datagrams.drain(..) {
            // a full socket buffer is loss, as on any network
            let _ = self.socket.send_to(&contents, self.reachable(destination));
        }
        if output.frames.is_empty() {
            return;
        }
        let (audio, video): (Vec<_>, Vec<_>) = output.frames.drain(..).partition(Frame::is_audio);
        let mut waiting = lock(&self.audio);
        waiting.extend(audio);
        let excess = waiting.len().saturating_sub(MAX_WAITING_AUDIO);
        waiting.drain(..excess);
        drop(waiting);
        for mid in lock(&self.video).push(video) {
            peer.restart(Instant::now(), &mid);
        }
    }

    /// A dual-stack socket takes IPv4 addresses in their IPv4-mapped form (RFC 4291 section 2.5.5.2).
    fn reachable(&self, address: SocketAddr) -> SocketAddr {
        match (self.socket.local_addr(), address.ip()) {
            (Ok(SocketAddr::V6(_)), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
    }
}

/// Pictures that wait to be drained.
#[derive(Default)]
struct WaitingVideo {
    frames: VecDeque<Frame>,
    bytes: HashMap<String, usize>,
}

impl WaitingVideo {
    /// Returns the sections whose pictures were dropped, all of them: what follows a lost one cannot be decoded.
    fn push(&mut self, frames: Vec<Frame>) -> Vec<String> {
        for frame in &frames {
            *self.bytes.entry(frame.mid.clone()).or_default() += frame.data.len() + PICTURE_BYTES;
        }
        self.frames.extend(frames);
        let mut lost = Vec::new();
        while self.bytes.values().sum::<usize>() > MAX_WAITING_VIDEO_BYTES {
            let Some(mid) = self.bytes.iter().max_by_key(|(_, bytes)| **bytes).map(|(mid, _)| mid.clone()) else {
                break;
            };
            self.bytes.remove(&mid);
            self.frames.retain(|frame| frame.mid != mid);
            lost.push(mid);
        }
        lost
    }

    fn take(&mut self) -> Vec<Frame> {
        self.bytes.clear();
        self.frames.drain(..).collect()
    }
}

/// Which of our addresses a datagram was sent to: the one from which we would answer.
struct Routes {
    locals: Vec<SocketAddr>,
    known: HashMap<IpAddr, Option<SocketAddr>>,
}

impl Routes {
    fn local_for(&mut self, source: SocketAddr) -> Option<SocketAddr> {
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

/// One port for both families where the system has both.
fn bind() -> io::Result<UdpSocket> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let both = open(any).or_else(|_| open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))?;
    // best effort: with a smaller buffer more is lost under load. Beyond the system's limit with its permission only
    let _ = set_socket_recv_buffer_size_force(&both, BUFFER_BYTES)
        .or_else(|_| both.set_recv_buffer_size(BUFFER_BYTES).map_err(|_| rustix::io::Errno::PERM));
    Ok(both.into())
}

fn open(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(mid: &str, bytes: usize) -> Frame {
        Frame {
            mid: mid.to_owned(),
            codec: "vp8",
            rtp_time: 0,
            clock_hz: 90_000,
            arrived: Instant::now(),
            is_key: false,
            quarter_turns: 0,
            is_refused: false,
            data: vec![0; bytes].into(),
        }
    }

    #[test]
    fn too_many_pictures_cost_the_track_that_has_most_of_them() {
        let mut waiting = WaitingVideo::default();
        let fits = MAX_WAITING_VIDEO_BYTES / (PICTURE_BYTES + 10);
        assert!(waiting.push(vec![picture("one", 10); fits / 4]).is_empty());
        assert!(waiting.push(vec![picture("flood", 10); fits / 2]).is_empty());
        assert_eq!(waiting.push(vec![picture("other", 10); fits / 4 + 10]), ["flood"]);
        assert_eq!(waiting.frames.len(), 2 * (fits / 4) + 10);
        assert!(waiting.frames.iter().all(|frame| frame.mid != "flood"));
        assert_eq!(waiting.take().len(), 2 * (fits / 4) + 10);
        assert!(waiting.push(vec![picture("flood", 10); fits]).is_empty());
    }

    #[test]
    fn too_large_pictures_cost_their_track() {
        let mut waiting = WaitingVideo::default();
        assert!(waiting.push(vec![picture("small", 10)]).is_empty());
        assert_eq!(waiting.push(vec![picture("large", MAX_WAITING_VIDEO_BYTES)]), ["large"]);
        assert_eq!(waiting.take().len(), 1);
    }

    #[test]
    fn a_socket_has_a_large_buffer_where_the_system_allows_it() {
        let socket = bind().unwrap();
        assert!(SockRef::from(&socket).recv_buffer_size().unwrap() > 100_000);
    }
}
