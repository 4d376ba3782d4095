//! Data messages on their way between clients, and how much of one client's data is on its way.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Of one client, from its data channel up to the data channels of all receivers. Above this it has to wait.
const MAX_IN_FLIGHT_BYTES: usize = 512 * 1024;
/// The same while a receiver has much waiting from many senders.
const MAX_SQUEEZED_BYTES: usize = 32 * 1024;
/// What a message counts for besides its payload: handling many small ones costs time, and their queue memory.
const MESSAGE_BYTES: usize = 2048;

/// How much of one client's data is on its way to receivers, in any thread.
#[derive(Debug, Default)]
pub struct DataFlow {
    in_flight: AtomicUsize,
    is_squeezed: AtomicBool,
}

impl DataFlow {
    /// Whether the client has to wait until its receivers have taken what it has sent.
    pub(crate) fn is_full(&self) -> bool {
        let limit = if self.is_squeezed.load(Ordering::Relaxed) { MAX_SQUEEZED_BYTES } else { MAX_IN_FLIGHT_BYTES };
        self.in_flight.load(Ordering::Relaxed) >= limit
    }

    fn add(&self, bytes: usize) {
        self.in_flight.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        if self.in_flight.fetch_sub(bytes, Ordering::Relaxed) <= bytes {
            self.is_squeezed.store(false, Ordering::Relaxed);
        }
    }
}

/// A data message. As long as it exists, it counts as being on its way.
pub struct DataMessage {
    bytes: Vec<u8>,
    flow: Option<Arc<DataFlow>>,
}

impl DataMessage {
    /// A message, and the flow of the client that sent it; None for one of the server itself.
    pub fn new(bytes: Vec<u8>, flow: Option<Arc<DataFlow>>) -> Self {
        let message = Self { bytes, flow };
        if let Some(flow) = &message.flow {
            flow.add(message.cost());
        }
        message
    }

    /// The flow that it counts for.
    pub fn flow(&self) -> Option<&Arc<DataFlow>> {
        self.flow.as_ref()
    }

    /// The memory that it takes while it waits, in bytes.
    pub fn cost(&self) -> usize {
        self.bytes.len() + MESSAGE_BYTES
    }

    /// Let its sender have less on its way, until all of it has arrived.
    pub(crate) fn squeeze_sender(&self) {
        if let Some(flow) = &self.flow {
            flow.is_squeezed.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for DataMessage {
    fn drop(&mut self) {
        if let Some(flow) = &self.flow {
            flow.give_back(self.cost());
        }
    }
}

impl Deref for DataMessage {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for DataMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataMessage({} bytes)", self.bytes.len())
    }
}

impl PartialEq for DataMessage {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl From<&[u8]> for DataMessage {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec(), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_as_long_as_it_exists() {
        let flow = Arc::new(DataFlow::default());
        let send = |size: usize| DataMessage::new(vec![0; size], Some(flow.clone()));
        let large: Vec<_> = (0..9).map(|_| send(60_000)).collect();
        assert!(flow.is_full());
        drop(large);
        assert!(!flow.is_full());
        let small: Vec<_> = (0..256).map(|_| send(0)).collect();
        assert!(flow.is_full(), "not only payload counts");
        drop(small);
        assert_eq!(flow.in_flight.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_squeezed_sender_has_less_on_its_way_until_all_has_arrived() {
        let flow = Arc::new(DataFlow::default());
        let messages: Vec<_> = (0..3).map(|_| DataMessage::new(vec![0; 20_000], Some(flow.clone()))).collect();
        assert!(!flow.is_full());
        messages[0].squeeze_sender();
        assert!(flow.is_full());
        drop(messages);
        let again: Vec<_> = (0..3).map(|_| DataMessage::new(vec![0; 20_000], Some(flow.clone()))).collect();
        assert!(!flow.is_full());
        drop(again);
    }
}
