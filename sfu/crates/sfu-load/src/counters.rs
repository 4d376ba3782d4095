//! What all synthetic peers have sent and received, and how long it took.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

/// Counts over all peers.
pub struct Counters {
    start: Instant,
    pub received: AtomicU64,
    pub sent: AtomicU64,
    pub connected: AtomicU64,
    /// In microseconds, of peers that note it, since they were asked for.
    delays_us: Mutex<Vec<u64>>,
}

/// The SSRCs of streams of which one peer has received anything since it was asked last.
#[derive(Default)]
pub struct Streams(Mutex<HashSet<u32>>);

impl Streams {
    pub fn add(&self, ssrc: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(ssrc);
    }

    /// How many there are; from now on none.
    pub fn take(&self) -> usize {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).len()
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            received: AtomicU64::default(),
            sent: AtomicU64::default(),
            connected: AtomicU64::default(),
            delays_us: Mutex::default(),
        }
    }
}

impl Counters {
    pub fn snapshot(&self) -> Value {
        let mut delays_us = std::mem::take(&mut *self.delays());
        delays_us.sort_unstable();
        let of = |share: f64| delays_us.get((delays_us.len() as f64 * share) as usize);
        json!({
            "received": self.received.load(Relaxed),
            "sent": self.sent.load(Relaxed),
            "connected": self.connected.load(Relaxed),
            "delays_us": { "median": of(0.5), "p99": of(0.99) },
        })
    }

    fn delays(&self) -> MutexGuard<'_, Vec<u64>> {
        self.delays_us.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    /// Write the time to the end of a packet.
    pub fn stamp(&self, payload: &mut [u8]) {
        if let Some(end) = payload.last_chunk_mut() {
            *end = self.now_us().to_be_bytes();
        }
    }

    pub fn note_delay(&self, payload: &[u8]) {
        if let Some(end) = payload.last_chunk() {
            self.delays().push(self.now_us().saturating_sub(u64::from_be_bytes(*end)));
        }
    }
}
