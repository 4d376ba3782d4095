//! The packet engine as its users see it: all workers behind one interface.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{FromRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tertulia_sfu::{
    Channel, Codecs, Command, DataMessage, Event, PeerId, ShardConfig, ShardId, SubscriptionError,
    SubscriptionSettings, TrackId, TrackSpec,
};

use crate::directory::Directory;
use crate::events::EventQueue;
use crate::mailbox::{Mailbox, Order};
use crate::placement::Role;
use crate::profile::Profile;
use crate::published::Published;
use crate::steering::Steering;
use crate::tcp::TcpConnections;
use crate::tcp_listeners::listen_group;
use crate::udp::bind_group;
use crate::worker::Worker;

/// Receivers of one command: each costs some 20 µs, and a worker finishes a command before it looks at its socket.
const PEERS_IN_COMMAND: usize = 64;

/// How to run a [`MediaCore`].
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The UDP port of all media; 0: any free one.
    pub udp_port: u16,
    /// The TCP port of media for clients that cannot use UDP; 0: any free one, None: none.
    pub tcp_port: Option<u16>,
    /// The local addresses to bind, at most one of each family.
    pub bind: Vec<IpAddr>,
    /// The addresses offered to clients as ICE candidates, with both ports.
    pub addresses: Vec<IpAddr>,
    /// Candidates for TCP whose connections another server accepts ([`MediaCore::take_over`]).
    pub shared_tcp: Vec<SocketAddr>,
    /// Worker threads; 0: one for each CPU core.
    pub workers: usize,
}

