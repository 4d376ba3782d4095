//! The dependency descriptor, a header extension that says where a packet of AV1 belongs (AV1 RTP specification,
//! appendix A). It is forwarded as it came; the layers are read of it, the frames that a frame needs are not.

use std::collections::HashMap;
use std::sync::Arc;

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

use super::scalability::{Opening, SpatialPart, TemporalPart};
use crate::ids::Ssrc;

pub(super) const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/// The longest extension in the one-byte form (RFC 8285 section 4.2).
const ONE_BYTE_FORM: usize = 16;
/// Bytes of a descriptor without optional fields.
const MANDATORY: usize = 3;
/// Template numbers have 6 bits.
const MAX_TEMPLATES: u8 = 64;
/// What a template says of a decode target: it is not part of it, or one may begin with it.
const NOT_PRESENT: u32 = 0;
const SWITCH: u32 = 2;

/// A descriptor as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyDescriptor(Arc<[u8]>);

impl DependencyDescriptor {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Debug)]
struct Serializer;

/// The extension as the transport negotiates, reads and writes it.
pub(super) fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(DependencyDescriptor(bytes)) = values.user_values.get() else { return 0 };
        let Some(start) = buffer.get_mut(..bytes.len()) else { return 0 };
        start.copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(DependencyDescriptor(bytes.into()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get::<DependencyDescriptor>().is_some_and(|it| it.0.len() > ONE_BYTE_FORM)
    }
}

/// The layers of each stream's templates, which come with its key frames.
#[derive(Default)]
pub(super) struct Structures(HashMap<Ssrc, Structure>);

struct Structure {
    /// The number of the first template.
    first: u8,
    templates: Vec<Template>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    /// The highest temporal layer that may begin with its frames.
    opens: Option<u8>,
}

impl Structures {
    /// Where a packet belongs. None while the structure of its stream is not known, or for what is not well-formed.
    pub fn place(&mut self, ssrc: Ssrc, descriptor: &DependencyDescriptor) -> Option<(SpatialPart, TemporalPart)> {
        let mut bits = Bits { bytes: &descriptor.0, at: 0 };
        let (begins_frame, ends_frame) = (bits.take(1)? == 1, bits.take(1)? == 1);
        let template = bits.take(6)? as u8;
        let _frame_number = bits.take(16)?;
        if descriptor.0.len() > MANDATORY {
            let has_structure = bits.take(1)? == 1;
            let _other_fields = bits.take(4)?;
            if has_structure {
                self.0.insert(ssrc, Structure::read(&mut bits)?);
            }
        }
        let structure = self.0.get(&ssrc)?;
        let index = (template + MAX_TEMPLATES - structure.first) % MAX_TEMPLATES;
        let Template { spatial, temporal, opens } = *structure.templates.get(usize::from(index))?;
        let begins_picture = begins_frame && spatial == 0;
        let opening = opens.filter(|to| *to > temporal).map(|to| Opening { from: temporal, to });
        Some((
            SpatialPart { layer: spatial, begins_picture, ends_layer: ends_frame },
            TemporalPart { layer: temporal, begins_picture, opening },
        ))
    }
}

impl Structure {
    fn read(bits: &mut Bits<'_>) -> Option<Self> {
        let first = bits.take(6)? as u8;
        let targets = bits.take(5)? as usize + 1;
        let mut templates = read_layers(bits)?;
        let mut indications = Vec::with_capacity(templates.len());
        for _ in &templates {
            indications.push((0..targets).map(|_| bits.take(2)).collect::<Option<Vec<u32>>>()?);
        }
        for target in 0..targets {
            let of_target = |row: &Vec<u32>| row.get(target).copied().unwrap_or(NOT_PRESENT);
            let part_of = || templates.iter().zip(&indications).filter(|(_, row)| of_target(row) != NOT_PRESENT);
            let Some(spatial) = part_of().map(|(template, _)| template.spatial).max() else { continue };
            let Some(temporal) = part_of().map(|(template, _)| template.temporal).max() else { continue };
            for (template, row) in templates.iter_mut().zip(&indications) {
                if template.spatial == spatial && of_target(row) == SWITCH {
                    template.opens = template.opens.max(Some(temporal));
                }
            }
        }
        Some(Self { first, templates })
    }
}

