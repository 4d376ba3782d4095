//! RTCP packets (RFC 3550 section 6, RFC 3611, RFC 4585 section 6).

pub(super) const SENDER_REPORT: u8 = 200;
pub(super) const RECEIVER_REPORT: u8 = 201;
pub(super) const SOURCE_DESCRIPTION: u8 = 202;
pub(super) const TRANSPORT_FEEDBACK: u8 = 205;
pub(super) const PAYLOAD_FEEDBACK: u8 = 206;
pub(super) const EXTENDED_REPORT: u8 = 207;
/// Kinds of feedback.
pub(super) const NACK: u8 = 1;
pub(super) const TRANSPORT_WIDE: u8 = 15;
pub(super) const PICTURE_LOSS: u8 = 1;
pub(super) const FULL_INTRA: u8 = 4;
pub(super) const APPLICATION_LAYER: u8 = 15;
pub(super) const APPLICATION: u8 = 15;
/// Blocks of extended reports (RFC 3611 sections 4.4 and 4.5).
pub(super) const REFERENCE_TIME: u8 = 4;
pub(super) const DELAY_SINCE_REFERENCE: u8 = 5;
/// The sender of feedback that no stream of ours is needed for.
pub(super) const NOBODY: u32 = 1;
/// Parts of reports in bytes.
pub(super) const HEADER: usize = 8;
pub(super) const SENDER_INFO: usize = 20;
pub(super) const BLOCK: usize = 24;

/// The packets of a compound, up to one that is cut, each with its count or format and its type.
pub(super) fn packets(mut compound: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    std::iter::from_fn(move || {
        let [first, kind, high, low, ..] = *compound else { return None };
        let bytes = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
        let (packet, rest) = compound.split_at_checked(bytes)?;
        compound = rest;
        Some((first & 0x1f, kind, packet))
    })
}

/// 32 bits at a place.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
pub(super) fn packet(count: u8, kind: u8, words: &[u32]) -> Vec<u8> {
    let mut packet = vec![0x80 | count, kind];
    packet.extend((words.len() as u16).to_be_bytes());
    packet.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    packet
}

#[cfg(test)]
pub(super) const BLOCK_WORDS: [u32; 6] = [9, 0x4000_0003, 1000, 77, 0x1234_5678, 0x8000];

#[cfg(test)]
pub(super) fn sender_report(ssrc: u32, blocks: u8) -> Vec<u8> {
    let info = [ssrc, 0xAAAA_1234, 0x5678_BBBB, 1, 2, 3];
    let blocks_words = (0..blocks).flat_map(|_| BLOCK_WORDS);
    packet(blocks, SENDER_REPORT, &info.into_iter().chain(blocks_words).collect::<Vec<_>>())
}
