//! STUN messages (RFC 8489), as far as datagrams are routed by them.
//!
//! Read by hand: most of what strangers send has to be refused before it costs anything.

/// First bytes of a binding request.
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
/// First bytes of a binding success response.
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
/// First bytes up to this are STUN (RFC 7983 section 7).
const LAST_STUN_BYTE: u8 = 1;
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER_BYTES: usize = 20;
const USERNAME: [u8; 2] = [0x00, 0x06];

/// Whether a datagram is STUN rather than DTLS, RTP or RTCP.
pub(crate) fn is_stun(data: &[u8]) -> bool {
    data.first().is_some_and(|first| *first <= LAST_STUN_BYTE)
}

/// Only connectivity checks whose integrity is right are answered with a binding success response.
pub(crate) fn is_binding_success(data: &[u8]) -> bool {
    data.starts_with(&BINDING_SUCCESS)
}

/// The local ufrag that a connectivity check names: what precedes the colon of its user name (RFC 8445 section 7.2.2).
pub(crate) fn ufrag_of_check(data: &[u8]) -> Option<&str> {
    let (header, mut attributes) = data.split_at_checked(HEADER_BYTES)?;
    let [first, second, length_high, length_low, cookie @ ..] = header else { return None };
    let length = usize::from(u16::from_be_bytes([*length_high, *length_low]));
    if [*first, *second] != BINDING_REQUEST || !cookie.starts_with(&MAGIC_COOKIE) || length != attributes.len() {
        return None;
    }
    while let Some(([kind_high, kind_low, high, low], rest)) = attributes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if [*kind_high, *kind_low] == USERNAME {
            let name = std::str::from_utf8(rest.get(..length)?).ok()?;
            return name.split_once(':').map(|(local, _)| local);
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}
