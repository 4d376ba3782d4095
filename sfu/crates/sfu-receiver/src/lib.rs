//! A participant that only receives: the media half of a recorder. Signalling is the caller's.
//!
//! [`Peer`] is the connection without sockets and clocks; [`Receiver`] gives it a thread and a UDP socket.
#![forbid(unsafe_code)]

mod frame;
mod peer;
mod receiver;
mod sdp;

pub use frame::Frame;
pub use peer::{Outgoing, Peer, State};
pub use receiver::Receiver;
