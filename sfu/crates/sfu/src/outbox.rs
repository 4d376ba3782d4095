//! Everything that leaves a shard, and messages that a shard sends to itself.

use std::collections::VecDeque;

use crate::counters::Counters;
use crate::datagram::{Buffers, Datagram, Path, Protocol};
use crate::event::Event;
use crate::ids::ShardId;
use crate::message::Message;

/// What a shard produced since it was last taken. The caller drains the vectors and keeps their memory.
#[derive(Default)]
pub struct Output {
    /// To send by UDP, in order.
    pub datagrams: Vec<Datagram>,
    /// To send by TCP, in order.
    pub frames: Vec<Datagram>,
    /// For signalling, in order.
    pub events: Vec<Event>,
    /// For other shards.
    pub messages: Vec<(ShardId, Message)>,
    /// Paths that are a peer's of this shard now (true), or no longer, in order.
    pub paths: Vec<(Path, bool)>,
    buffers: Buffers,
}

impl Output {
    /// The datagrams were sent: their memory is used again.
    pub fn datagrams_sent(&mut self) {
        for datagram in self.datagrams.drain(..) {
            self.buffers.put_back(datagram.contents);
        }
    }
}

/// Collects a shard's output and counts it.
pub(crate) struct Outbox {
    shard: ShardId,
    output: Output,
    local: VecDeque<Message>,
    counters: Counters,
}

impl Outbox {
    pub fn new(shard: ShardId) -> Self {
        Self { shard, output: Output::default(), local: VecDeque::new(), counters: Counters::default() }
    }

    /// The shard that this is the output of.
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    pub fn emit(&mut self, event: Event) {
        self.output.events.push(event);
    }

    pub fn send_datagram(&mut self, datagram: Datagram) {
        self.counters.datagrams_out += 1;
        self.counters.bytes_out += datagram.contents.len() as u64;
        match datagram.path.protocol {
            Protocol::Udp => self.output.datagrams.push(datagram),
            Protocol::Tcp => self.output.frames.push(datagram),
        }
    }

    /// To another shard, or to this one with the next flush.
    pub fn send(&mut self, to: ShardId, message: Message) {
        if to == self.shard {
            self.local.push_back(message);
        } else {
            self.output.messages.push((to, message));
        }
    }

    /// The next message from this shard to itself.
    pub fn take_local(&mut self) -> Option<Message> {
        self.local.pop_front()
    }

    pub fn count(&mut self) -> &mut Counters {
        &mut self.counters
    }

    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Memory for datagrams.
    pub fn buffers(&mut self) -> &mut Buffers {
        &mut self.output.buffers
    }

    pub fn output(&mut self) -> &mut Output {
        &mut self.output
    }
}
