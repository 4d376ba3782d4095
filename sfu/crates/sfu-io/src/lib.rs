//! Threads and sockets around the media core: one worker per core, all on one UDP port of each address family.
//!
//! Every worker owns sockets of the port's SO_REUSEPORT groups and one [`tertulia_sfu::Shard`]. No worker calls Python
//! or waits for it: commands arrive through one queue for each worker, events leave through one for all.

#![deny(missing_docs)]

mod batch_receiver;
mod batch_sender;
mod control;
mod core;
mod directory;
mod events;
mod mailbox;
mod placement;
mod profile;
mod published;
mod steering;
mod tcp;
mod tcp_listeners;
mod udp;
mod worker;

pub use crate::core::{MediaCore, Options};
pub use tertulia_sfu as sfu;
