//! Counters of a worker, for other threads.

use std::sync::atomic::{AtomicU64, Ordering};

use tertulia_sfu::Counters;

use crate::profile::Profile;
use crate::tcp::TcpCounts;

/// Counters of a worker: written by it alone, read by any thread without a lock.
pub(crate) struct Published {
    values: Vec<AtomicU64>,
    pub send_full: AtomicU64,
    pub mailbox_full: AtomicU64,
    /// Connections that were refused, or closed for what they sent or did not send.
    pub tcp_refused: AtomicU64,
    /// Datagrams for connections that take them too slowly, or are gone.
    pub tcp_dropped: AtomicU64,
    /// Panics that have cost the worker all its peers.
    pub faults: AtomicU64,
    profile: [AtomicU64; Profile::NAMES.len()],
    /// The share of the last second that it was busy, in thousandths.
    busy_permille: AtomicU64,
}

impl Published {
    pub fn new() -> Self {
        let values = Counters::NAMES.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            values,
            send_full: AtomicU64::new(0),
            mailbox_full: AtomicU64::new(0),
            tcp_refused: AtomicU64::new(0),
            tcp_dropped: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            profile: Default::default(),
            busy_permille: AtomicU64::new(0),
        }
    }

    pub fn publish(&self, counters: &Counters, tcp: TcpCounts, profile: [u64; Profile::NAMES.len()]) {
        self.tcp_refused.store(tcp.refused, Ordering::Relaxed);
        self.tcp_dropped.store(tcp.dropped, Ordering::Relaxed);
        let slots = self.values.iter().chain(&self.profile);
        for (slot, value) in slots.zip(counters.values().into_iter().chain(profile)) {
            slot.store(value, Ordering::Relaxed);
        }
    }

    /// Tell how busy the worker is; None: as before.
    pub fn is_busy(&self, permille: Option<u64>) {
        permille.into_iter().for_each(|permille| self.busy_permille.store(permille, Ordering::Relaxed));
    }

    pub fn busy_permille(&self) -> u64 {
        self.busy_permille.load(Ordering::Relaxed)
    }

    pub fn read(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let own = [
            ("drop_send_full", &self.send_full),
            ("drop_mailbox_full", &self.mailbox_full),
            ("tcp_refused", &self.tcp_refused),
            ("drop_tcp_slow", &self.tcp_dropped),
            ("worker_faults", &self.faults),
        ];
        let shard = Counters::NAMES.iter().copied().zip(&self.values);
        let profile = Profile::NAMES.into_iter().zip(&self.profile);
        shard.chain(own).chain(profile).map(|(name, value)| (name, value.load(Ordering::Relaxed)))
    }
}
