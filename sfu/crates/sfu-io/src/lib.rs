//! Threads and sockets around the media core: one worker per core, all on one UDP port.
//!
//! Every worker owns a socket of the port's SO_REUSEPORT group and one [`tertulia_sfu::Shard`]. No worker calls Python
//! or waits for it: commands arrive through one queue for each worker, events leave through one for all.

#![deny(missing_docs)]

mod core;
mod directory;
mod events;
mod mailbox;
mod udp;
mod worker;

pub use crate::core::{MediaCore, Options};
pub use tertulia_sfu as sfu;
