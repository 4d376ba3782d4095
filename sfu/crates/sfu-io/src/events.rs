//! The queue of events for signalling, and the file descriptor that is readable while there are any.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};
use tertulia_sfu::Event;

/// With this many events waiting, data messages are dropped, so that a slow reader cannot exhaust the memory. Other
/// events are never dropped.
const MAX_WITH_DATA: usize = 65_536;

pub(crate) struct EventQueue {
    waiting: Mutex<VecDeque<Event>>,
    readable: OwnedFd,
}

impl EventQueue {
    pub fn new() -> io::Result<Self> {
        Ok(Self { waiting: Mutex::default(), readable: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)? })
    }

    pub fn fileno(&self) -> RawFd {
        self.readable.as_raw_fd()
    }

    pub fn push(&self, events: impl IntoIterator<Item = Event>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = waiting.is_empty();
        for event in events {
            if waiting.len() < MAX_WITH_DATA || !matches!(event, Event::DataReceived { .. }) {
                waiting.push_back(event);
            }
        }
        if was_empty && !waiting.is_empty() {
            signal(&self.readable);
        }
    }

    /// Up to `max` events; the descriptor stays readable while more wait.
    pub fn drain(&self, max: usize) -> Vec<Event> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = max.min(waiting.len());
        let events = waiting.drain(..count).collect();
        if waiting.is_empty() {
            clear(&self.readable);
        }
        events
    }
}

/// Make an eventfd readable. The only possible error, a full counter, means that it is readable already.
pub(crate) fn signal(fd: &OwnedFd) {
    let _ = rustix::io::write(fd, &1u64.to_ne_bytes());
}

/// Make an eventfd unreadable.
pub(crate) fn clear(fd: &OwnedFd) {
    let _ = rustix::io::read(fd, &mut [0u8; 8]);
}
