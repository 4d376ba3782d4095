//! The loop of one worker.

use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tertulia_sfu::{Counters, Shard, ShardConfig, ShardId};

use crate::events::EventQueue;
use crate::mailbox::{Mailbox, WorkerMessage};
use crate::udp::{BatchSender, descriptor};

/// Datagrams read before the output that they caused is sent: bounds the delay of the first of them.
const BATCH: usize = 256;
/// Messages read before the output that they caused is sent.
const MESSAGES: usize = 2048;
/// Larger datagrams are cut, and then fail their authentication.
const MAX_DATAGRAM_BYTES: usize = 2048;
/// The longest wait of a worker without a deadline.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Counters of a worker: written by it alone, read by any thread without a lock.
pub(crate) struct Published {
    values: Vec<AtomicU64>,
    pub send_full: AtomicU64,
    pub mailbox_full: AtomicU64,
}

impl Published {
    pub fn new() -> Self {
        let values = Counters::NAMES.iter().map(|_| AtomicU64::new(0)).collect();
        Self { values, send_full: AtomicU64::new(0), mailbox_full: AtomicU64::new(0) }
    }

    fn publish(&self, counters: &Counters) {
        for (slot, value) in self.values.iter().zip(counters.values()) {
            slot.store(value, Ordering::Relaxed);
        }
    }

    pub fn read(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let own = [("drop_send_full", &self.send_full), ("drop_mailbox_full", &self.mailbox_full)];
        let shard = Counters::NAMES.iter().copied().zip(&self.values);
        shard.chain(own).map(|(name, value)| (name, value.load(Ordering::Relaxed)))
    }
}

pub(crate) struct Worker {
    pub id: ShardId,
    pub config: ShardConfig,
    pub socket: UdpSocket,
    pub sender: BatchSender,
    pub messages: Receiver<WorkerMessage>,
    pub mailboxes: Arc<[Mailbox]>,
    pub events: Arc<EventQueue>,
    pub published: Arc<Published>,
}

impl Worker {
    /// Run until told to stop. A panic outside any peer's own step removes this worker's peers, and does not end the
    /// process.
    pub fn run(self) {
        let mut shard = Shard::new(self.id, self.config.clone());
        let mut buffer = vec![0u8; MAX_DATAGRAM_BYTES];
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&mut shard, &mut buffer))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        shard.fail_all(Instant::now(), "worker fault");
                        self.deliver(&mut shard);
                    }));
                    shard = Shard::new(self.id, self.config.clone());
                }
            }
        }
    }

    /// One iteration. False once it has to stop.
    fn turn(&self, shard: &mut Shard, buffer: &mut [u8]) -> bool {
        self.wait(shard.poll_timeout());
        let now = Instant::now();
        let is_running = self.read_messages(shard, now);
        self.read_socket(shard, buffer);
        let now = Instant::now();
        shard.handle_timeout(now);
        shard.flush(now);
        self.deliver(shard);
        self.published.publish(&shard.counters());
        is_running
    }

    fn wait(&self, deadline: Option<Instant>) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.unwrap_or(MAX_WAIT);
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let Some(mailbox) = self.mailbox() else { return };
        let mut fds = [
            PollFd::from_borrowed_fd(descriptor(&self.socket), PollFlags::IN),
            PollFd::new(mailbox.wake_fd(), PollFlags::IN),
        ];
        // an interrupted wait does no harm: the loop reads everything anyway
        let _ = poll(&mut fds, Some(&timeout));
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        self.mailboxes.get(usize::from(self.id.0))
    }

    fn read_messages(&self, shard: &mut Shard, now: Instant) -> bool {
        let Some(mailbox) = self.mailbox() else { return false };
        mailbox.acknowledge();
        for _ in 0..MESSAGES {
            let Ok(message) = self.messages.try_recv() else { return true };
            mailbox.received(&message);
            match message {
                WorkerMessage::Command(command) => shard.handle_command(now, command),
                WorkerMessage::Shard(message) => shard.handle_message(now, message),
                WorkerMessage::Stop => return false,
            }
        }
        // more wait: come back at once after sending what these have caused
        mailbox.wake();
        true
    }

    fn read_socket(&self, shard: &mut Shard, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            // nothing to read, or the ICMP error of an unreachable client (ECONNREFUSED): the next turn goes on
            let Ok((length, source)) = self.socket.recv_from(buffer) else { return };
            if let Some(data) = buffer.get(..length) {
                shard.handle_datagram(Instant::now(), source, data);
            }
        }
    }

    fn deliver(&self, shard: &mut Shard) {
        let output = shard.output();
        if !output.datagrams.is_empty() {
            let dropped = self.sender.send(&self.socket, &output.datagrams);
            self.published.send_full.fetch_add(dropped, Ordering::Relaxed);
            output.datagrams.clear();
        }
        if !output.events.is_empty() {
            self.events.push(output.events.drain(..));
        }
        for (shard, message) in output.messages.drain(..) {
            let Some(mailbox) = self.mailboxes.get(usize::from(shard.0)) else { continue };
            if !mailbox.post(WorkerMessage::Shard(message)) {
                self.published.mailbox_full.fetch_add(1, Ordering::Relaxed);
            }
            mailbox.wake();
        }
    }
}