/// The packet engine. Commands return at once, and unknown peers and tracks are ignored; [`MediaCore::drain`] returns
/// what happens. Dropping it closes it.
pub struct MediaCore {
    udp_port: u16,
    tcp_port: Option<u16>,
    events: Arc<EventQueue>,
    mailboxes: Arc<[Mailbox]>,
    published: Vec<Arc<Published>>,
    directory: Arc<Mutex<Directory>>,
    /// How many connections were taken over.
    taken_over: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl MediaCore {
    /// Bind the ports and start the workers. Fails if a port is taken or an address is not usable.
    pub fn new(options: &Options) -> io::Result<Self> {
        let count = match options.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let (udp_port, sockets) = bind_group(&options.bind, options.udp_port, count, &options.addresses)?;
        let steering = Arc::new(Steering::new(&sockets)?);
        let group = options.tcp_port.map(|port| listen_group(&options.bind, port, count)).transpose()?;
        let (tcp_port, listeners) = group.map_or((None, Vec::new()), |(port, listeners)| (Some(port), listeners));
        let listeners = listeners.into_iter().chain(std::iter::repeat_with(Vec::new));
        let config = configured(options, udp_port, tcp_port)?;
        let boxes = (0..count).map(|_| Mailbox::new()).collect::<io::Result<Vec<_>>>()?;
        let (mailboxes, inboxes): (Vec<_>, Vec<_>) = boxes.into_iter().unzip();
        let mut core = Self {
            udp_port,
            tcp_port,
            events: Arc::new(EventQueue::new()?),
            mailboxes: mailboxes.into(),
            published: Vec::new(),
            directory: Arc::new(Mutex::new(Directory::new(count))),
            taken_over: AtomicUsize::new(0),
            threads: Mutex::default(),
        };
        for (((id, sockets), listeners), inbox) in (0u16..).map(ShardId).zip(sockets).zip(listeners).zip(inboxes) {
            let published = Arc::new(Published::new());
            core.published.push(published.clone());
            let (mailboxes, events, directory) = (core.mailboxes.clone(), core.events.clone(), core.directory.clone());
            let config = config.clone();
            let tcp = RefCell::new(TcpConnections::new(id.0, count, config.clone(), listeners)?);
            let (profile, steering) = (Profile::default(), steering.clone());
            let worker =
                Worker { id, config, sockets, tcp, inbox, mailboxes, directory, events, published, profile, steering };
            let thread = thread::Builder::new().name(format!("sfu-{}", id.0)).spawn(move || worker.run())?;
            lock(&core.threads).push(thread);
        }
        Ok(core)
    }

    /// The UDP port that is bound.
    pub fn udp_port(&self) -> u16 {
        self.udp_port
    }

    /// The TCP port that is bound.
    pub fn tcp_port(&self) -> Option<u16> {
        self.tcp_port
    }

    /// Take over a TCP connection that was accepted elsewhere; one that does not become a peer's is closed.
    ///
    /// The descriptor has to be an open one that belongs to nobody else from now on.
    pub fn take_over(&self, descriptor: RawFd) {
        // SAFETY: the caller hands over an open descriptor of its own.
        let stream = unsafe { TcpStream::from_raw_fd(descriptor) };
        // any worker: it passes the connection to the one that owns the peer
        let worker = self.taken_over.fetch_add(1, Ordering::Relaxed) % self.mailboxes.len().max(1);
        if let Some(mailbox) = self.mailboxes.get(worker) {
            mailbox.order(Order::TakeOver(stream));
        }
    }

    /// A file descriptor that is readable while events wait.
    pub fn fileno(&self) -> RawFd {
        self.events.fileno()
    }

    /// Take up to `max_events` events, in order.
    pub fn drain(&self, max_events: usize) -> Vec<Event> {
        let events = self.events.drain(max_events);
        let mut directory = lock(&self.directory);
        for event in &events {
            directory.observe(event);
        }
        events
    }

    /// Stop the workers and wait for their threads. Idempotent.
    pub fn close(&self) {
        for mailbox in self.mailboxes.iter() {
            mailbox.order(Order::Stop);
        }
        for thread in lock(&self.threads).drain(..) {
            // an error means that the thread has panicked: it is gone all the same
            let _ = thread.join();
        }
    }

    // ── peers ──

    fn place(&self, peer: &PeerId, of: (&str, Role)) -> ShardId {
        let busy_permille: Vec<_> = self.published.iter().map(|published| published.busy_permille()).collect();
        lock(&self.directory).place(Instant::now(), peer, of, &busy_permille)
    }

    /// Create a peer connection, on a worker that has time for it: that of those who are in the same room, if it can be.
    pub fn add_peer(&self, peer: PeerId, room: &str, codecs: Codecs) {
        let shard = self.place(&peer, (room, Role::Member));
        self.post(shard, Command::AddPeer { peer, codecs });
    }

    /// Create a peer connection on which we make the offers, and only send; [`Event::Offered`] follows.
    pub fn add_subscriber(&self, peer: PeerId, room: &str, channels: bool, codecs: Codecs) {
        let shard = self.place(&peer, (room, Role::Second));
        self.post(shard, Command::AddSubscriber { peer, channels, codecs });
    }

    /// Close a peer connection; its tracks and subscriptions end.
    pub fn remove_peer(&self, peer: PeerId) {
        let shard = {
            let mut directory = lock(&self.directory);
            let shard = directory.shard_of(&peer);
            directory.remove_peer(&peer);
            shard
        };
        if let Some(shard) = shard {
            self.post(shard, Command::RemovePeer { peer });
        }
    }

    /// Apply a client's offer; [`Event::Answered`] or [`Event::NegotiationFailed`] follows.
    pub fn offer(&self, peer: PeerId, offer_id: i64, sdp: String) {
        self.to(&peer.clone(), Command::Offer { peer, offer_id, sdp });
    }

    /// Apply a client's answer to [`Event::Offered`].
    pub fn answer(&self, peer: PeerId, offer_id: i64, sdp: String) {
        self.to(&peer.clone(), Command::Answer { peer, offer_id, sdp });
    }

    /// Offer new ICE credentials, where we make the offers.
    pub fn restart_ice(&self, peer: PeerId) {
        self.to(&peer.clone(), Command::RestartIce { peer });
    }

    // ── publishing ──

    /// Announce a track that a section of a past or coming offer carries.
    pub fn expect_track(&self, peer: PeerId, track: TrackId, spec: TrackSpec) {
        let shard = {
            let mut directory = lock(&self.directory);
            let Some(shard) = directory.shard_of(&peer) else { return };
            directory.add_track(&peer, &track, shard);
            shard
        };
        self.post(shard, Command::ExpectTrack { peer, track, spec });
    }

    /// Stop forwarding a track and end its subscriptions.
    pub fn withdraw_track(&self, peer: PeerId, track: TrackId) {
        lock(&self.directory).remove_track(&track);
        self.to(&peer.clone(), Command::WithdrawTrack { peer, track });
    }

    /// Withhold a track's packets, or forward them again.
    pub fn set_track_muted(&self, peer: PeerId, track: TrackId, muted: bool) {
        self.to(&peer.clone(), Command::SetTrackMuted { peer, track, muted });
    }

    // ── subscribing ──

    /// Forward a track to a peer; [`Event::SubscriptionStarted`] or [`Event::SubscriptionFailed`] follows.
    pub fn subscribe(&self, peer: PeerId, track: TrackId) {
        let (shard, source) = {
            let directory = lock(&self.directory);
            (directory.shard_of(&peer), directory.source_of(&track).cloned())
        };
        let Some(shard) = shard else { return };
        match source {
            Some(source) => self.post(shard, Command::Subscribe { peer, source }),
            None => {
                let reason = SubscriptionError::TrackNotFound;
                self.events.push([Event::SubscriptionFailed { peer, track, reason }]);
            }
        }
    }

    /// End a subscription.
    pub fn unsubscribe(&self, peer: PeerId, track: TrackId) {
        self.to(&peer.clone(), Command::Unsubscribe { peer, track });
    }

    /// Change what a subscriber asks of a track, before or after it subscribes.
    pub fn configure_subscription(&self, peer: PeerId, track: TrackId, settings: SubscriptionSettings) {
        self.to(&peer.clone(), Command::ConfigureSubscription { peer, track, settings });
    }

    // ── data ──

    /// Send one message to each of these peers whose channel is open. It counts for the `sender` until all have it.
    pub fn send_data(&self, peers: Vec<PeerId>, channel: Channel, payload: &[u8], sender: Option<&PeerId>) {
        let flow = sender.and_then(|sender| lock(&self.directory).flow_of(sender));
        let payload = Arc::new(DataMessage::new(payload.to_vec(), flow));
        let mut by_shard: HashMap<ShardId, Vec<PeerId>> = HashMap::new();
        {
            let directory = lock(&self.directory);
            for peer in peers {
                if let Some(shard) = directory.shard_of(&peer) {
                    by_shard.entry(shard).or_default().push(peer);
                }
            }
        }
        for (shard, peers) in by_shard {
            for peers in peers.chunks(PEERS_IN_COMMAND) {
                self.post(shard, Command::SendData { peers: peers.to_vec(), channel, payload: payload.clone() });
            }
        }
    }

    /// Read nothing from a peer's data channels for this time.
    pub fn hold_data(&self, peer: PeerId, time: Duration) {
        self.to(&peer.clone(), Command::HoldData { peer, time });
    }

    // ── statistics ──

    /// Cumulative counters, summed over the workers: those of [`tertulia_sfu::Counters`] and the workers' own.
    pub fn stats(&self) -> BTreeMap<&'static str, u64> {
        let mut sums = BTreeMap::new();
        for (name, value) in self.published.iter().flat_map(|published| published.read()) {
            *sums.entry(name).or_default() += value;
        }
        sums
    }

    fn to(&self, peer: &PeerId, command: Command) {
        let shard = lock(&self.directory).shard_of(peer);
        if let Some(shard) = shard {
            self.post(shard, command);
        }
    }

    fn post(&self, shard: ShardId, command: Command) {
        if let Some(mailbox) = self.mailboxes.get(usize::from(shard.0)) {
            mailbox.order(Order::Command(command));
        }
    }
}

/// What clients are told of these ports.
fn configured(options: &Options, udp_port: u16, tcp_port: Option<u16>) -> io::Result<ShardConfig> {
    let offered = |port: u16| options.addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect::<Vec<_>>();
    ShardConfig::new(&offered(udp_port))
        .and_then(|config| config.with_tcp(&tcp_port.map(offered).unwrap_or_default()))
        .and_then(|config| config.with_tcp(&options.shared_tcp))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

impl Drop for MediaCore {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
