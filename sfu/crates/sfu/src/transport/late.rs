//! Packets that come later than str0m looks at them (100 packets behind the newest one), opened and read by us: sent again
//! by a client that is far away, or has lost many (RFC 3711 section 3.3, RFC 4588 section 4, RFC 8285).

use std::collections::HashMap;
use std::ops::Range;

use str0m::rtp::{Extension, ExtensionMap};

use super::dependency::{self, DependencyDescriptor};
use super::packet::HeaderExtensions;
use crate::ids::Ssrc;

const FIXED_BYTES: usize = 12;
const HAS_PADDING: u8 = 0x20;
const HAS_EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;
const ONE_BYTE: u16 = 0xBEDE;
/// A value of one byte's form that ends the list.
const END: u8 = 15;

/// The header of a received packet, before it is known to be authentic.
pub(super) struct Header {
    pub ssrc: Ssrc,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload_type: u8,
    pub marker: bool,
    pub bytes: usize,
    has_padding: bool,
    /// The form of the extensions, and where they are.
    extensions: Option<(u16, Range<usize>)>,
}

impl Header {
    pub fn read(packet: &[u8]) -> Option<Self> {
        let [first, second, high, low, rest @ ..] = packet else { return None };
        let number = |at: usize| Some(u32::from_be_bytes(rest.get(at..at + 4)?.try_into().ok()?));
        let mut bytes = FIXED_BYTES + 4 * usize::from(first & 0x0f);
        let mut extensions = None;
        if first & HAS_EXTENSION != 0 {
            let [a, b, c, d] = *packet.get(bytes..bytes + 4)? else { return None };
            let start = bytes + 4;
            bytes = start + 4 * usize::from(u16::from_be_bytes([c, d]));
            extensions = Some((u16::from_be_bytes([a, b]), start..bytes));
        }
        (bytes <= packet.len()).then_some(())?;
        Some(Self {
            ssrc: Ssrc(number(4)?),
            sequence: u16::from_be_bytes([*high, *low]),
            timestamp: number(0)?,
            payload_type: second & !MARKER,
            marker: second & MARKER != 0,
            bytes,
            has_padding: first & HAS_PADDING != 0,
            extensions,
        })
    }

    /// The payload without what only fills it up.
    pub fn without_padding<'a>(&self, payload: &'a [u8]) -> Option<&'a [u8]> {
        if !self.has_padding {
            return Some(payload);
        }
        let padding = usize::from(*payload.last()?);
        payload.get(..payload.len().checked_sub(padding)?)
    }

    /// What is forwarded of its extensions, by the ids of `map`.
    pub fn extensions(&self, packet: &[u8], map: &ExtensionMap) -> (HeaderExtensions, Option<DependencyDescriptor>) {
        let (mut values, mut descriptor) = (HeaderExtensions::default(), None);
        let Some((form, place)) = &self.extensions else { return (values, descriptor) };
        let mut rest = packet.get(place.clone()).unwrap_or_default();
        while let Some((id, value, after)) = next_extension(*form, rest) {
            rest = after;
            let Some((_, extension)) = map.iter().find(|(known, _)| *known == id) else { continue };
            match (extension, value) {
                (Extension::VideoOrientation, [orientation, ..]) => values.video_orientation = Some(orientation & 3),
                (Extension::AudioLevel, [level, ..]) => {
                    values.audio_level = Some(-(level & 0x7f).cast_signed());
                    values.voice_activity = Some(level & 0x80 != 0);
                }
                (Extension::PlayoutDelay, [a, b, c, ..]) => {
                    let (min, max) = (u16::from(*a) << 4 | u16::from(b >> 4), u16::from(b & 15) << 8 | u16::from(*c));
                    values.playout_delay = Some((min, max));
                }
                (other, value) if *other == dependency::extension() => {
                    descriptor = Some(DependencyDescriptor::of(value));
                }
                _ => {}
            }
        }
        (values, descriptor)
    }
}

/// The next extension's id and value, and what is behind it.
fn next_extension(form: u16, mut bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    while let [0, rest @ ..] = bytes {
        bytes = rest;
    }
    let (id, length, rest) = match bytes {
        [first, rest @ ..] if form == ONE_BYTE && first >> 4 != END => (first >> 4, usize::from(first & 15) + 1, rest),
        [id, length, rest @ ..] if form & 0xfff0 == 0x1000 => (*id, usize::from(*length), rest),
        _ => return None,
    };
    let (value, after) = rest.split_at_checked(length)?;
    Some((id, value, after))
}

