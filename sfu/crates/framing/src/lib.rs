//! Media over TCP (RFC 4571), without sockets and clocks: how a connection is cut into datagrams, and what waits to be
//! sent on it. For the media server and for clients alike.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod frames;
mod send_queue;

pub use frames::{FrameReader, NotFramed, frame_header};
pub use send_queue::SendQueue;
