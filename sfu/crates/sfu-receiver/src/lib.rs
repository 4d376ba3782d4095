//! A participant that only receives: the media side of a recorder. The caller does the signalling.
//!
//! [`Peer`] is the connection without sockets and clocks; [`Receiver`] gives it a thread and sockets.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod frame;
mod frame_limits;
mod path;
mod peer;
mod picture_size;
mod receiver;
mod sdp;
mod tcp;
mod transport;
mod udp;

pub use frame::Frame;
pub use frame_limits::MAX_PICTURE_PIXELS;
pub use path::{Datagram, Path, Protocol};
pub use peer::{Outgoing, Peer, State};
pub use receiver::Receiver;
