//! The VP8 payload descriptor (RFC 7741 section 4.2): its counters are rewritten for each subscriber.

use str0m::rtp;

/// The largest PictureID in the one-byte form.
const SHORT_PICTURE_ID: u16 = 0x7f;

/// The descriptor of one payload, parsed once and shared by all who forward it.
#[derive(Clone, Copy, Debug)]
pub struct Vp8Descriptor(rtp::Vp8Descriptor);

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
        rtp::Vp8Descriptor::parse(payload).ok().map(Self)
    }

    pub(super) fn starts_keyframe(&self, payload: &[u8]) -> bool {
        self.0.starts_keyframe(payload)
    }

    #[inline]
    pub(crate) fn numbers(&self) -> Vp8Numbers {
        Vp8Numbers { picture_id: self.0.picture_id(), tl0_pic_idx: self.0.tl0_pic_idx(), key_idx: self.0.key_idx() }
    }

    /// Replace the counters. A picture id that is too wide for the sender's form is cut to its low 7 bits.
    #[inline]
    pub(crate) fn rewrite(&self, numbers: Vp8Numbers) -> Option<Vp8Patch> {
        let with = |picture_id: Option<u16>| {
            let mut patch = self.0.patch();
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

impl Vp8Patch {
    pub(super) fn inner(self) -> rtp::Vp8Patch {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
