//! The VP8 payload descriptor (RFC 7741 section 4.2): its counters are rewritten for each subscriber.

use str0m::rtp;

use super::scalability::{Opening, TemporalPart};

/// The largest PictureID in the one-byte form.
const SHORT_PICTURE_ID: u16 = 0x7f;
/// In the first byte: a second one follows, a partition starts here, and its number.
const IS_EXTENDED: u8 = 0x80;
const STARTS_PARTITION: u8 = 0x10;
const PARTITION: u8 = 0x07;
/// In the second byte: which fields follow.
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0_PIC_IDX: u8 = 0x40;
const HAS_LAYER: u8 = 0x20;
/// In the picture id: it has 15 bits instead of 7.
const IS_LONG: u8 = 0x80;
/// In the byte of the temporal layer: the picture needs those of the lowest layer only.
const IS_SYNC: u8 = 0x20;

/// The descriptor of one payload, parsed once and shared by all who forward it.
#[derive(Clone, Copy, Debug)]
pub struct Vp8Descriptor {
    inner: rtp::Vp8Descriptor,
    temporal: TemporalPart,
}

/// Byte replacements that put other counters into a descriptor. They never change its length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vp8Patch(rtp::Vp8Patch);

/// The counters of a descriptor; None where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Vp8Numbers {
    /// 15 bits, or 7 in the short form.
    pub picture_id: Option<u16>,
    /// 8 bits.
    pub tl0_pic_idx: Option<u8>,
    /// 5 bits.
    pub key_idx: Option<u8>,
}

impl Vp8Descriptor {
    pub(super) fn parse(payload: &[u8]) -> Option<Self> {
        let inner = rtp::Vp8Descriptor::parse(payload).ok()?;
        Some(Self { inner, temporal: temporal(payload).unwrap_or_default() })
    }

    pub(super) fn starts_keyframe(&self, payload: &[u8]) -> bool {
        self.inner.starts_keyframe(payload)
    }

    pub(super) fn temporal(&self) -> TemporalPart {
        self.temporal
    }

    #[inline]
    pub(crate) fn numbers(&self) -> Vp8Numbers {
        let inner = &self.inner;
        Vp8Numbers { picture_id: inner.picture_id(), tl0_pic_idx: inner.tl0_pic_idx(), key_idx: inner.key_idx() }
    }

    /// Replace the counters. A picture id that is too wide for the sender's form is cut to its low 7 bits.
    #[inline]
    pub(crate) fn rewrite(&self, numbers: Vp8Numbers) -> Option<Vp8Patch> {
        let with = |picture_id: Option<u16>| {
            let mut patch = self.inner.patch();
            if let Some(picture_id) = picture_id {
                patch = patch.picture_id(picture_id);
            }
            if let Some(tl0_pic_idx) = numbers.tl0_pic_idx {
                patch = patch.tl0_pic_idx(tl0_pic_idx);
            }
            if let Some(key_idx) = numbers.key_idx {
                patch = patch.key_idx(key_idx);
            }
            patch.build()
        };
        let short = || with(numbers.picture_id.map(|id| id & SHORT_PICTURE_ID));
        with(numbers.picture_id).or_else(|_| short()).ok().map(Vp8Patch)
    }
}

/// The temporal layer. None for a descriptor that is cut short.
fn temporal(payload: &[u8]) -> Option<TemporalPart> {
    let (flags, mut at) = (*payload.first()?, 2);
    let begins_picture = flags & STARTS_PARTITION != 0 && flags & PARTITION == 0;
    let fields = if flags & IS_EXTENDED != 0 { *payload.get(1)? } else { 0 };
    if fields & HAS_LAYER == 0 {
        return Some(TemporalPart { layer: 0, begins_picture, opening: None });
    }
    if fields & HAS_PICTURE_ID != 0 {
        at += if payload.get(at)? & IS_LONG != 0 { 2 } else { 1 };
    }
    if fields & HAS_TL0_PIC_IDX != 0 {
        at += 1;
    }
    let byte = *payload.get(at)?;
    let layer = byte >> 6;
    // pictures of its layer that follow may need those of the layers between
    let opening = layer.checked_sub(1).filter(|_| byte & IS_SYNC != 0).map(|from| Opening { from, to: layer });
    Some(TemporalPart { layer, begins_picture, opening })
}

impl Vp8Patch {
    pub(super) fn inner(self) -> rtp::Vp8Patch {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporal_layers_and_where_they_may_begin_are_read() {
        let read = |payload: &[u8]| Vp8Descriptor::parse(payload).expect("a descriptor").temporal();
        let part = TemporalPart { layer: 2, begins_picture: true, opening: None };
        assert_eq!(read(&[0x90, 0xe0, 0x81, 0x02, 0x03, 0x80, 0x00]), part, "a picture id of 15 bits");
        assert_eq!(read(&[0x90, 0xe0, 0x01, 0x03, 0x80, 0x00]), part, "one of 7 bits");
        assert_eq!(read(&[0x80, 0x20, 0x80, 0x00]), TemporalPart { begins_picture: false, ..part });
        let opening = Some(Opening { from: 1, to: 2 });
        assert_eq!(read(&[0x90, 0x20, 0xa0, 0x00]), TemporalPart { opening, ..part });
        assert_eq!(
            read(&[0x90, 0x20, 0x20, 0x00]),
            TemporalPart { layer: 0, ..part },
            "the lowest layer opens nothing"
        );
        assert_eq!(read(&[0x10, 0x00]), TemporalPart { layer: 0, ..part }, "no layers");
    }

    #[test]
    fn a_wide_picture_id_is_cut_where_the_sender_uses_the_short_form() {
        // X and I bits, a picture id of one byte, and a byte of the frame
        let short = Vp8Descriptor::parse(&[0x80, 0x80, 0x05, 0x00]).expect("a descriptor");
        assert_eq!(short.numbers(), Vp8Numbers { picture_id: Some(5), ..Vp8Numbers::default() });
        let patch = |id| short.rewrite(Vp8Numbers { picture_id: Some(id), ..Vp8Numbers::default() });
        let cut = patch(0x1234).map(Vp8Patch::inner);
        assert_eq!(cut, patch(0x34).map(Vp8Patch::inner));
        assert!(cut.is_some() && cut != patch(0x35).map(Vp8Patch::inner));
    }
}
