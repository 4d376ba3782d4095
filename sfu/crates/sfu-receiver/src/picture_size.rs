//! How large a picture becomes, read from its header before anything is decoded.

use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::nal::{Nal, RefNal};
use str0m::format::Codec;

const VP8_START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];
const VP9_SYNC_CODE: u32 = 0x49_83_42;
const VP9_COLOUR_SPACE_RGB: u32 = 7;
const H264_START_CODE: [u8; 3] = [0, 0, 1];
const H264_TYPE_MASK: u8 = 0x1f;
const H264_SPS: u8 = 7;

/// The pixels of the picture that a frame begins. None where its header has no size, or cannot be read: then it is the
/// decoder that refuses. AV1 is left to its decoder altogether: that one checks the size before it allocates.
pub(crate) fn announced_pixels(codec: Codec, data: &[u8]) -> Option<u64> {
    match codec {
        Codec::Vp8 => vp8(data),
        Codec::Vp9 => vp9(data),
        Codec::H264 => h264(data),
        _ => None,
    }
}

/// RFC 6386 section 9.1: only a key frame has a size.
fn vp8(data: &[u8]) -> Option<u64> {
    let header: &[u8; 10] = data.first_chunk()?;
    let is_key = header[0] & 1 == 0;
    let side = |low: u8, high: u8| u64::from(u16::from_le_bytes([low, high & 0x3f]));
    let pixels = side(header[6], header[7]) * side(header[8], header[9]);
    (is_key && header[3..6] == VP8_START_CODE).then_some(pixels)
}

/// VP9 Bitstream Specification 6.2, `uncompressed_header` of a key frame.
fn vp9(data: &[u8]) -> Option<u64> {
    let mut bits = Bits { data, position: 0 };
    let is_marked = bits.take(2)? == 2;
    let profile = bits.take(1)? | bits.take(1)? << 1;
    let has_reserved_bit = profile == 3 && bits.take(1)? == 1;
    let shows_existing = bits.take(1)? == 1;
    if !is_marked || has_reserved_bit || shows_existing {
        return None;
    }
    let is_key = bits.take(1)? == 0;
    bits.take(2)?; // show_frame, error_resilient_mode
    if !is_key || bits.take(24)? != VP9_SYNC_CODE {
        return None;
    }
    if profile >= 2 {
        bits.take(1)?; // ten_or_twelve_bit
    }
    let has_subsampling = profile == 1 || profile == 3;
    if bits.take(3)? == VP9_COLOUR_SPACE_RGB {
        bits.take(if has_subsampling { 1 } else { 0 })?;
    } else {
        bits.take(if has_subsampling { 4 } else { 1 })?; // color_range, and the subsampling
    }
    Some(u64::from(bits.take(16)? + 1) * u64::from(bits.take(16)? + 1))
}

/// The largest of the sequence parameter sets (H.264 section 7.3.2.1) in an access unit with start codes.
fn h264(data: &[u8]) -> Option<u64> {
    let mut largest = None;
    let mut rest = data;
    while let Some(at) = rest.windows(H264_START_CODE.len()).position(|window| window == H264_START_CODE) {
        rest = rest.get(at + H264_START_CODE.len()..)?;
        if rest.first().is_some_and(|header| header & H264_TYPE_MASK == H264_SPS) {
            let end = rest.windows(H264_START_CODE.len()).position(|window| window == H264_START_CODE);
            largest = largest.max(sps(rest.get(..end.unwrap_or(rest.len()))?));
        }
    }
    largest
}

fn sps(nal: &[u8]) -> Option<u64> {
    let set = SeqParameterSet::from_bits(RefNal::new(nal, &[], true).rbsp_bits()).ok()?;
    let (width, height) = set.pixel_dimensions().ok()?;
    Some(u64::from(width) * u64::from(height))
}

struct Bits<'a> {
    data: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.position / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VP8_640X360: [u8; 12] = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01, 0, 0];
    /// By FFmpeg's libvpx-vp9, 640×360.
    const VP9_640X360: [u8; 10] = [0x82, 0x49, 0x83, 0x42, 0x20, 0x27, 0xf0, 0x16, 0x70, 0x00];
    /// By libx264, 640×360, after a delimiter.
    const H264_640X360: [u8; 35] = [
        0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00,
        0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x16, 0x2e, 0x48,
    ];

    #[test]
    fn the_size_is_read() {
        assert_eq!(announced_pixels(Codec::Vp8, &VP8_640X360), Some(640 * 360));
        assert_eq!(announced_pixels(Codec::Vp9, &VP9_640X360), Some(640 * 360));
        assert_eq!(announced_pixels(Codec::H264, &H264_640X360), Some(640 * 360));
    }

    #[test]
    fn the_largest_size_that_fits_a_header_is_read() {
        let mut vp8 = VP8_640X360;
        vp8[6..10].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert_eq!(announced_pixels(Codec::Vp8, &vp8), Some(0x3fff * 0x3fff));
        let mut vp9 = VP9_640X360;
        vp9[5..].fill(0xff);
        vp9[4] |= 0x0f;
        assert_eq!(announced_pixels(Codec::Vp9, &vp9), Some(65_536 * 65_536));
    }

    #[test]
    fn other_frames_have_none() {
        let mut delta = VP8_640X360;
        delta[0] |= 1;
        assert_eq!(announced_pixels(Codec::Vp8, &delta), None);
        assert_eq!(announced_pixels(Codec::H264, &[0, 0, 0, 1, 0x61, 1, 2, 3]), None);
        assert_eq!(announced_pixels(Codec::Opus, &VP8_640X360), None);
    }

    #[test]
    fn garbage_is_not_read_beyond_its_end() {
        for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
            for sample in [&VP8_640X360[..], &VP9_640X360[..], &H264_640X360[..]] {
                for length in 0..sample.len() {
                    for bit in 0..8 * length {
                        let mut data = sample[..length].to_vec();
                        data[bit / 8] ^= 1 << (bit % 8);
                        let _ = announced_pixels(codec, &data);
                    }
                }
            }
        }
    }
}