/// The number beyond 16 bits that is nearest to `near`.
pub(super) fn extended(number: u16, near: u64) -> u64 {
    let ahead = number.wrapping_sub(near as u16).cast_signed();
    let extended = near.saturating_add_signed(i64::from(ahead));
    // the first round has no one before it
    if extended as u16 == number { extended } else { u64::from(number) }
}

/// The numbers of streams of retransmissions, as far as they are known.
#[derive(Default)]
pub(super) struct Rounds(HashMap<Ssrc, u64>);

impl Rounds {
    /// The number of a packet beyond 16 bits.
    pub fn extended(&self, ssrc: Ssrc, sequence: u16) -> u64 {
        self.0.get(&ssrc).map_or(u64::from(sequence), |newest| extended(sequence, *newest))
    }

    /// An authentic packet was received.
    pub fn seen(&mut self, ssrc: Ssrc, sequence: u16) {
        let number = self.extended(ssrc, sequence);
        let newest = self.0.entry(ssrc).or_insert(number);
        *newest = number.max(*newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_beyond_16_bits() {
        assert_eq!(extended(5, 3), 5);
        assert_eq!(extended(65_535, 3), 65_535, "nothing is before the first round");
        assert_eq!(extended(2, 65_530), 65_538);
        assert_eq!(extended(65_530, 65_538), 65_530);
        let mut rounds = Rounds::default();
        let ssrc = Ssrc(1);
        for number in (0..200_000_u64).step_by(1000) {
            rounds.seen(ssrc, number as u16);
            assert_eq!(rounds.extended(ssrc, number as u16), number);
        }
    }

    #[test]
    fn headers_are_read_with_their_extensions_of_both_forms() {
        let map = {
            let mut map = ExtensionMap::empty();
            map.set(1, Extension::AudioLevel);
            map.set(3, Extension::VideoOrientation);
            map.set(4, Extension::PlayoutDelay);
            map.set(12, dependency::extension());
            map
        };
        let fixed = [0x92, 0x80 | 96, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7];
        let sources = [1; 8];
        let one_byte: &[u8] = &[0x30, 2, 0x42, 0, 0x70, 0xff, 0xc2, 1, 2, 3, 0x10, 0x85];
        let two_bytes: &[u8] = &[3, 1, 2, 4, 3, 0, 0x70, 0xff, 12, 3, 1, 2, 3, 0, 1, 1, 0x85, 0, 0, 0];
        for (form, values) in [([0xBE, 0xDE], one_byte), ([0x10, 0x00], two_bytes)] {
            let words = [0, (values.len() / 4) as u8];
            let packet = [&fixed[..], &sources, &form, &words, values, &[5, 6, 2, 2]].concat();
            let header = Header::read(&packet).expect("a header");
            assert_eq!((header.ssrc, header.sequence, header.timestamp), (Ssrc(7), 0x1234, 9));
            assert_eq!((header.payload_type, header.marker, header.bytes), (96, true, packet.len() - 4));
            let (read, descriptor) = header.extensions(&packet, &map);
            assert_eq!((read.video_orientation, read.playout_delay), (Some(2), Some((7, 255))));
            assert_eq!((read.audio_level, read.voice_activity), (Some(-5), Some(true)));
            assert_eq!(descriptor, Some(DependencyDescriptor::of(&[1, 2, 3])));
            assert_eq!(header.without_padding(&[5, 6, 2, 2]), Some(&[5, 6, 2, 2][..]));
            for end in 0..packet.len() {
                let cut = Header::read(&packet[..end]).map(|header| header.extensions(&packet[..end], &map));
                assert!(cut.is_none() || end >= packet.len() - 4);
            }
        }
        let padded = Header { has_padding: true, ..Header::read(&[0x80; 12]).expect("a header") };
        assert_eq!(padded.without_padding(&[5, 6, 2, 2]), Some(&[5, 6][..]));
        assert_eq!(padded.without_padding(&[5, 9]), None);
    }
}
