//! A thread and sockets around a [`Peer`].

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::frame::Frame;
use crate::path::{Datagram, Path, Protocol};
use crate::peer::{Peer, State};
use crate::tcp::TcpLinks;
use crate::udp::{Routes, UdpLink};

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
/// Larger datagrams are cut, and then fail their authentication.
const MAX_DATAGRAM_BYTES: usize = 2000;

/// A [`Peer`] with a thread and sockets of its own: for UDP, and for TCP where UDP does not come through. Dropping it
/// closes it.
pub struct Receiver {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    udp: UdpLink,
    tcp: TcpLinks,
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
        let (udp, tcp) = (UdpLink::open()?, TcpLinks::new()?);
        let port = udp.port();
        let locals: Vec<_> = addresses.iter().map(|address| SocketAddr::new(*address, port)).collect();
        let peer = Peer::new(Instant::now(), &locals).map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            udp,
            tcp,
            peer: Mutex::new(peer),
            audio: Mutex::default(),
            video: Mutex::default(),
            began: Instant::now(),
            read_until_us: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        });
        let routes = Routes::new(locals);
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

    /// The UDP socket's receive buffer in bytes, as the system granted it.
    pub fn socket_buffer(&self) -> usize {
        self.shared.udp.buffer_size()
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
            let (datagrams, frames) = (self.read_datagrams(&mut routes), self.read_frames());
            let empty_at = datagrams.zip(frames).map(|(datagrams, frames)| datagrams.min(frames));
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
    fn read_datagrams(&self, routes: &mut Routes) -> Option<Instant> {
        let mut buffer = [0; MAX_DATAGRAM_BYTES];
        for _ in 0..BATCH {
            let before = Instant::now();
            let Ok((length, remote)) = self.udp.receive(&mut buffer) else { return Some(before) };
            if let (Some(data), Some(local)) = (buffer.get(..length), routes.local_for(remote)) {
                lock(&self.peer).receive(before, Path { protocol: Protocol::Udp, local, remote }, data);
            }
        }
        None
    }

    /// The same for TCP.
    fn read_frames(&self) -> Option<Instant> {
        let before = Instant::now();
        let arrived = self.tcp.turn();
        for (path, data) in arrived.frames {
            lock(&self.peer).receive(before, path, &data);
        }
        (!arrived.is_cut).then_some(before)
    }

    fn wait(&self, time: Duration) {
        let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
        // an interrupted wait does no harm: the loop reads everything anyway
        let _ =
            poll(&mut [PollFd::new(&self.udp, PollFlags::IN), PollFd::new(&self.tcp, PollFlags::IN)], Some(&timeout));
    }

    /// Send datagrams and queue frames. The caller holds the peer's lock, so that frames stay in order.
    fn hand_over(&self, peer: &mut Peer) {
        let output = peer.output();
        for Datagram { path, contents } in output.datagrams.drain(..) {
            match path.protocol {
                Protocol::Udp => self.udp.send(path.remote, &contents),
                Protocol::Tcp => self.tcp.send(Instant::now(), path, contents),
            }
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
}
