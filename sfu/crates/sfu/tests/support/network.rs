//! A network with delay, jitter (hence reordering) and loss; the same seed gives the same run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

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

type Entry = (Instant, u64, SocketAddr, SocketAddr, Vec<u8>);

pub struct Network {
    pub link: Link,
    /// Where only datagrams to this address are lost.
    pub lossy: Option<SocketAddr>,
    /// All datagrams from and to these addresses are lost.
    pub cut: Vec<SocketAddr>,
    pub lost: usize,
    state: u64,
    sent: u64,
    waiting: BinaryHeap<Reverse<Entry>>,
}

impl Network {
    pub fn new(link: Link) -> Self {
        Self { link, lossy: None, cut: Vec::new(), lost: 0, state: link.seed | 1, sent: 0, waiting: BinaryHeap::new() }
    }

    /// xorshift64*: 0.0 to 1.0.
    pub fn random(&mut self) -> f64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn send(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, data: Vec<u8>) {
        let is_lossy = self.lossy.is_none_or(|address| address == destination);
        let is_lost = self.random() < self.link.loss && is_lossy;
        if is_lost || self.cut.contains(&source) || self.cut.contains(&destination) {
            self.lost += 1;
            return;
        }
        let arrival = now + self.link.delay + self.link.jitter.mul_f64(self.random());
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
