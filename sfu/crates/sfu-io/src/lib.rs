//! Threads and sockets around the media core: one worker per core, all on one UDP port.
//!
//! Every worker owns a socket of the port's SO_REUSEPORT group and one [`tertulia_sfu::Shard`]. Nothing here waits for
//! Python and no worker ever calls it: commands come through queues, events go out through one.

mod core;
mod directory;
mod events;
mod mailbox;
mod udp;
mod worker;

pub use crate::core::{MediaCore, Options};
pub use tertulia_sfu as sfu;
