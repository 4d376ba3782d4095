//! A thread and a UDP socket around a [`Peer`].

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use socket2::{Domain, Protocol, Socket, Type};
use str0m::net::Transmit;

use crate::frame::Frame;
use crate::peer::{Outgoing, Peer, State};

/// Asked for; the system may grant less.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Also how often it is said that nothing waits.
const LONGEST_WAIT: Duration = Duration::from_millis(20);
const SHORTEST_WAIT: Duration = Duration::from_millis(1);
/// Packets read before what they bring is handed over.
const BATCH: usize = 64;
/// What may wait to be taken: some seconds of a large meeting. Beyond that the oldest goes.
const MAX_WAITING: usize = 8192;
/// Which one does not matter: connecting a UDP socket sends nothing, it only asks for a route.
const ANY_PORT: u16 = 9;

pub struct Receiver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    socket: UdpSocket,
    peer: Mutex<Peer>,
    frames: Mutex<VecDeque<Frame>>,
    began: Instant,
    /// Microseconds after `began`: whatever had arrived by then has been handed over.
    read_until_us: AtomicU64,
    is_closing: AtomicBool,
}

impl Receiver {
    /// `addresses` are those of this machine at which a media server may reach it.
    pub fn new(addresses: &[IpAddr]) -> io::Result<Self> {
        let socket = bind()?;
        let port = socket.local_addr()?.port();
        let locals: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
        let peer = Peer::new(Instant::now(), &locals).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            socket,
            peer: Mutex::new(peer),
            frames: Mutex::default(),
            began: Instant::now(),
            read_until_us: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        });
        let routes = Routes { locals, known: HashMap::new() };
        let of_thread = Arc::clone(&shared);
        let thread = thread::Builder::new().name("receive".into()).spawn(move || of_thread.run(routes))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    pub fn offer(&self, audio: usize, video: usize) -> Result<String, String> {
        lock(&self.shared.peer).offer(Instant::now(), audio, video)
    }

    pub fn answer(&self, sdp: &str) -> Result<(), String> {
        self.act(|peer, _| peer.answer(sdp))
    }

    pub fn add_candidate(&self, candidate: &str) {
        self.act(|peer, _| peer.add_candidate(candidate));
    }

    pub fn restart(&self, mid: &str) {
        self.act(|peer, now| peer.restart(now, mid));
    }

    pub fn state(&self) -> State {
        let has_ended = lock(&self.thread).as_ref().is_none_or(JoinHandle::is_finished);
        if has_ended { State::Gone } else { lock(&self.shared.peer).state() }
    }

    /// How old what has arrived at the socket may be without being in [`Self::drain`] yet: small, unless the machine
    /// gives the thread no time. To be asked before draining.
    pub fn behind(&self) -> Duration {
        let read_until = Duration::from_micros(self.shared.read_until_us.load(Ordering::Acquire));
        self.shared.began.elapsed().saturating_sub(read_until)
    }

    /// Everything that has come since the last call, in order.
    pub fn drain(&self) -> Vec<Frame> {
        lock(&self.shared.frames).drain(..).collect()
    }

    /// End the thread and free the port.
    pub fn close(&self) {
        self.shared.is_closing.store(true, Ordering::Relaxed);
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }

    fn act<R>(&self, action: impl FnOnce(&mut Peer, Instant) -> R) -> R {
        let now = Instant::now();
        let mut out = Outgoing::default();
        let mut peer = lock(&self.shared.peer);
        let result = action(&mut peer, now);
        peer.poll(now, &mut out);
        self.shared.hand_over(&mut peer, &mut out);
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
        let mut out = Outgoing::default();
        while !self.is_closing.load(Ordering::Relaxed) {
            let empty_at = self.read(&mut routes, &mut out);
            let now = Instant::now();
            let mut peer = lock(&self.peer);
            let deadline = peer.poll(now, &mut out);
            self.hand_over(&mut peer, &mut out);
            drop(peer);
            if let Some(at) = empty_at {
                let read_until = at.saturating_duration_since(self.began).as_micros();
                self.read_until_us.store(u64::try_from(read_until).unwrap_or(u64::MAX), Ordering::Release);
                self.wait(deadline.saturating_duration_since(now).clamp(SHORTEST_WAIT, LONGEST_WAIT));
            }
        }
    }

    /// Read what is there; returns when there was nothing more, None if there may be.
    fn read(&self, routes: &mut Routes, out: &mut Outgoing) -> Option<Instant> {
        let mut buffer = [0; 2000];
        for _ in 0..BATCH {
            let before = Instant::now();
            let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { return Some(before) };
            let source = SocketAddr::new(source.ip().to_canonical(), source.port());
            if let (Some(data), Some(destination)) = (buffer.get(..length), routes.local_for(source)) {
                let mut peer = lock(&self.peer);
                peer.receive(before, source, destination, data);
                // the library wants to be asked after each thing that it is given
                peer.poll(before, out);
            }
        }
        None
    }

    fn wait(&self, time: Duration) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        // interrupted or not: the loop looks at everything anyway
        let _ = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&timeout));
    }

    /// With the peer in hand, so that frames stay in their order.
    fn hand_over(&self, peer: &mut Peer, out: &mut Outgoing) {
        for Transmit { destination, contents, .. } in out.datagrams.drain(..) {
            // a full socket buffer is loss, as on any network
            let _ = self.socket.send_to(&contents, self.reachable(destination));
        }
        if out.frames.is_empty() {
            return;
        }
        let mut waiting = lock(&self.frames);
        waiting.extend(out.frames.drain(..));
        let excess = waiting.len().saturating_sub(MAX_WAITING);
        for lost in waiting.drain(..excess) {
            peer.restart(Instant::now(), &lost.mid);
        }
    }

    /// A socket for both families wants IPv4 addresses in the clothes of IPv6.
    fn reachable(&self, address: SocketAddr) -> SocketAddr {
        match (self.socket.local_addr(), address.ip()) {
            (Ok(SocketAddr::V6(_)), IpAddr::V4(v4)) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
            _ => address,
        }
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
    probe.connect((address, ANY_PORT)).ok()?;
    probe.local_addr().ok().map(|local| local.ip())
}

/// One port for both families where the system has both.
fn bind() -> io::Result<UdpSocket> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let both = open(any).or_else(|_| open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))?;
    // best effort: smaller buffers work, they only lose more under load
    let _ = both.set_recv_buffer_size(BUFFER_BYTES);
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
