//! The media core of a LiveKit-compatible server, without sockets, threads or clocks.
//!
//! A [`Shard`] is the state of one worker: peers, the tracks they publish, the subscriptions they hold. Feed it
//! datagrams, commands, messages from other shards and the time; collect datagrams, events, messages and the next
//! deadline. Everything here can run in virtual time.

#![forbid(unsafe_code)]

mod allocator;
mod command;
mod config;
mod data;
mod demux;
mod down_track;
mod event;
mod forwarding;
mod ids;
mod layer_selector;
mod link;
mod message;
mod munger;
mod negotiation;
mod peer;
mod publishing;
mod sdp;
mod shard;
mod speaker;
mod stats;
mod subscribing;
mod timers;
mod transport;
mod up_track;

pub use command::{Channel, Command, Kind, LayerSpec, Quality, Source, Wish};
pub use config::{ConfigError, ShardConfig};
pub use event::{Event, SubscriptionError};
pub use ids::{PeerId, ShardId, TrackId};
pub use message::{LayerMask, Message, Packet, TrackState};
pub use shard::{Datagram, Output, Shard};
pub use stats::Counters;

/// What every datagram's protocol is.
pub const UDP: str0m::net::Protocol = str0m::net::Protocol::Udp;
