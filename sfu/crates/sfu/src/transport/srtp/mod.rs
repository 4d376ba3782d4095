//! SRTP and SRTCP of what we send (RFC 3711, RFC 7714): sealed in place, each index at most once under one key.
//!
//! | file | what |
//! | --- | --- |
//! | `keys` | session keys from what DTLS exports |
//! | `cipher` | sealing and opening with one session key |
//! | `indices` | seal-once: which indices of a stream are used up |
//! | `sealer` | everything that one connection seals |

mod cipher;
mod indices;
mod keys;
mod sealer;

pub(super) use keys::Exported;
pub(super) use sealer::{Opener, Sealer, StreamKey, with_keys};
