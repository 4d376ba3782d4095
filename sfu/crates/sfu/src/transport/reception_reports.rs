//! What we tell a client of the streams that we receive of it, and what it tells of them (RFC 3550 section 6.4, RFC 3611,
//! RFC 4585 section 6.3.1).

use super::rtcp::{
    APPLICATION_LAYER, BLOCK, DELAY_SINCE_REFERENCE, EXTENDED_REPORT, HEADER, NOBODY, PAYLOAD_FEEDBACK, PICTURE_LOSS,
    RECEIVER_REPORT, REFERENCE_TIME, SENDER_REPORT, number, packets,
};
use crate::ids::Ssrc;

/// What a client's sender report tells of one of its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SenderClock {
    /// 32 bits of seconds since 1900, 32 of their fractions.
    pub ntp: u64,
    /// The RTP timestamp of that instant.
    pub timestamp: u32,
}

/// What we tell of a stream that we receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReceptionBlock {
    pub ssrc: Ssrc,
    /// In 256ths, since the last report.
    pub fraction_lost: u8,
    /// Since the stream began.
    pub lost: i64,
    /// The highest sequence number, extended beyond 16 bits.
    pub highest: u32,
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of the last sender report, and how long ago that came, in 65,536ths of a second;
    /// zeros without one.
    pub last_report: (u32, u32),
}

/// Blocks that a reception report can have (RFC 3550 section 6.4.2).
pub(super) const MAX_BLOCKS: usize = 31;

/// What a client's compound tells of the clocks of its streams.
pub(super) fn sender_clocks(compound: &[u8]) -> impl Iterator<Item = (Ssrc, SenderClock)> {
    packets(compound).filter(|(_, kind, _)| *kind == SENDER_REPORT).filter_map(|(_, _, packet)| {
        let [seconds, fraction, timestamp] = [8, 12, 16].map(|at| number(packet, at));
        let ntp = u64::from(seconds?) << 32 | u64::from(fraction?);
        Some((Ssrc(number(packet, 4)?), SenderClock { ntp, timestamp: timestamp? }))
    })
}

/// The answers to our [`push_reference_time`] in a client's compound: the middle 32 bits of that time, and how long ago
/// the client got it, in 65,536ths of a second.
pub(super) fn reference_answers(compound: &[u8]) -> impl Iterator<Item = (u32, u32)> {
    let reports = packets(compound).filter(|(_, kind, _)| *kind == EXTENDED_REPORT);
    let blocks =
        reports.flat_map(|(_, _, packet)| packets(packet.get(HEADER..).unwrap_or_default()).collect::<Vec<_>>());
    // a block has its type where a packet has its count, and an unused byte where that has its type
    let answers = blocks.filter(|(_, _, block)| block.first() == Some(&DELAY_SINCE_REFERENCE));
    answers.flat_map(|(_, _, block)| {
        let items = block.get(4..).unwrap_or_default().chunks_exact(12);
        let ours = items.filter(|item| number(item, 0) == Some(NOBODY));
        ours.filter_map(|item| number(item, 4).zip(number(item, 8))).collect::<Vec<_>>()
    })
}

/// Append what we tell of streams that we receive: [`MAX_BLOCKS`] at most.
pub(super) fn push_reception(blocks: &[ReceptionBlock], out: &mut Vec<u8>) {
    let words = (1 + blocks.len() * BLOCK / 4) as u16;
    let [high, low] = words.to_be_bytes();
    out.extend_from_slice(&[0x80 | blocks.len() as u8, RECEIVER_REPORT, high, low]);
    out.extend_from_slice(&NOBODY.to_be_bytes());
    for block in blocks {
        // 24 bits, with a sign
        let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        let (last, delay) = block.last_report;
        let words =
            [block.ssrc.0, u32::from(block.fraction_lost) << 24 | lost, block.highest, block.jitter, last, delay];
        words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    }
}

/// Append our time, which the client is to answer, so that we know the round trip (RFC 3611 section 4.4).
pub(super) fn push_reference_time(ntp: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80, EXTENDED_REPORT, 0, 4]);
    out.extend_from_slice(&NOBODY.to_be_bytes());
    out.extend_from_slice(&[REFERENCE_TIME, 0, 0, 2]);
    out.extend_from_slice(&ntp.to_be_bytes());
}

