//! Transport-wide sequence numbers that would stop a worker. str0m extends them beyond 16 bits without regard to zero:
//! one that lies before the first number of a connection becomes almost 2⁶⁴, and its next report lists all between.

use std::collections::BTreeSet;

const URI: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// From here on a number can no longer lie before zero.
const HALF: u64 = 1 << 15;
/// Profiles of header extensions (RFC 8285 sections 4.2 and 4.3).
const ONE_BYTE: u16 = 0xBEDE;
const TWO_BYTE: u16 = 0x1000;

/// Which numbers of a connection may be received.
#[derive(Default)]
pub(super) struct TransportSequence {
    /// The extension's ids in the client's offers.
    ids: BTreeSet<u8>,
    /// The least number that str0m can have taken for the highest: of media packets, which are authentic, the highest;
    /// before the first one, the lowest of all.
    highest: Option<(u64, Source)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Any,
    Media,
}

impl TransportSequence {
    /// Learn the extension's ids from an offer.
    pub fn negotiate(&mut self, sdp: &str) {
        let lines = sdp.lines().filter_map(|line| line.strip_prefix("a=extmap:")?.split_once(' '));
        self.ids.extend(lines.filter(|(_, rest)| rest.starts_with(URI)).filter_map(|(id, _)| {
            let number = id.split_once('/').map_or(id, |(number, _)| number);
            number.parse::<u8>().ok()
        }));
    }

    /// Whether an RTP packet may be given to str0m.
    pub fn admit(&mut self, packet: &[u8]) -> bool {
        if self.highest.is_some_and(|(highest, _)| highest >= HALF) || self.ids.is_empty() {
            return true;
        }
        let (numbers, highest) = (read(packet, &self.ids), self.highest);
        if numbers.iter().any(|number| highest.is_some_and(|(highest, _)| u64::from(*number) > highest + HALF)) {
            return false;
        }
        if let Some(lowest) = numbers.into_iter().min().map(u64::from)
            && highest.is_none_or(|(known, source)| source == Source::Any && lowest < known)
        {
            self.highest = Some((lowest, Source::Any));
        }
        true
    }

    /// A media packet had this number: it was authentic.
    pub fn received(&mut self, number: Option<u16>) {
        let Some(number) = number.map(u64::from) else { return };
        match self.highest {
            Some((highest, Source::Media)) if number <= highest || highest >= HALF => {}
            _ => self.highest = Some((number, Source::Media)),
        }
    }
}

/// The values of these header extensions in an RTP packet (RFC 3550 section 5.3.1, RFC 8285).
fn read(packet: &[u8], ids: &BTreeSet<u8>) -> Vec<u16> {
    read_extensions(packet, ids).unwrap_or_default()
}

fn read_extensions(packet: &[u8], ids: &BTreeSet<u8>) -> Option<Vec<u16>> {
    let first = *packet.first()?;
    if first & 0x10 == 0 {
        return None;
    }
    let at = 12 + 4 * usize::from(first & 0x0F);
    let profile = u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?);
    let words = u16::from_be_bytes(packet.get(at + 2..at + 4)?.try_into().ok()?);
    let mut rest = packet.get(at + 4..)?;
    rest = rest.get(..4 * usize::from(words)).unwrap_or(rest);
    let is_two_byte = profile & 0xFFF0 == TWO_BYTE;
    let mut found = Vec::new();
    while (is_two_byte || profile == ONE_BYTE) && !rest.is_empty() {
        let (id, length, header) = match *rest {
            [0, ..] => (0, 0, 1),
            [id, length, ..] if is_two_byte => (id, usize::from(length), 2),
            [both, ..] if !is_two_byte => (both >> 4, usize::from(both & 0x0F) + 1, 1),
            _ => break,
        };
        if let Some(Ok(value)) = rest.get(header..header + 2).map(<[u8; 2]>::try_from)
            && length >= 2
            && ids.contains(&id)
        {
            found.push(u16::from_be_bytes(value));
        }
        rest = rest.get(header + length..).unwrap_or_default();
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        [
            &[0x90, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0xBE, 0xDE, 0, 2, 0x10, 0xFF, 0, 0x31, high, low, 0, 0][..],
            &[1; 20],
        ]
        .concat()
    }

    fn two_byte_packet(number: u16) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        [&[0x90, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0x10, 0, 0, 2, 9, 0, 3, 2, high, low, 0, 0][..], &[1; 20]].concat()
    }

    fn guard() -> TransportSequence {
        let mut guard = TransportSequence::default();
        guard.negotiate("v=0\r\na=extmap:1 urn:other\r\na=extmap:3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n");
        guard
    }

    #[test]
    fn a_number_before_the_first_is_refused_in_both_forms() {
        for form in [packet, two_byte_packet] {
            let mut guard = guard();
            assert!(guard.admit(&form(5)));
            guard.received(Some(5));
            assert!(!guard.admit(&form(60_000)));
            assert!(guard.admit(&form(32_000)));
        }
    }

    #[test]
    fn what_may_not_be_authentic_moves_the_bound_down_only() {
        let mut guard = guard();
        assert!(guard.admit(&packet(5)));
        assert!(guard.admit(&packet(30_000)));
        assert!(!guard.admit(&packet(40_000)), "the transport may still stand at 5");
        guard.received(Some(30_000));
        assert!(guard.admit(&packet(40_000)));
    }

    #[test]
    fn any_first_number_is_good_and_later_ones_wrap_around() {
        let mut guard = guard();
        for number in [50_000, 65_535, 0, 1, 40_000, 60_000, 5] {
            assert!(guard.admit(&packet(number)), "{number}");
            guard.received(Some(number));
        }
    }

    #[test]
    fn packets_without_the_extension_pass() {
        let mut guard = guard();
        for data in
            [&[0x80, 111][..], &[0x9F; 13], &[0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0xFF, 0xFF, 0x3F]]
        {
            assert!(guard.admit(data));
        }
    }
}
