//! A network with delay, jitter (hence reordering) and loss; the same seed gives the same run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a link carries as a phone has it in a train: kbit/s, for three seconds each.
pub const CELLULAR: [u64; 20] =
    [2000, 1200, 600, 300, 200, 250, 600, 1500, 3000, 900, 250, 200, 220, 400, 800, 2000, 500, 300, 1000, 2500];

#[derive(Clone, Copy)]
pub struct Link {
    pub delay: Duration,
    pub jitter: Duration,
    /// 0.0 to 1.0
    pub loss: f64,
    pub seed: u64,
}

impl Default for Link {
    fn default() -> Self {
        Self { delay: Duration::from_millis(10), jitter: Duration::ZERO, loss: 0.0, seed: 1 }
    }
}

/// What stands between the network and one client, in one direction.
pub struct Bottleneck {
    pub of: SocketAddr,
    pub rate_bps: u64,
    /// A datagram that would have to wait longer is dropped.
    pub longest_wait: Duration,
    /// The client reads its datagrams only this often, for want of CPU.
    pub reads_every: Duration,
    pub dropped: usize,
    pub delivered_bytes: u64,
    start: Instant,
    free_at: Instant,
}

impl Bottleneck {
    pub fn new(of: SocketAddr, now: Instant, rate_bps: u64, longest_wait: Duration) -> Self {
        Self {
            of,
            rate_bps,
            longest_wait,
            reads_every: Duration::ZERO,
            dropped: 0,
            delivered_bytes: 0,
            start: now,
            free_at: now,
        }
    }

    /// How long a datagram that is sent now has to wait.
    pub fn wait(&self, now: Instant) -> Duration {
        self.free_at.saturating_duration_since(now)
    }

    /// When a datagram is read, None if it is dropped.
    fn pass(&mut self, now: Instant, bytes: usize) -> Option<Instant> {
        if self.wait(now) > self.longest_wait {
            self.dropped += 1;
            return None;
        }
        self.free_at = self.free_at.max(now) + Duration::from_secs_f64(bytes as f64 * 8.0 / self.rate_bps as f64);
        self.delivered_bytes += bytes as u64;
        let every = self.reads_every.as_micros().max(1);
        let turns = (self.free_at - self.start).as_micros().div_ceil(every);
        Some(self.start + Duration::from_micros((turns * every) as u64))
    }
}

type Entry = (Instant, u64, SocketAddr, SocketAddr, Vec<u8>);

pub struct Network {
    pub link: Link,
    /// Only datagrams to these addresses are lost, if there are any.
    pub lossy: Vec<SocketAddr>,
    /// All datagrams from and to these addresses are lost.
    pub cut: Vec<SocketAddr>,
    pub lost: usize,
    /// Of what is sent to this address, the SSRCs and sequence numbers of RTP packets.
    pub watched: Option<SocketAddr>,
    pub seen: Vec<(u32, u16)>,
    /// Of what a client is sent, and of what it sends.
    pub bottleneck: Option<Bottleneck>,
    pub uplink: Option<Bottleneck>,
    state: u64,
    sent: u64,
    waiting: BinaryHeap<Reverse<Entry>>,
}

impl Network {
    pub fn new(link: Link) -> Self {
        Self {
            link,
            lossy: Vec::new(),
            cut: Vec::new(),
            lost: 0,
            watched: None,
            seen: Vec::new(),
            bottleneck: None,
            uplink: None,
            state: link.seed | 1,
            sent: 0,
            waiting: BinaryHeap::new(),
        }
    }

    /// xorshift64*: 0.0 to 1.0.
    pub fn random(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn send(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, data: Vec<u8>) {
        if let (true, [128..=191, kind, a, b, _, _, _, _, c, d, e, f, ..]) =
            (self.watched == Some(destination), &data[..])
            && !(192..=223).contains(kind)
        {
            self.seen.push((u32::from_be_bytes([*c, *d, *e, *f]), u16::from_be_bytes([*a, *b])));
        }
        let is_lossy = self.lossy.is_empty() || self.lossy.contains(&destination);
        let is_lost = self.random() < self.link.loss && is_lossy;
        if is_lost || self.cut.contains(&source) || self.cut.contains(&destination) {
            self.lost += 1;
            return;
        }
        let bottleneck = self.bottleneck.as_mut().filter(|bottleneck| bottleneck.of == destination);
        let uplink = self.uplink.as_mut().filter(|uplink| uplink.of == source);
        let Some(passed) = bottleneck.or(uplink).map_or(Some(now), |bottleneck| bottleneck.pass(now, data.len()))
        else {
            return;
        };
        let arrival = passed + self.link.delay + self.link.jitter.mul_f64(self.random());
        self.sent += 1;
        self.waiting.push(Reverse((arrival, self.sent, source, destination, data)));
    }

    pub fn due(&mut self, now: Instant) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
        let mut due = Vec::new();
        while self.waiting.peek().is_some_and(|Reverse((arrival, ..))| *arrival <= now) {
            if let Some(Reverse((_, _, source, destination, data))) = self.waiting.pop() {
                due.push((source, destination, data));
            }
        }
        due
    }
}
