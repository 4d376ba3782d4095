//! The media core of a LiveKit-compatible server, without sockets, threads or clocks.
//!
//! A [`Shard`] is the state of one worker: peers, the tracks they publish, the subscriptions they hold. Give it
//! datagrams, commands, messages from other shards and the time; collect datagrams, events, messages and the next
//! deadline. Everything here can run in virtual time.
//!
//! Modules depend on each other in one direction, from the bottom:
//!
//! 1. `ids`, `media`, `data`, `datagram`, `counters`, `command`, `event`, `fault`, `timeline`, `token_bucket`: plain values
//! 2. `transport`: the packet path of one connection, the only place that uses str0m; `sdp`, `sdp_offers`: session descriptions
//! 3. `message`, `outbox`: what leaves a shard
//! 4. `allocation`: dividing bandwidth, without state of others
//! 5. `peers`, then `publishing` and `subscribing`: tables that own their state
//! 6. `offering`, `negotiation`, `allocator`: rules over several tables
//! 7. `shard`: dispatches inputs and collects outputs

#![forbid(unsafe_code)]
#![deny(missing_docs)]

// the meeting of the tests, used inside the crate too, knows it by its name
#[cfg(test)]
extern crate self as tertulia_sfu;

mod allocation;
mod allocator;
mod command;
mod counters;
mod data;
mod datagram;
mod event;
mod fault;
mod ids;
mod media;
mod message;
mod negotiation;
mod offering;
mod outbox;
mod peers;
mod publishing;
mod report;
mod sdp;
mod sdp_offers;
mod shard;
mod subscribing;
mod tick;
mod timeline;
mod token_bucket;
mod transport;

pub use command::Command;
pub use counters::Counters;
pub use data::{DataFlow, DataMessage};
pub use datagram::{Datagram, Path, Protocol};
pub use event::{Event, SubscriptionError};
pub use ids::{PeerId, ShardId, TrackId};
pub use media::{
    Channel, Kind, LayerMask, LayerSpec, OpusOptions, Quality, Rate, Source, SubscriptionSettings, TemporalRates,
    TrackSpec,
};
pub use message::{Message, TrackState};
pub use outbox::Output;
pub use shard::Shard;
pub use transport::{
    CodecFormat, Codecs, ConfigError, DependencyDescriptor, HeaderExtensions, Opening, Packet, RedundantPayload,
    ShardConfig, SpatialPart, TemporalPart, Vp8Descriptor,
};
