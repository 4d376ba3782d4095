//! Redundant audio (RFC 2198): earlier frames come again in front of the newest one.

use std::ops::Range;

/// In the first byte of a block's header: other blocks follow, the header has four bytes.
const IS_FOLLOWED: u8 = 0x80;
const FOLLOWED_HEADER: usize = 4;
/// Browsers send one or two earlier frames.
const MAX_BLOCKS: usize = 8;

/// The newest frame of a redundant payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Newest {
    pub bytes: Range<usize>,
    /// The payload type of all its blocks, None if they differ.
    pub payload_type: Option<u8>,
    /// The frame before it.
    pub before: Option<Before>,
}

/// An earlier frame in a redundant payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Before {
    pub bytes: Range<usize>,
    /// How much earlier, in units of the codec's clock.
    pub ticks: u32,
}

/// None for a payload that is not well-formed.
pub(super) fn newest(payload: &[u8]) -> Option<Newest> {
    let (mut at, mut earlier, mut last) = (0usize, 0usize, None);
    let mut types = Vec::with_capacity(MAX_BLOCKS);
    loop {
        let first = *payload.get(at)?;
        types.push(first & !IS_FOLLOWED);
        if first & IS_FOLLOWED == 0 {
            break;
        }
        if types.len() >= MAX_BLOCKS {
            return None;
        }
        // timestamp offset (14 bits), length (10 bits)
        let fields = u32::from_be_bytes([0, *payload.get(at + 1)?, *payload.get(at + 2)?, *payload.get(at + 3)?]);
        let length = (fields & 0x3ff) as usize;
        earlier += length;
        last = Some((fields >> 10, length));
        at += FOLLOWED_HEADER;
    }
    let start = at + 1 + earlier;
    let payload_type = types.first().copied().filter(|first| types.iter().all(|it| it == first));
    let of_one_codec = last.filter(|(_, length)| payload_type.is_some() && *length > 0);
    let before = of_one_codec.map(|(ticks, length)| Before { bytes: start - length..start, ticks });
    (start <= payload.len()).then_some(Newest { bytes: start..payload.len(), payload_type, before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_frame_is_the_last_block() {
        assert_eq!(newest(&[111, 1, 2]), Some(Newest { bytes: 1..3, payload_type: Some(111), before: None }));
        let two = [0x80 | 111, 0x0f, 0, 2, 111, 9, 9, 1, 2, 3];
        let before = Some(Before { bytes: 5..7, ticks: 960 });
        assert_eq!(newest(&two), Some(Newest { bytes: 7..10, payload_type: Some(111), before }));
        let other = [0x80 | 9, 0, 0, 1, 111, 9, 1];
        assert_eq!(newest(&other), Some(Newest { bytes: 6..7, payload_type: None, before: None }));
        assert_eq!(newest(&[111]).map(|it| it.bytes), Some(1..1), "nothing was sent");
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [&[][..], &[0x80 | 111], &[0x80 | 111, 0, 0, 2], &[0x80 | 111, 0, 0, 2, 111, 9]] {
            assert_eq!(newest(bad), None, "{bad:02x?}");
        }
        assert_eq!(newest(&[0xff; 64]), None, "too many blocks");
    }
}
