//! All workers as one thing.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tertulia_sfu::{
    Channel, Command, Event, Kind, LayerSpec, PeerId, ShardConfig, ShardId, SubscriptionError, TrackId, Wish,
};

use crate::directory::Directory;
use crate::events::EventQueue;
use crate::mailbox::{Letter, Mailbox};
use crate::udp::{BatchSender, bind_group};
use crate::worker::{Published, Worker};

#[derive(Clone, Debug)]
pub struct Options {
    /// 0: any free one.
    pub udp_port: u16,
    pub bind: IpAddr,
    /// What candidates offer.
    pub addresses: Vec<IpAddr>,
    /// 0: one for each core.
    pub workers: usize,
}

/// The packet engine. Commands return at once; what happens is told by events.
pub struct MediaCore {
    udp_port: u16,
    events: Arc<EventQueue>,
    mailboxes: Arc<[Mailbox]>,
    published: Vec<Arc<Published>>,
    directory: Mutex<Directory>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl MediaCore {
    pub fn new(options: &Options) -> io::Result<Self> {
        let count = match options.workers {
            0 => thread::available_parallelism().map_or(1, usize::from),
            count => count,
        };
        let sockets = bind_group(SocketAddr::new(options.bind, options.udp_port), count)?;
        let udp_port = sockets.first().map_or(Ok(0), |socket| socket.local_addr().map(|address| address.port()))?;
        let offered: Vec<SocketAddr> = options.addresses.iter().map(|ip| SocketAddr::new(*ip, udp_port)).collect();
        let invalid = |error: tertulia_sfu::ConfigError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let config = ShardConfig::new(&offered).map_err(invalid)?;

        let boxes = (0..count).map(|_| Mailbox::new()).collect::<io::Result<Vec<_>>>()?;
        let (mailboxes, receivers): (Vec<_>, Vec<_>) = boxes.into_iter().unzip();
        let mut core = Self {
            udp_port,
            events: Arc::new(EventQueue::new()?),
            mailboxes: mailboxes.into(),
            published: Vec::new(),
            directory: Mutex::new(Directory::new(count)),
            threads: Mutex::default(),
        };
        for ((id, socket), letters) in (0u16..).map(ShardId).zip(sockets).zip(receivers) {
            let published = Arc::new(Published::new());
            core.published.push(published.clone());
            let (mailboxes, events) = (core.mailboxes.clone(), core.events.clone());
            let (config, sender) = (config.clone(), BatchSender::new());
            let worker = Worker { id, config, socket, sender, letters, mailboxes, events, published };
            let thread = thread::Builder::new().name(format!("sfu-{}", id.0)).spawn(move || worker.run())?;
            lock(&core.threads).push(thread);
        }
        Ok(core)
    }

    pub fn udp_port(&self) -> u16 {
        self.udp_port
    }

    /// Readable while events wait.
    pub fn fileno(&self) -> RawFd {
        self.events.fileno()
    }

    pub fn drain(&self, max_events: usize) -> Vec<Event> {
        let events = self.events.drain(max_events);
        let mut directory = lock(&self.directory);
        for event in &events {
            directory.observe(event);
        }
        events
    }

    /// Stop the workers and wait for them.
    pub fn close(&self) {
        for mailbox in self.mailboxes.iter() {
            mailbox.post(Letter::Stop);
            mailbox.ring();
        }
        for thread in lock(&self.threads).drain(..) {
            // a worker catches its panics; one that could not is gone all the same
            let _ = thread.join();
        }
    }

    // ── peers ──

    pub fn add_peer(&self, peer: PeerId) {
        let shard = lock(&self.directory).place(&peer);
        self.post(shard, Command::AddPeer { peer });
    }

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

    pub fn offer(&self, peer: PeerId, offer_id: i64, sdp: String) {
        self.to(&peer.clone(), Command::Offer { peer, offer_id, sdp });
    }

    pub fn trickle(&self, peer: PeerId, candidate: String) {
        self.to(&peer.clone(), Command::Trickle { peer, candidate });
    }

    // ── publishing ──

    pub fn expect_track(&self, peer: PeerId, track: TrackId, kind: Kind, cids: Vec<String>, layers: Vec<LayerSpec>) {
        let shard = {
            let mut directory = lock(&self.directory);
            let Some(shard) = directory.shard_of(&peer) else { return };
            directory.add_track(&peer, &track, shard);
            shard
        };
        self.post(shard, Command::ExpectTrack { peer, track, kind, cids, layers });
    }

    pub fn withdraw_track(&self, peer: PeerId, track: TrackId) {
        lock(&self.directory).remove_track(&track);
        self.to(&peer.clone(), Command::WithdrawTrack { peer, track });
    }

    pub fn set_track_muted(&self, peer: PeerId, track: TrackId, muted: bool) {
        self.to(&peer.clone(), Command::SetTrackMuted { peer, track, muted });
    }

    // ── subscribing ──

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

    pub fn unsubscribe(&self, peer: PeerId, track: TrackId) {
        self.to(&peer.clone(), Command::Unsubscribe { peer, track });
    }

    pub fn configure_subscription(&self, peer: PeerId, track: TrackId, wish: Wish) {
        self.to(&peer.clone(), Command::ConfigureSubscription { peer, track, wish });
    }

    // ── data ──

    pub fn send_data(&self, peers: Vec<PeerId>, channel: Channel, payload: &[u8]) {
        let payload: Arc<[u8]> = payload.into();
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
            self.post(shard, Command::SendData { peers, channel, payload: payload.clone() });
        }
    }

    // ── insight ──

    /// Cumulative counters, added up over the workers.
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
            mailbox.post(Letter::Command(command));
            mailbox.ring();
        }
    }
}

impl Drop for MediaCore {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
