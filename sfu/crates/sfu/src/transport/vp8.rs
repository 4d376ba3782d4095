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
const HAS_KEY_IDX: u8 = 0x10;
/// In the picture id: it has 15 bits instead of 7.
const IS_LONG: u8 = 0x80;
/// In the byte of the temporal layer: the picture needs those of the lowest layer only, and KEYIDX.
const IS_SYNC: u8 = 0x20;
const KEY_IDX: u8 = 0x1f;

/// The descriptor of one payload, parsed once and shared by all who forward it.
#[derive(Clone, Copy, Debug)]
pub struct Vp8Descriptor {
    inner: rtp::Vp8Descriptor,
    temporal: TemporalPart,
}

/// Puts other counters into a descriptor. Its length stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vp8Patch(Vp8Numbers);

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
    pub(crate) fn new(numbers: Vp8Numbers) -> Self {
        Self(numbers)
    }

    /// Replace the counters that the payload's descriptor has. A picture id that is too wide for the sender's form is cut
    /// to its low 7 bits.
    pub(super) fn apply(self, payload: &mut [u8]) {
        let [first, flags, rest @ ..] = payload else { return };
        if *first & IS_EXTENDED == 0 {
            return;
        }
        let mut rest = rest.iter_mut();
        if *flags & HAS_PICTURE_ID != 0 {
            let Some(high) = rest.next() else { return };
            let id = self.0.picture_id;
            if *high & IS_LONG == 0 {
                *high = id.map_or(*high, |id| (id & SHORT_PICTURE_ID) as u8);
            } else if let (Some(low), Some(id)) = (rest.next(), id) {
                let [new_high, new_low] = id.to_be_bytes();
                (*high, *low) = (IS_LONG | new_high, new_low);
            }
        }
        if *flags & HAS_TL0_PIC_IDX != 0 {
            let Some(index) = rest.next() else { return };
            *index = self.0.tl0_pic_idx.unwrap_or(*index);
        }
        if *flags & HAS_KEY_IDX != 0
            && let (Some(byte), Some(index)) = (rest.next(), self.0.key_idx)
        {
            *byte = *byte & !KEY_IDX | index & KEY_IDX;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(payload: &[u8], numbers: Vp8Numbers) -> Vec<u8> {
        let mut payload = payload.to_vec();
        Vp8Patch::new(numbers).apply(&mut payload);
        payload
    }

    #[test]
    fn counters_are_replaced_where_the_descriptor_has_them() {
        let all = Vp8Numbers { picture_id: Some(0x1234), tl0_pic_idx: Some(77), key_idx: Some(9) };
        // of the last byte of a descriptor, TID and Y belong to the sender
        let whole = [0x90, 0xF0, 0x81, 0x02, 3, 0xE4, 0xAA];
        assert_eq!(patched(&whole, all), [0x90, 0xF0, 0x92, 0x34, 77, 0xE9, 0xAA]);
        let read = Vp8Descriptor::parse(&patched(&whole, all)).expect("a descriptor");
        assert_eq!(read.numbers(), all);
        assert_eq!(patched(&whole, Vp8Numbers::default()), whole);
        for plain in [&[0x10, 0xFF, 1, 2][..], &[0x90, 0x20, 0xE4, 0xAA], &[0x90], &[]] {
            assert_eq!(patched(plain, all), plain);
        }
    }

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
        let short = [0x80, 0x80, 0x05, 0x00];
        let numbers = Vp8Descriptor::parse(&short).expect("a descriptor").numbers();
        assert_eq!(numbers, Vp8Numbers { picture_id: Some(5), ..Vp8Numbers::default() });
        let wide = Vp8Numbers { picture_id: Some(0x1234), ..Vp8Numbers::default() };
        assert_eq!(patched(&short, wide), [0x80, 0x80, 0x34, 0x00]);
    }

    #[test]
    fn a_descriptor_that_is_cut_is_left_as_far_as_it_goes() {
        let all = Vp8Numbers { picture_id: Some(0x1234), tl0_pic_idx: Some(77), key_idx: Some(9) };
        let whole = [0x90, 0xF0, 0x81, 0x02, 3, 0xE4];
        for end in 0..whole.len() {
            assert_eq!(patched(&whole[..end], all).len(), end);
        }
    }
}
