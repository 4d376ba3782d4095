//! The VP9 payload descriptor (RFC 9628 section 4.2), as far as forwarding needs it.

use super::scalability::{Opening, SpatialPart, TemporalPart};

const HAS_PICTURE_ID: u8 = 0x80;
const IS_PREDICTED: u8 = 0x40;
const HAS_LAYERS: u8 = 0x20;
const BEGINS_FRAME: u8 = 0x08;
const ENDS_FRAME: u8 = 0x04;
/// In the picture id: it has 15 bits instead of 7.
const IS_LONG: u8 = 0x80;

/// In the byte of layers: pictures of higher temporal layers that follow need none of those before this picture.
const IS_SWITCHING_POINT: u8 = 0x10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vp9Descriptor {
    /// The picture refers to earlier ones.
    is_predicted: bool,
    begins_frame: bool,
    ends_frame: bool,
    /// The spatial layer, 0 without layers.
    spatial_layer: u8,
    temporal_layer: u8,
    is_switching_point: bool,
}

impl Vp9Descriptor {
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (flags, rest) = payload.split_first()?;
        let is_set = |flag: u8| flags & flag != 0;
        let rest = match rest.first() {
            Some(id) if is_set(HAS_PICTURE_ID) => rest.get(if id & IS_LONG != 0 { 2 } else { 1 }..)?,
            None if is_set(HAS_PICTURE_ID) => return None,
            _ => rest,
        };
        // temporal layer (3 bits), switching point, spatial layer (3 bits), dependence on the one below
        let layers = if is_set(HAS_LAYERS) { *rest.first()? } else { 0 };
        Some(Self {
            is_predicted: is_set(IS_PREDICTED),
            begins_frame: is_set(BEGINS_FRAME),
            ends_frame: is_set(ENDS_FRAME),
            spatial_layer: (layers >> 1) & 0x07,
            temporal_layer: layers >> 5,
            is_switching_point: layers & IS_SWITCHING_POINT != 0,
        })
    }

    /// Its place among the spatial layers of a picture.
    pub fn spatial(self) -> SpatialPart {
        SpatialPart {
            layer: self.spatial_layer,
            begins_picture: self.begins_frame && self.spatial_layer == 0,
            ends_layer: self.ends_frame,
        }
    }

    /// Its place among the temporal layers.
    pub fn temporal(self) -> TemporalPart {
        let opening = Opening { from: self.temporal_layer, to: u8::MAX };
        TemporalPart {
            layer: self.temporal_layer,
            begins_picture: self.spatial().begins_picture,
            opening: self.is_switching_point.then_some(opening),
        }
    }

    /// Whether it is the first packet of a key frame: of the lowest layer, which refers to nothing.
    pub fn starts_keyframe(self) -> bool {
        self.begins_frame && !self.is_predicted && self.spatial_layer == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts_keyframe(payload: &[u8]) -> Option<bool> {
        Vp9Descriptor::parse(payload).map(Vp9Descriptor::starts_keyframe)
    }

    #[test]
    fn the_first_packet_of_the_lowest_layer_starts_a_key_frame() {
        // I, L and B; picture id of 15 bits; layers; TL0PICIDX
        assert_eq!(starts_keyframe(&[0xa8, 0x81, 0x02, 0x00, 0x07]), Some(true));
        assert_eq!(starts_keyframe(&[0xa0, 0x81, 0x02, 0x00, 0x07]), Some(false), "not its first packet");
        assert_eq!(starts_keyframe(&[0xa8, 0x81, 0x02, 0x03, 0x07]), Some(false), "the layer above");
        assert_eq!(starts_keyframe(&[0xe8, 0x81, 0x02, 0x00, 0x07]), Some(false), "predicted");
        assert_eq!(starts_keyframe(&[0xa8, 0x01, 0x00, 0x07]), Some(true), "picture id of 7 bits");
        assert_eq!(starts_keyframe(&[0x08]), Some(true), "neither picture id nor layers");
    }

    #[test]
    fn temporal_layers_and_switching_points_are_read() {
        let temporal = |layers: u8| Vp9Descriptor::parse(&[0xe8, 0x01, layers, 0x07]).map(Vp9Descriptor::temporal);
        let part = TemporalPart { layer: 2, begins_picture: true, opening: None };
        assert_eq!(temporal(0x40), Some(part));
        assert_eq!(temporal(0x50), Some(TemporalPart { opening: Some(Opening { from: 2, to: u8::MAX }), ..part }));
        assert_eq!(temporal(0x42), Some(TemporalPart { begins_picture: false, ..part }), "the spatial layer above");
    }

    #[test]
    fn what_is_cut_short_is_no_descriptor() {
        for cut in [&[][..], &[0xa8], &[0xa8, 0x81], &[0xa8, 0x81, 0x02], &[0xa8, 0x01]] {
            assert_eq!(starts_keyframe(cut), None, "{cut:02x?}");
        }
    }
}
