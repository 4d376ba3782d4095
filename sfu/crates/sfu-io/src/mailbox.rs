//! What reaches a worker other than through its socket: commands, messages of other workers, the order to stop.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::event::{EventfdFlags, eventfd};
use tertulia_sfu::{Command, Message};

use crate::events::{clear, signal};

/// Media packets and datagrams that may wait for a worker. More are dropped: they would be late, and must not block the
/// sender.
const MAX_MEDIA: usize = 16_384;

pub(crate) enum WorkerMessage {
    Command(Command),
    Shard(Message),
    Stop,
}

/// The sending side, shared by all.
pub(crate) struct Mailbox {
    sender: Sender<WorkerMessage>,
    /// Readable while the worker has to look at its mailbox.
    wake_fd: OwnedFd,
    is_awake: AtomicBool,
    media_waiting: AtomicUsize,
}

impl Mailbox {
    pub fn new() -> io::Result<(Self, Receiver<WorkerMessage>)> {
        let (sender, receiver) = channel();
        let wake_fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let mailbox = Self { sender, wake_fd, is_awake: AtomicBool::new(false), media_waiting: AtomicUsize::new(0) };
        Ok((mailbox, receiver))
    }

    /// False if it was media and too much of it waits.
    pub fn post(&self, message: WorkerMessage) -> bool {
        if is_media(&message) && self.media_waiting.fetch_add(1, Ordering::Relaxed) >= MAX_MEDIA {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        // the only error: the worker has stopped
        let _ = self.sender.send(message);
        true
    }

    /// Wake the worker; several calls before it looks cost one system call.
    pub fn wake(&self) {
        if !self.is_awake.swap(true, Ordering::AcqRel) {
            signal(&self.wake_fd);
        }
    }

    pub fn wake_fd(&self) -> &OwnedFd {
        &self.wake_fd
    }

    /// Before reading: messages posted from now on wake the worker again.
    pub fn acknowledge(&self) {
        if self.is_awake.swap(false, Ordering::AcqRel) {
            clear(&self.wake_fd);
        }
    }

    /// A message was taken out of the queue.
    pub fn received(&self, message: &WorkerMessage) {
        if is_media(message) {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn is_media(message: &WorkerMessage) -> bool {
    matches!(message, WorkerMessage::Shard(Message::Packet { .. } | Message::Datagram { .. }))
}
