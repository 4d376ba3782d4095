//! Counters of the VP8 payload descriptor as one subscriber sees them (RFC 7741 section 4.2).

use crate::transport::{Vp8Descriptor, Vp8Numbers, Vp8Patch};

/// PictureID has 15 bits.
const PICTURE_ID_MASK: u16 = 0x7fff;
/// KEYIDX has 5 bits.
const KEY_IDX_MASK: u8 = 0x1f;

/// Offsets that keep PictureID, TL0PICIDX and KEYIDX continuous over changes of layer.
#[derive(Default)]
pub(super) struct Vp8Munger {
    picture_offset: u16,
    tl0_offset: u8,
    key_offset: u8,
    /// Of the newest packet, None before the first one.
    last: Option<Last>,
    /// The source's picture of the newest packet, omitted or not.
    seen: Option<u16>,
}

#[derive(Clone, Copy, Default)]
struct Last {
    picture: u16,
    tl0: u8,
    key: u8,
}

impl Vp8Munger {
    /// The next packet begins another source, or the same one after a pause.
    pub fn switch(&mut self, descriptor: &Vp8Descriptor) {
        let Some(last) = self.last else { return };
        let source = descriptor.numbers();
        let next_picture = last.picture.wrapping_add(1);
        self.picture_offset = next_picture.wrapping_sub(source.picture_id.unwrap_or_default()) & PICTURE_ID_MASK;
        self.tl0_offset = last.tl0.wrapping_add(1).wrapping_sub(source.tl0_pic_idx.unwrap_or_default());
        self.key_offset = last.key.wrapping_add(1).wrapping_sub(source.key_idx.unwrap_or_default()) & KEY_IDX_MASK;
    }

    /// A packet that is newer than all before is omitted. True if it is the first one of a picture that is known: the
    /// pictures after it are to be numbered as if it had never been.
    pub fn skip(&mut self, descriptor: &Vp8Descriptor) -> bool {
        let picture = descriptor.numbers().picture_id;
        picture.is_some() && std::mem::replace(&mut self.seen, picture) != picture
    }

    /// `omitted`: pictures left out since the last switch.
    pub fn forward(&mut self, descriptor: &Vp8Descriptor, omitted: u16, is_newest: bool) -> Vp8Patch {
        let source = descriptor.numbers();
        let picture_offset = self.picture_offset.wrapping_sub(omitted);
        let numbers = Vp8Numbers {
            picture_id: source.picture_id.map(|id| id.wrapping_add(picture_offset) & PICTURE_ID_MASK),
            tl0_pic_idx: source.tl0_pic_idx.map(|index| index.wrapping_add(self.tl0_offset)),
            key_idx: source.key_idx.map(|index| index.wrapping_add(self.key_offset) & KEY_IDX_MASK),
        };
        if is_newest {
            self.seen = source.picture_id;
            let last = self.last.get_or_insert_default();
            last.picture = numbers.picture_id.unwrap_or(last.picture);
            last.tl0 = numbers.tl0_pic_idx.unwrap_or(last.tl0);
            last.key = numbers.key_idx.unwrap_or(last.key);
        }
        Vp8Patch::new(numbers)
    }
}
