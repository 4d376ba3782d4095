//! The header of an outgoing RTP packet (RFC 3550 section 5.1), with its extensions (RFC 8285).

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use str0m::rtp::{Extension, ExtensionMap};

use super::dependency;
use super::packet::HeaderExtensions;

/// Bytes of a header without extensions.
const FIXED_BYTES: usize = 12;
/// Profiles of extensions whose values have headers of one byte and of two.
const ONE_BYTE: u16 = 0xBEDE;
const TWO_BYTES: u16 = 0x1000;
/// The largest id and the longest value in the form of one byte.
const MAX_ID: u8 = 14;
const MAX_VALUE: usize = 16;
const VERSION_2: u8 = 0x80;
const HAS_PADDING: u8 = 0x20;
const HAS_EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;

/// An extension that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AudioLevel,
    SendTime,
    TransportSequence,
    Mid,
    Orientation,
    PlayoutDelay,
    Dependencies,
}

fn kind_of(extension: &Extension) -> Option<Kind> {
    match extension {
        Extension::AudioLevel => Some(Kind::AudioLevel),
        Extension::AbsoluteSendTime => Some(Kind::SendTime),
        Extension::TransportSequenceNumber => Some(Kind::TransportSequence),
        Extension::RtpMid => Some(Kind::Mid),
        Extension::VideoOrientation => Some(Kind::Orientation),
        Extension::PlayoutDelay => Some(Kind::PlayoutDelay),
        other if *other == dependency::extension() => Some(Kind::Dependencies),
        _ => None,
    }
}

/// What a section has negotiated, in the order of the ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions(Vec<(u8, Kind)>);

/// The values of a packet's header.
pub(super) struct Header<'a> {
    pub payload_type: u8,
    pub marker: bool,
    /// What follows ends with padding.
    pub is_padded: bool,
    pub timestamp: u32,
    pub mid: &'a [u8],
    pub values: HeaderExtensions,
    /// Of AV1: what the packet's frame needs.
    pub dependencies: Option<&'a [u8]>,
    /// When it is sent ([`send_time`]).
    pub send_time: [u8; 3],
    pub transport_sequence: u16,
}

/// 24 bits of seconds, 18 of them behind the point, as the extension abs-send-time has them.
pub(super) fn send_time(now: Instant) -> [u8; 3] {
    static BEGINNING: LazyLock<(Instant, Duration)> = LazyLock::new(|| {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), since_epoch)
    });
    let (instant, since_epoch) = *BEGINNING;
    let time =
        (since_epoch + now.saturating_duration_since(instant)).saturating_sub(instant.saturating_duration_since(now));
    let [_, high, middle, low] = (((time.as_micros() << 18) / 1_000_000) as u32).to_be_bytes();
    [high, middle, low]
}

impl Extensions {
    pub fn of(map: &ExtensionMap) -> Self {
        let mut ids: Vec<_> = map.iter().filter_map(|(id, extension)| Some((id, kind_of(extension)?))).collect();
        ids.sort_unstable_by_key(|(id, _)| *id);
        Self(ids)
    }

    /// Whether packets carry transport-wide sequence numbers.
    pub fn numbers_transport(&self) -> bool {
        self.0.iter().any(|(_, kind)| *kind == Kind::TransportSequence)
    }
}

impl Header<'_> {
    /// Append the header of the packet `sequence` of a stream. Returns its bytes.
    pub fn write(&self, ssrc: u32, sequence: u16, extensions: &Extensions, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let padding = if self.is_padded { HAS_PADDING } else { 0 };
        let marker = if self.marker { MARKER } else { 0 };
        out.extend_from_slice(&[VERSION_2 | HAS_EXTENSION | padding, self.payload_type | marker]);
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&ssrc.to_be_bytes());
        let has_long = self.dependencies.is_some_and(|bytes| bytes.len() > MAX_VALUE);
        let form = if has_long || extensions.0.iter().any(|(id, _)| *id > MAX_ID) { TWO_BYTES } else { ONE_BYTE };
        out.extend_from_slice(&form.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        for (id, kind) in &extensions.0 {
            self.with_value(*kind, |value| put(form, *id, value, out));
        }
        while !(out.len() - start).is_multiple_of(4) {
            out.push(0);
        }
        let words = (out.len() - start - FIXED_BYTES - 4) / 4;
        if let Some(length) = out.get_mut(start + FIXED_BYTES + 2..start + FIXED_BYTES + 4) {
            length.copy_from_slice(&(words as u16).to_be_bytes());
        }
        out.len() - start
    }

    /// `put` gets the value of this packet, if it has one.
    fn with_value(&self, kind: Kind, mut put: impl FnMut(&[u8])) {
        let values = &self.values;
        match kind {
            Kind::SendTime => put(&self.send_time),
            Kind::TransportSequence => put(&self.transport_sequence.to_be_bytes()),
            Kind::Mid => put(self.mid),
            Kind::Dependencies => self.dependencies.into_iter().for_each(put),
            Kind::Orientation => values.video_orientation.into_iter().for_each(|it| put(&[it])),
            Kind::AudioLevel => {
                if let (Some(level), Some(is_voice)) = (values.audio_level, values.voice_activity) {
                    put(&[if is_voice { 0x80 } else { 0 } | level.unsigned_abs() & 0x7f]);
                }
            }
            Kind::PlayoutDelay => {
                if let Some((min, max)) = values.playout_delay {
                    let [_, high, middle, low] = (u32::from(min & 0xfff) << 12 | u32::from(max & 0xfff)).to_be_bytes();
                    put(&[high, middle, low]);
                }
            }
        }
    }
}

/// Append a value; one that the form has no room for is left out.
fn put(form: u16, id: u8, value: &[u8], out: &mut Vec<u8>) {
    match u8::try_from(value.len()) {
        Ok(length @ 1..=16) if form == ONE_BYTE => out.push(id << 4 | (length - 1)),
        Ok(length) if form == TWO_BYTES => out.extend_from_slice(&[id, length]),
        _ => return,
    }
    out.extend_from_slice(value);
}
