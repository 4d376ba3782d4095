//! The header of a received RTP packet with its extensions (RFC 3550 section 5.1, RFC 8285).

use std::ops::Range;

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
/// Extensions that are read, by their names in session descriptions.
const KNOWN: [(&str, Kind); 8] = [
    ("urn:ietf:params:rtp-hdrext:ssrc-audio-level", Kind::AudioLevel),
    ("http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", Kind::TransportSequence),
    ("urn:ietf:params:rtp-hdrext:sdes:mid", Kind::Section),
    ("urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", Kind::Layer),
    ("urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", Kind::RepairedLayer),
    ("urn:3gpp:video-orientation", Kind::VideoOrientation),
    ("http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", Kind::PlayoutDelay),
    (dependency::URI, Kind::Dependencies),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AudioLevel,
    TransportSequence,
    Section,
    Layer,
    RepairedLayer,
    VideoOrientation,
    PlayoutDelay,
    Dependencies,
}

/// The ids of a client's header extensions: bundled sections have the same (RFC 8843 section 9.1).
#[derive(Default)]
pub(super) struct ExtensionIds(Vec<(u8, Kind)>);

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

/// The values of a header's extensions.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Values<'a> {
    pub forwarded: HeaderExtensions,
    pub dependencies: Option<DependencyDescriptor>,
    pub transport_sequence: Option<u16>,
    /// The section (RFC 8843 section 14), and the layer or the layer that is repaired (RFC 8852).
    pub section: Option<&'a str>,
    pub layer: Option<&'a str>,
    pub repaired_layer: Option<&'a str>,
}

impl ExtensionIds {
    /// Learn them from a client's session description.
    pub fn learn(&mut self, sdp: &str) {
        for line in sdp.lines().filter_map(|line| line.strip_prefix("a=extmap:")) {
            let mut words = line.split_ascii_whitespace();
            let (Some(id), Some(name)) = (words.next(), words.next()) else { continue };
            let id = id.split_once('/').map_or(id, |(id, _)| id);
            let known = KNOWN.iter().find(|(uri, _)| *uri == name);
            if let (Ok(id), Some((_, kind))) = (id.parse(), known) {
                self.0.retain(|(other, _)| *other != id);
                self.0.push((id, *kind));
            }
        }
    }

    fn kind_of(&self, id: u8) -> Option<Kind> {
        self.0.iter().find(|(known, _)| *known == id).map(|(_, kind)| *kind)
    }
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

    /// What its extensions say.
    pub fn values<'a>(&self, packet: &'a [u8], ids: &ExtensionIds) -> Values<'a> {
        let mut values = Values::default();
        let Some((form, place)) = &self.extensions else { return values };
        let mut rest = packet.get(place.clone()).unwrap_or_default();
        while let Some((id, value, after)) = next_extension(*form, rest) {
            rest = after;
            if let Some(kind) = ids.kind_of(id) {
                values.read(kind, value);
            }
        }
        values
    }
}

impl<'a> Values<'a> {
    fn read(&mut self, kind: Kind, value: &'a [u8]) {
        let forwarded = &mut self.forwarded;
        match (kind, value) {
            (Kind::AudioLevel, [level, ..]) => {
                forwarded.audio_level = Some(-(level & 0x7f).cast_signed());
                forwarded.voice_activity = Some(level & 0x80 != 0);
            }
            (Kind::TransportSequence, [high, low, ..]) => {
                self.transport_sequence = Some(u16::from_be_bytes([*high, *low]));
            }
            (Kind::Section, name) => self.section = std::str::from_utf8(name).ok(),
            (Kind::Layer, name) => self.layer = std::str::from_utf8(name).ok(),
            (Kind::RepairedLayer, name) => self.repaired_layer = std::str::from_utf8(name).ok(),
            (Kind::VideoOrientation, [orientation, ..]) => forwarded.video_orientation = Some(orientation & 3),
            (Kind::PlayoutDelay, [a, b, c, ..]) => {
                let (min, max) = (u16::from(*a) << 4 | u16::from(b >> 4), u16::from(b & 15) << 8 | u16::from(*c));
                forwarded.playout_delay = Some((min, max));
            }
            (Kind::Dependencies, value) => self.dependencies = Some(DependencyDescriptor::of(value)),
            _ => {}
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> ExtensionIds {
        let mut ids = ExtensionIds::default();
        let lines = KNOWN.iter().zip([1, 2, 5, 6, 7, 3, 4, 12]);
        let lines = lines.map(|((uri, _), id)| format!("a=extmap:{id}/sendonly {uri}\r\n")).collect::<String>();
        ids.learn(&format!(
            "v=0\r\na=extmap:9 urn:other\r\na=extmap:x {}\r\na=extmap:300 {}\r\n",
            KNOWN[0].0, KNOWN[0].0
        ));
        assert!(ids.0.is_empty());
        ids.learn(&lines);
        ids
    }

    #[test]
    fn headers_are_read_with_their_extensions_of_both_forms() {
        let ids = ids();
        let fixed = [0x92, 0x80 | 96, 0x12, 0x34, 0, 0, 0, 9, 0, 0, 0, 7];
        let sources = [1; 8];
        let one_byte: &[u8] = &[
            0x30, 2, 0x42, 0, 0x70, 0xff, 0xc2, 1, 2, 3, 0x10, 0x85, 0x21, 0xAB, 0xCD, 0x50, b'7', 0x60, b'q', 0x70,
            b'h', 0, 0, 0,
        ];
        let two_bytes: &[u8] = &[
            3, 1, 2, 4, 3, 0, 0x70, 0xff, 12, 3, 1, 2, 3, 0, 1, 1, 0x85, 2, 2, 0xAB, 0xCD, 5, 1, b'7', 6, 1, b'q', 7,
            1, b'h', 0, 0,
        ];
        for (form, values) in [([0xBE, 0xDE], one_byte), ([0x10, 0x00], two_bytes)] {
            let words = [0, (values.len() / 4) as u8];
            let packet = [&fixed[..], &sources, &form, &words, values, &[5, 6, 2, 2]].concat();
            let header = Header::read(&packet).expect("a header");
            assert_eq!((header.ssrc, header.sequence, header.timestamp), (Ssrc(7), 0x1234, 9));
            assert_eq!((header.payload_type, header.marker, header.bytes), (96, true, packet.len() - 4));
            let expected = Values {
                forwarded: HeaderExtensions {
                    audio_level: Some(-5),
                    voice_activity: Some(true),
                    video_orientation: Some(2),
                    playout_delay: Some((7, 255)),
                },
                dependencies: Some(DependencyDescriptor::of(&[1, 2, 3])),
                transport_sequence: Some(0xABCD),
                section: Some("7"),
                layer: Some("q"),
                repaired_layer: Some("h"),
            };
            assert_eq!(header.values(&packet, &ids), expected);
            assert_eq!(header.without_padding(&[5, 6, 2, 2]), Some(&[5, 6, 2, 2][..]));
            for end in 0..packet.len() {
                let cut = Header::read(&packet[..end]).map(|header| header.values(&packet[..end], &ids));
                assert!(cut.is_none() || end >= packet.len() - 4);
            }
        }
        let padded = Header { has_padding: true, ..Header::read(&[0x80; 12]).expect("a header") };
        assert_eq!(padded.without_padding(&[5, 6, 2, 2]), Some(&[5, 6][..]));
        assert_eq!(padded.without_padding(&[5, 9]), None);
    }
}
