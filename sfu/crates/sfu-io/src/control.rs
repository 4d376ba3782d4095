//! Control messages of sockets (cmsg(3)): what a system call tells or is told beside the data.

use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What precedes a value: its length with this header, the protocol level and the kind.
const HEADER_BYTES: usize = mem::size_of::<libc::cmsghdr>();
const LENGTH_BYTES: usize = mem::size_of::<usize>();
/// Messages begin at multiples of this.
const ALIGNMENT: usize = mem::size_of::<usize>();
/// Enough for all that are received here.
pub(crate) const CONTROL_BYTES: usize = 128;
/// Enough for a size and an address.
const SENT_BYTES: usize = 64;

/// Control messages for sending.
pub(crate) struct ControlMessages {
    bytes: [u8; SENT_BYTES],
    length: usize,
}

impl Default for ControlMessages {
    fn default() -> Self {
        Self { bytes: [0; SENT_BYTES], length: 0 }
    }
}

impl ControlMessages {
    /// Several datagrams of this size are sent in one call (udp(7): UDP_SEGMENT).
    pub fn with_segment_size(self, bytes: u16) -> Self {
        self.with(libc::SOL_UDP, libc::UDP_SEGMENT, &bytes.to_ne_bytes())
    }

    /// The address of this machine to send from (ip(7): IP_PKTINFO, RFC 3542 section 6.2: IPV6_PKTINFO).
    pub fn with_source(self, source: IpAddr) -> Self {
        match source {
            // the interface (0: by the routing table), the source, and what is of no account for sending
            IpAddr::V4(source) => {
                let mut info = [0; 12];
                info[4..8].copy_from_slice(&source.octets());
                self.with(libc::IPPROTO_IP, libc::IP_PKTINFO, &info)
            }
            // the source and the interface
            IpAddr::V6(source) => {
                let mut info = [0; 20];
                info[..16].copy_from_slice(&source.octets());
                self.with(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info)
            }
        }
    }

    fn with(mut self, level: i32, kind: i32, value: &[u8]) -> Self {
        let header = (HEADER_BYTES + value.len()).to_ne_bytes();
        let end = self.length + (HEADER_BYTES + value.len()).next_multiple_of(ALIGNMENT);
        if let Some(mut space) = self.bytes.get_mut(self.length..end) {
            for part in [&header[..], &level.to_ne_bytes(), &kind.to_ne_bytes(), value] {
                let Some((own, rest)) = space.split_at_mut_checked(part.len()) else { break };
                own.copy_from_slice(part);
                space = rest;
            }
            self.length = end;
        }
        self
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The address of this machine to which a datagram came, as its control messages tell.
pub(crate) fn local_address(control: &[u8]) -> Option<IpAddr> {
    Received(control).find_map(|(level, kind, value)| match (level, kind) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            let octets: [u8; 4] = value.get(4..8)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets).into())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let octets: [u8; 16] = value.get(..16)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    })
}

/// The size of each datagram but the last, where the kernel has put several together (udp(7): UDP_GRO).
pub(crate) fn segment_size(control: &[u8]) -> Option<usize> {
    Received(control).find_map(|(level, kind, value)| match (level, kind) {
        (libc::SOL_UDP, libc::UDP_GRO) => {
            let size = i32::from_ne_bytes(value.get(..4)?.try_into().ok()?);
            usize::try_from(size).ok().filter(|size| *size > 0)
        }
        _ => None,
    })
}

/// The control messages of a received message: level, kind and value of each, up to one that is cut.
struct Received<'a>(&'a [u8]);

impl<'a> Iterator for Received<'a> {
    type Item = (i32, i32, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = self.0.split_at_checked(HEADER_BYTES)?;
        let length = usize::from_ne_bytes(header.get(..LENGTH_BYTES)?.try_into().ok()?);
        let number = |at: usize| Some(i32::from_ne_bytes(header.get(at..at + 4)?.try_into().ok()?));
        let value = rest.get(..length.checked_sub(HEADER_BYTES)?)?;
        self.0 = self.0.get(length.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
        Some((number(LENGTH_BYTES)?, number(LENGTH_BYTES + 4)?, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written_behind_others_too() {
        for address in ["192.0.2.1", "2001:db8::1"].map(|text| text.parse::<IpAddr>().expect("an address")) {
            let control = ControlMessages::default().with_segment_size(1200).with_source(address);
            assert_eq!(local_address(control.as_bytes()), Some(address));
            assert_eq!(segment_size(control.as_bytes()), None);
            for end in 0..control.as_bytes().len() - 4 {
                assert_eq!(local_address(&control.as_bytes()[..end]), None, "cut after {end} bytes");
            }
        }
    }

    #[test]
    fn the_size_of_what_was_put_together_is_read() {
        for (told, size) in [(1200_i32, Some(1200)), (0, None), (-1, None)] {
            let address = ControlMessages::default().with_source(Ipv4Addr::LOCALHOST.into());
            let control = address.with(libc::SOL_UDP, libc::UDP_GRO, &told.to_ne_bytes());
            assert_eq!(segment_size(control.as_bytes()), size);
        }
    }
}