fn read_layers(bits: &mut Bits<'_>) -> Option<Vec<Template>> {
    let (mut templates, mut next) = (Vec::new(), Template::default());
    for _ in 0..MAX_TEMPLATES {
        templates.push(next);
        match bits.take(2)? {
            0 => {}
            1 => next.temporal += 1,
            2 => next = Template { spatial: next.spatial + 1, ..Template::default() },
            _ => return Some(templates),
        }
    }
    None
}

/// Reads numbers of some bits, the highest bit first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSRC: Ssrc = Ssrc(1);

    /// A descriptor of these bits.
    fn descriptor(bits: &str) -> DependencyDescriptor {
        let bits: Vec<u8> = bits.bytes().filter(|bit| *bit != b' ').map(|bit| bit - b'0').collect();
        let byte = |bits: &[u8]| bits.iter().chain(&[0; 8]).take(8).fold(0u8, |byte, bit| byte << 1 | bit);
        DependencyDescriptor(bits.chunks(8).map(byte).collect())
    }

    /// The start of a frame of template 2: two spatial layers, of which the lower one has two temporal layers; three
    /// decode targets.
    fn key_frame() -> DependencyDescriptor {
        let (mandatory, flags) = ("1 0 000010 0000000000000001", "1 0000");
        let (numbers, layers) = ("000010 00010", "01 10 11");
        let indications = ["10 10 10", "00 11 00", "00 00 10"].concat();
        descriptor(&[mandatory, flags, numbers, layers, &indications, "00000000"].concat())
    }

    #[test]
    fn layers_are_those_of_the_template() {
        let mut structures = Structures::default();
        let opening = Some(Opening { from: 0, to: 1 });
        let place = structures.place(SSRC, &key_frame());
        let spatial = SpatialPart { layer: 0, begins_picture: true, ends_layer: false };
        assert_eq!(place, Some((spatial, TemporalPart { layer: 0, begins_picture: true, opening })));
        let (spatial, temporal) = structures.place(SSRC, &descriptor("0 1 000011 0000000000000010")).expect("known");
        assert_eq!(spatial, SpatialPart { layer: 0, begins_picture: false, ends_layer: true });
        assert_eq!(temporal, TemporalPart { layer: 1, begins_picture: false, opening: None });
        let (spatial, _) = structures.place(SSRC, &descriptor("1 1 000100 0000000000000011")).expect("known");
        assert_eq!(spatial, SpatialPart { layer: 1, begins_picture: false, ends_layer: true });
    }

    #[test]
    fn what_is_not_known_or_not_well_formed_is_nowhere() {
        let mut structures = Structures::default();
        let plain = descriptor("1 1 000010 0000000000000001");
        assert_eq!(structures.place(SSRC, &plain), None, "no structure yet");
        let whole = key_frame();
        for length in 0..7 {
            let cut = DependencyDescriptor(whole.0.get(..length).expect("shorter").into());
            assert_eq!(structures.place(SSRC, &cut), None, "{length} bytes");
        }
        assert!(structures.place(SSRC, &whole).is_some());
        assert_eq!(structures.place(SSRC, &descriptor("1 1 000001 0000000000000001")), None, "no such template");
        assert_eq!(structures.place(Ssrc(2), &plain), None, "another stream");
    }

    #[test]
    fn no_bytes_break_it() {
        let (mut structures, mut state) = (Structures::default(), 7u64);
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..24)
                .map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    state as u8
                })
                .collect();
            let length = state as usize % bytes.len();
            let mut bytes: Vec<u8> = bytes.into_iter().take(length).collect();
            // with a structure, mostly
            bytes.iter_mut().skip(MANDATORY).take(1).for_each(|byte| *byte |= 0x80);
            structures.place(SSRC, &DependencyDescriptor(bytes.into()));
        }
    }
}
