//! The peers of a shard: their connections, their media sections, and whose datagram it is.

mod connectivity;
mod demux;
mod link_quality;
mod media_allowance;
mod offering;
mod peer;
mod peer_table;
mod probation;
mod received_streams;
mod sections;
mod throttle;
mod timers;
mod unsent;

pub(crate) use demux::Owner;
pub(crate) use media_allowance::Allowed;
pub(crate) use offering::Offering;
pub(crate) use peer::Peer;
pub(crate) use peer_table::Peers;
pub(crate) use sections::Role;
pub(crate) use throttle::is_channel_data;
