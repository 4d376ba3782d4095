//! What reaches a worker other than through its socket: commands, messages of other workers, the order to stop.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::event::{EventfdFlags, eventfd};
use tertulia_sfu::{Command, Message};

use crate::events::{clear, signal};
use crate::tcp::Connection;

/// Media packets and datagrams that may wait for a worker. More are dropped: they would be late, and must not block the
/// sender.
const MAX_MEDIA: usize = 16_384;

/// What the core's user tells a worker.
pub(crate) enum Order {
    Command(Command),
    /// A connection of one of the worker's peers, which another worker has accepted.
    Adopt(Box<Connection>),
    /// A connection that a server outside of the core has accepted; whose it is, is not known yet.
    TakeOver(TcpStream),
    Stop,
}

/// The receiving side. Two queues, so that media does not wait behind commands.
pub(crate) struct Inbox {
    pub orders: Receiver<Order>,
    messages: Receiver<Message>,
}

/// The sending side, shared by all.
pub(crate) struct Mailbox {
    orders: Sender<Order>,
    messages: Sender<Message>,
    /// Readable while the worker has to look at its mailbox.
    wake_fd: OwnedFd,
    is_awake: AtomicBool,
    media_waiting: AtomicUsize,
}

impl Mailbox {
    pub fn new() -> io::Result<(Self, Inbox)> {
        let ((orders, orders_in), (messages, messages_in)) = (channel(), channel());
        let wake_fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let (is_awake, media_waiting) = (AtomicBool::new(false), AtomicUsize::new(0));
        let mailbox = Self { orders, messages, wake_fd, is_awake, media_waiting };
        Ok((mailbox, Inbox { orders: orders_in, messages: messages_in }))
    }

    pub fn order(&self, order: Order) {
        // the only error: the worker has stopped
        let _ = self.orders.send(order);
        self.wake();
    }

    /// False if it was media and too much of it waits. The worker has to be woken.
    pub fn post(&self, message: Message) -> bool {
        if is_media(&message) && self.media_waiting.fetch_add(1, Ordering::Relaxed) >= MAX_MEDIA {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        let _ = self.messages.send(message);
        true
    }

    /// The next message of another worker.
    pub fn take(&self, inbox: &Inbox) -> Option<Message> {
        let message = inbox.messages.try_recv().ok()?;
        if is_media(&message) {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
        }
        Some(message)
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
}

fn is_media(message: &Message) -> bool {
    matches!(message, Message::Packet { .. } | Message::Datagram { .. })
}