/// Append how much the client may send in all, a limit beside its own estimate (draft-alvestrand-rmcat-remb-03
/// section 2.2).
pub(super) fn push_limit(of: Ssrc, limit_bps: u64, out: &mut Vec<u8>) {
    let exponent = (64 - limit_bps.leading_zeros()).saturating_sub(18);
    let mantissa = (limit_bps >> exponent) as u32;
    out.extend_from_slice(&[0x80 | APPLICATION_LAYER, PAYLOAD_FEEDBACK, 0, 5]);
    let words = [NOBODY, 0, u32::from_be_bytes(*b"REMB"), 1 << 24 | exponent << 18 | mantissa, of.0];
    words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
}

/// Append a request for a key frame of a stream (RFC 4585 section 6.3.1).
pub(super) fn push_keyframe_request(ssrc: Ssrc, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x80 | PICTURE_LOSS, PAYLOAD_FEEDBACK, 0, 2]);
    out.extend_from_slice(&NOBODY.to_be_bytes());
    out.extend_from_slice(&ssrc.0.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::reports::{Feedback, Reception, is_ours, read};
    use super::super::rtcp::{BLOCK_WORDS, packet, sender_report};
    use super::*;

    #[test]
    fn a_limit_has_18_bits_and_an_exponent() {
        let told = |limit_bps| {
            let mut packet = Vec::new();
            push_limit(Ssrc(7), limit_bps, &mut packet);
            assert_eq!((packet.len(), packet.get(..4)), (24, Some(&[0x8f, 206, 0, 5][..])));
            assert_eq!(packet.get(12..16), Some(&b"REMB"[..]));
            let word = number(&packet, 16).expect("a number");
            assert_eq!(word >> 24, 1);
            u64::from(word & 0x3_ffff) << (word >> 18 & 0x3f)
        };
        assert_eq!((told(30_000), told(262_143)), (30_000, 262_143));
        assert_eq!((told(350_001), told(1_000_000_000)), (350_000, 999_997_440));
    }

    #[test]
    fn what_we_tell_is_read_by_the_other_side() {
        let block = |ssrc, lost| ReceptionBlock {
            ssrc: Ssrc(ssrc),
            fraction_lost: 64,
            lost,
            highest: 1000,
            jitter: 77,
            last_report: (0x1234_5678, 0x8000),
        };
        let mut compound = Vec::new();
        push_reception(&[block(9, 3), block(10, -1)], &mut compound);
        push_reference_time(5 << 32, &mut compound);
        push_keyframe_request(Ssrc(10), &mut compound);
        let words = [&[NOBODY][..], &BLOCK_WORDS, &[10, 0x40FF_FFFF], &BLOCK_WORDS[2..]].concat();
        assert!(compound.starts_with(&packet(2, RECEIVER_REPORT, &words)));
        let last_report = Some((0x1234_5678, Duration::from_millis(500)));
        let received = |lost| Feedback::Reception(Reception { lost, highest: 1000, jitter: 77, last_report });
        let told = [(Ssrc(9), received(3)), (Ssrc(10), received(-1)), (Ssrc(10), Feedback::KeyframeWanted)];
        assert_eq!(read(&compound), told);
        assert_eq!(packets(&compound).count(), 3);
    }

    #[test]
    fn clocks_and_answers_are_read() {
        let answer = [7, 0x0500_0006, NOBODY, 0x0005_0000, 0x4000, 99, 1, 2];
        let compound = [sender_report(7, 1), packet(0, EXTENDED_REPORT, &answer)].concat();
        let clock = SenderClock { ntp: 0xAAAA_1234_5678_BBBB, timestamp: 1 };
        assert_eq!(sender_clocks(&compound).collect::<Vec<_>>(), [(Ssrc(7), clock)]);
        assert_eq!(
            reference_answers(&compound).collect::<Vec<_>>(),
            [(0x0005_0000, 0x4000)],
            "that to others is not ours"
        );
        assert!(!is_ours(&compound) && is_ours(&sender_report(7, 1)));
        for end in 0..compound.len() {
            let cut = &compound[..end];
            assert!(sender_clocks(cut).count() <= 1 && reference_answers(cut).count() == 0);
        }
    }
}
