//! Dependency descriptors (AV1 RTP specification, appendix A) of a stream with three spatial layers.

use str0m::rtp::{Extension, ExtensionSerializer, ExtensionValues};

const URI: &str = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor(pub Vec<u8>);

#[derive(Debug)]
struct Serializer;

pub fn extension() -> Extension {
    Extension::with_serializer(URI, Serializer)
}

impl ExtensionSerializer for Serializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(Descriptor(bytes)) = values.user_values.get() else { return 0 };
        buffer[..bytes.len()].copy_from_slice(bytes);
        bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        values.user_values.set(Descriptor(bytes.to_vec()));
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        values.user_values.get::<Descriptor>().is_some_and(|descriptor| descriptor.0.len() > 16)
    }
}

/// That of a frame which one packet carries; with the structure of the stream in a key frame.
pub fn descriptor(layer: u8, frame: u32, keyframe: bool) -> Descriptor {
    let mut bits = format!("11{layer:06b}{:016b}", frame as u16);
    if keyframe && layer == 0 {
        let (flags, numbers, layers) = ("10000", "00000000010", "101011");
        bits += &[flags, numbers, layers, "101010", "001010", "000010", "000000000000"].concat();
    }
    let bits: Vec<u8> = bits.bytes().map(|bit| bit - b'0').collect();
    let byte = |bits: &[u8]| bits.iter().chain(&[0; 8]).take(8).fold(0, |byte, bit| byte << 1 | bit);
    Descriptor(bits.chunks(8).map(byte).collect())
}
