//! The packet path: ICE, DTLS, SRTP, RTP, RTCP and SCTP of one peer connection.
//!
//! str0m is used in this module and nowhere else in the crate. What the rest of the crate sees are the types below:
//! they hold plain values, or wrap a value of str0m whose field is visible here only ([`ShardConfig`], [`CodecFormat`],
//! [`Vp8Descriptor`]). Payloads (`Arc<[u8]>`) and datagrams (`Vec<u8>`) are handed over without copying.
//!
//! | file | wraps |
//! | --- | --- |
//! | `config` | configuration, certificate, codecs and header extensions offered |
//! | `credentials` | ICE credentials |
//! | `stun` | what routing needs of STUN messages; nothing of str0m |
//! | `codec` | codec parameters |
//! | `crypto`, `handshake` | what str0m is given as its cryptography |
//! | `srtp` | sealing: keys, ciphers, seal-once; nothing of str0m but the profiles' names |
//! | `sending` | all that is sealed: media, retransmissions, reports; with `batch`, `outlet`, `resends`, `reports` and `rtp_header` |
//! | `vp8` | the VP8 payload descriptor |
//! | `vp9` | the VP9 payload descriptor; nothing of str0m |
//! | `scalability` | spatial and temporal layers of one stream; nothing of str0m |
//! | `dependency` | the dependency descriptor of AV1 |
//! | `red` | redundant audio; nothing of str0m |
//! | `packet` | received and outgoing RTP packets |
//! | `playout` | how long a receiver holds pictures back; nothing of str0m |
//! | `repetition` | how often sound is sent where much is lost; nothing of str0m |
//! | `channels` | SCTP data channels |
//! | `offers` | offers of our side |
//! | `streams` | outgoing RTP streams |
//! | `error` | why a connection ends |
//! | `receiving` | all media that is received, with those below up to `held_sound` |
//! | `incoming` | which received streams there are, their bounds, and what each carries |
//! | `received_header` | the header of a received packet; nothing of str0m |
//! | `number_window` | which numbers of a stream were received; nothing of str0m |
//! | `reception`, `reception_reports`, `arrival_log` | what the sender is told of what has come; nothing of str0m |
//! | `nacks` | what is missing of them, and when it is asked for; nothing of str0m |
//! | `backlog` | whether packets of a client wait in a queue; nothing of str0m |
//! | `held_sound` | sound that waits for what is missing of it; nothing of str0m |
//! | `statistics`, `measured`, `link_report` | statistics, in short and in detail |
//! | `transport_feedback`, `sent_packets` | when what was sent has arrived; nothing of str0m |
//! | `pacer` | when pictures are sent on a narrow link; nothing of str0m |
//! | `padding` | what is sent to learn what a link carries; nothing of str0m |
//! | `connection`, `drained` | the connection itself: [`Transport`], and what its steps produce |

mod arrival_log;
mod backlog;
mod batch;
mod channels;
mod codec;
mod config;
mod connection;
mod credentials;
mod crypto;
mod dependency;
mod drained;
mod error;
mod handshake;
mod held_sound;
mod incoming;
mod link_report;
mod measured;
mod nacks;
mod number_window;
mod offers;
mod outlet;
mod pacer;
mod packet;
mod padding;
mod playout;
mod received_header;
mod receiving;
mod reception;
mod reception_reports;
mod red;
mod repetition;
mod reports;
mod resends;
mod rtcp;
mod rtp_header;
mod scalability;
mod sending;
mod sent_packets;
mod srtp;
mod statistics;
mod streams;
mod stun;
mod transport_feedback;
mod vp8;
mod vp9;

pub(crate) use channels::Sent;
pub use codec::CodecFormat;
pub(crate) use codec::PayloadTypes;
pub use config::{Codecs, ConfigError, ShardConfig};
pub(crate) use connection::Transport;
pub(crate) use credentials::{IceCredentials, UfragKey};
pub use dependency::DependencyDescriptor;
pub(crate) use drained::{Drained, TransportEvent};
pub(crate) use error::TransportError;
pub(crate) use link_report::LinkReport;
pub(crate) use measured::LinkStats;
pub(crate) use offers::OfferChanges;
pub(crate) use packet::{Egress, Outgoing, ReceivedPacket};
pub use packet::{HeaderExtensions, Packet, RedundantPayload};
pub(crate) use padding::Padding;
pub use scalability::{Opening, SpatialPart, TemporalPart};
pub(crate) use sent_packets::Arrival;
pub(crate) use streams::StreamSsrcs;
pub(crate) use stun::{is_binding_success, is_stun, ufrag_of_check};
pub use vp8::Vp8Descriptor;
pub(crate) use vp8::{Vp8Numbers, Vp8Patch};
