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
use crate::mailbox::{Letter, Mailbox};
use crate::udp::{BatchSender, descriptor};

/// Datagrams taken before what they caused is sent: bounds the delay of the first of them.
const BATCH: usize = 256;
const LETTERS: usize = 2048;
const MAX_DATAGRAM: usize = 2048;

/// Counters of a worker, written by it alone.
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
    pub letters: Receiver<Letter>,
    pub mailboxes: Arc<[Mailbox]>,
    pub events: Arc<EventQueue>,
    pub published: Arc<Published>,
}

impl Worker {
    /// Until told to stop. A fault outside any peer's own step costs this worker's peers, never the process.
    pub fn run(self) {
        let mut shard = Shard::new(self.id, self.config.clone());
        let mut buffer = vec![0u8; MAX_DATAGRAM];
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&mut shard, &mut buffer))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    let _ = catch_unwind(AssertUnwindSafe(|| {
                        shard.fail_all("worker fault");
                        self.deliver(&mut shard);
                    }));
                    shard = Shard::new(self.id, self.config.clone());
                }
            }
        }
    }

    fn turn(&self, shard: &mut Shard, buffer: &mut [u8]) -> bool {
        self.wait(shard.poll_timeout());
        let now = Instant::now();
        let go_on = self.read_letters(shard, now);
        self.read_socket(shard, buffer);
        let now = Instant::now();
        shard.handle_timeout(now);
        shard.flush(now);
        self.deliver(shard);
        self.published.publish(&shard.counters());
        go_on
    }

    fn wait(&self, deadline: Option<Instant>) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.unwrap_or(Duration::from_secs(1));
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let Some(mailbox) = self.mailbox() else { return };
        let mut fds = [
            PollFd::from_borrowed_fd(descriptor(&self.socket), PollFlags::IN),
            PollFd::new(mailbox.bell(), PollFlags::IN),
        ];
        // interrupted or not: the loop looks at everything anyway
        let _ = poll(&mut fds, Some(&timeout));
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        self.mailboxes.get(usize::from(self.id.0))
    }

    fn read_letters(&self, shard: &mut Shard, now: Instant) -> bool {
        let Some(mailbox) = self.mailbox() else { return false };
        mailbox.answer();
        for _ in 0..LETTERS {
            let Ok(letter) = self.letters.try_recv() else { return true };
            mailbox.taken(&letter);
            match letter {
                Letter::Command(command) => shard.handle_command(now, command),
                Letter::Message(message) => shard.handle_message(now, message),
                Letter::Stop => return false,
            }
        }
        // more wait: come back at once after sending what these caused
        mailbox.ring();
        true
    }

    fn read_socket(&self, shard: &mut Shard, buffer: &mut [u8]) {
        for _ in 0..BATCH {
            // nothing there, or the echo of an unreachable client (ECONNREFUSED): the next turn goes on
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
            if !mailbox.post(Letter::Message(message)) {
                self.published.mailbox_full.fetch_add(1, Ordering::Relaxed);
            }
            mailbox.ring();
        }
    }
}
