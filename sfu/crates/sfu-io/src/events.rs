//! The queue of events for signalling, and the file descriptor that is readable while there are any.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};
use tertulia_sfu::Event;

/// Data messages that may wait, from all clients together. Flow control bounds what each client has on its way; beyond
/// this, when hundreds send at once, messages are dropped. Other events are never dropped.
const MAX_DATA_BYTES: usize = 32 * 1024 * 1024;

#[derive(Default)]
struct Waiting {
    events: VecDeque<Event>,
    data_bytes: usize,
}

pub(crate) struct EventQueue {
    waiting: Mutex<Waiting>,
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
        let was_empty = waiting.events.is_empty();
        for event in events {
            let data_bytes = data_bytes(&event);
            if data_bytes == 0 || waiting.data_bytes + data_bytes <= MAX_DATA_BYTES {
                waiting.data_bytes += data_bytes;
                waiting.events.push_back(event);
            }
        }
        if was_empty && !waiting.events.is_empty() {
            signal(&self.readable);
        }
    }

    /// Up to `max` events; the descriptor stays readable while more wait.
    pub fn drain(&self, max: usize) -> Vec<Event> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let count = max.min(waiting.events.len());
        let events: Vec<_> = waiting.events.drain(..count).collect();
        waiting.data_bytes = waiting.data_bytes.saturating_sub(events.iter().map(data_bytes).sum());
        if waiting.events.is_empty() {
            clear(&self.readable);
        }
        events
    }
}

fn data_bytes(event: &Event) -> usize {
    if let Event::DataReceived { payload, .. } = event { payload.cost() } else { 0 }
}

/// Make an eventfd readable. The only possible error, a full counter, means that it is readable already.
pub(crate) fn signal(fd: &OwnedFd) {
    let _ = rustix::io::write(fd, &1u64.to_ne_bytes());
}

/// Make an eventfd unreadable.
pub(crate) fn clear(fd: &OwnedFd) {
    let _ = rustix::io::read(fd, &mut [0u8; 8]);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tertulia_sfu::{Channel, DataMessage};

    use super::*;

    #[test]
    fn data_that_waits_is_bounded_in_bytes_and_other_events_are_not_dropped() {
        let queue = EventQueue::new().expect("an eventfd");
        let payload = Arc::new(DataMessage::from([0u8; 60_000].as_slice()));
        let data = || Event::DataReceived { peer: "PA_1".into(), channel: Channel::Reliable, payload: payload.clone() };
        queue.push((0..1000).map(|_| data()));
        queue.push([Event::PeerConnected { peer: "PA_1".into() }]);
        let events = queue.drain(2000);
        assert_eq!(events.last(), Some(&Event::PeerConnected { peer: "PA_1".into() }));
        assert_eq!(events.len() - 1, MAX_DATA_BYTES / payload.cost());
        queue.push([data()]);
        assert_eq!(queue.drain(1).len(), 1, "what was taken makes room");
    }
}
