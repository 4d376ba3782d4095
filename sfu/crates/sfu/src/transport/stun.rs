//! STUN messages (RFC 8489), as far as datagrams are routed by them.

use str0m::ice::StunMessage;

use super::credentials::shard_of_ufrag;
use crate::ids::ShardId;

/// First bytes of a binding success response.
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
/// First bytes up to this are STUN (RFC 7983 section 7).
const LAST_STUN_BYTE: u8 = 1;

/// Whether a datagram is STUN rather than DTLS, RTP or RTCP.
pub(crate) fn is_stun(data: &[u8]) -> bool {
    data.first().is_some_and(|first| *first <= LAST_STUN_BYTE)
}

/// Only connectivity checks whose integrity is right are answered with a binding success response.
pub(crate) fn is_binding_success(data: &[u8]) -> bool {
    data.starts_with(&BINDING_SUCCESS)
}

/// The local ufrag that a connectivity check names, and the shard that it belongs to.
pub(crate) fn shard_of_check<R>(data: &[u8], found: impl FnOnce(ShardId, &str) -> R) -> Option<R> {
    let message = StunMessage::parse(data).ok()?;
    let (ufrag, _) = message.split_username()?;
    Some(found(shard_of_ufrag(ufrag)?, ufrag))
}
