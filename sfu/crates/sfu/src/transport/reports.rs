//! RTCP of what we send: str0m's sender reports get the numbers of it, and of the client's feedback is read what concerns
//! it (RFC 3550 section 6, RFC 4585 section 6, RFC 5104 section 4.3.1).

use std::time::Duration;

use super::rtcp::{
    APPLICATION, BLOCK, DELAY_SINCE_REFERENCE, EXTENDED_REPORT, FULL_INTRA, HEADER, NACK, NOBODY, PAYLOAD_FEEDBACK,
    PICTURE_LOSS, RECEIVER_REPORT, SENDER_INFO, SENDER_REPORT, SOURCE_DESCRIPTION, TRANSPORT_FEEDBACK, TRANSPORT_WIDE,
    number, packets,
};
use super::transport_feedback::TransportFeedback;
use crate::ids::Ssrc;

/// Feedback that asks str0m where it would send; it is never sent.
pub(super) const PROBE: &[u8; 8] = b"pathfind";

/// What a sender report tells of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SenderInfo {
    /// The RTP timestamp of the instant of the report.
    pub timestamp: u32,
    pub packets: u32,
    /// Payload without headers and padding.
    pub bytes: u32,
}

/// What a client tells of a stream that it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reception {
    /// How many packets it has lost since it began (24 bits): exact also where a report was lost before this one. Less
    /// than 0 where it has received some twice.
    pub lost: i32,
    /// The highest sequence number that it has, extended beyond 16 bits.
    pub highest: u32,
    pub jitter: u32,
    /// The middle 32 bits of the NTP time of our last report that it has, and how long ago that came.
    pub last_report: Option<(u32, Duration)>,
}

/// A client's feedback on a stream of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Feedback {
    Reception(Reception),
    /// These packets are missing, by the low 16 bits of their numbers.
    Missing(Vec<u16>),
    KeyframeWanted,
}

/// Put into str0m's reports what `sent` tells of a stream, with the NTP time (its middle 32 bits) of each. Reports of
/// streams on which nothing was sent are left out. Empty if nothing is left to send.
pub(super) fn complete(compound: &[u8], mut sent: impl FnMut(Ssrc, u32) -> Option<SenderInfo>) -> Vec<u8> {
    let (mut out, mut has_content) = (Vec::with_capacity(compound.len() + 32), false);
    for (count, kind, packet) in packets(compound) {
        let is_content = match kind {
            SENDER_REPORT => complete_report(packet, &mut sent, &mut out).unwrap_or(false),
            PAYLOAD_FEEDBACK if count == APPLICATION && packet.ends_with(PROBE) => false,
            // str0m receives no media
            RECEIVER_REPORT => false,
            EXTENDED_REPORT if packet.get(HEADER) != Some(&DELAY_SINCE_REFERENCE) => false,
            _ => {
                out.extend_from_slice(packet);
                kind != SOURCE_DESCRIPTION
            }
        };
        has_content |= is_content;
    }
    if has_content { out } else { Vec::new() }
}

/// Whether something of it is left.
fn complete_report(
    packet: &[u8],
    sent: &mut impl FnMut(Ssrc, u32) -> Option<SenderInfo>,
    out: &mut Vec<u8>,
) -> Option<bool> {
    let (head, rest) = packet.split_at_checked(HEADER)?;
    let (info, blocks) = rest.split_at_checked(SENDER_INFO)?;
    let time = number(info, 2)?;
    let ssrc = Ssrc(number(head, 4)?);
    match sent(ssrc, time) {
        Some(SenderInfo { timestamp, packets, bytes }) => {
            out.extend_from_slice(head);
            out.extend_from_slice(info.get(..8)?);
            for value in [timestamp, packets, bytes] {
                out.extend_from_slice(&value.to_be_bytes());
            }
            out.extend_from_slice(blocks);
        }
        None => return Some(false),
    }
    Some(true)
}

/// What a client's compound tells of the streams that it receives.
pub(super) fn read(compound: &[u8]) -> Vec<(Ssrc, Feedback)> {
    let mut found = Vec::new();
    for (count, kind, packet) in packets(compound) {
        match (kind, count) {
            (SENDER_REPORT, _) => read_blocks(packet.get(HEADER + SENDER_INFO..), count, &mut found),
            (RECEIVER_REPORT, _) => read_blocks(packet.get(HEADER..), count, &mut found),
            (TRANSPORT_FEEDBACK, NACK) => {
                if let Some(ssrc) = number(packet, 8) {
                    found.push((Ssrc(ssrc), Feedback::Missing(missing(packet.get(12..).unwrap_or_default()))));
                }
            }
            (PAYLOAD_FEEDBACK, PICTURE_LOSS) => {
                found.extend(number(packet, 8).map(|ssrc| (Ssrc(ssrc), Feedback::KeyframeWanted)));
            }
            (PAYLOAD_FEEDBACK, FULL_INTRA) => {
                let entries = packet.get(12..).unwrap_or_default().chunks_exact(8);
                let ssrcs = entries.filter_map(|entry| number(entry, 0));
                found.extend(ssrcs.map(|ssrc| (Ssrc(ssrc), Feedback::KeyframeWanted)));
            }
            _ => {}
        }
    }
    found
}

/// What a client's compound tells of all that was sent to it together.
pub(super) fn transport_feedback(compound: &[u8]) -> impl Iterator<Item = TransportFeedback> {
    let reports =
        packets(compound).filter(|(format, kind, _)| (*kind, *format) == (TRANSPORT_FEEDBACK, TRANSPORT_WIDE));
    reports.filter_map(|(_, _, packet)| TransportFeedback::read(packet))
}

/// Whether a compound has nothing that str0m is to answer or to tell.
pub(super) fn is_ours(compound: &[u8]) -> bool {
    packets(compound).all(|(format, kind, _)| match kind {
        SENDER_REPORT | RECEIVER_REPORT | SOURCE_DESCRIPTION => true,
        TRANSPORT_FEEDBACK => matches!(format, NACK | TRANSPORT_WIDE),
        _ => false,
    })
}

/// Append a request for packets of a stream (RFC 4585 section 6.2.1), if there are any. `numbers`: in order.
pub(super) fn push_nack(ssrc: Ssrc, numbers: &[u16], out: &mut Vec<u8>) {
    let mut entries: Vec<(u16, u16)> = Vec::new();
    for number in numbers {
        let behind = entries.last().map(|(first, _)| number.wrapping_sub(*first)).filter(|behind| *behind <= 16);
        match (entries.last_mut(), behind) {
            (Some((_, mask)), Some(behind @ 1..)) => *mask |= 1 << (behind - 1),
            (Some(_), Some(_)) => {}
            _ => entries.push((*number, 0)),
        }
    }
    if entries.is_empty() {
        return;
    }
    let [high, low] = (2 + entries.len() as u16).to_be_bytes();
    out.extend_from_slice(&[0x80 | NACK, TRANSPORT_FEEDBACK, high, low]);
    out.extend_from_slice(&NOBODY.to_be_bytes());
    out.extend_from_slice(&ssrc.0.to_be_bytes());
    for (first, mask) in entries {
        out.extend_from_slice(&first.to_be_bytes());
        out.extend_from_slice(&mask.to_be_bytes());
    }
}

fn read_blocks(blocks: Option<&[u8]>, count: u8, found: &mut Vec<(Ssrc, Feedback)>) {
    for block in blocks.unwrap_or_default().chunks_exact(BLOCK).take(usize::from(count)) {
        let part = |at| number(block, at);
        let (Some(ssrc), Some(loss), Some(highest), Some(jitter)) = (part(0), part(4), part(8), part(12)) else {
            continue;
        };
        let (time, delay) = (number(block, 16).filter(|time| *time != 0), number(block, 20));
        let delay = delay.map(|delay| Duration::from_micros((u64::from(delay) * 1_000_000) >> 16));
        let reception =
            Reception { lost: (loss << 8).cast_signed() >> 8, highest, jitter, last_report: time.zip(delay) };
        found.push((Ssrc(ssrc), Feedback::Reception(reception)));
    }
}

/// RFC 4585 section 6.2.1: a number, and a mask of the sixteen after it.
fn missing(entries: &[u8]) -> Vec<u16> {
    let mut numbers = Vec::new();
    for entry in entries.chunks_exact(4) {
        let [a, b, c, d] = *entry else { continue };
        let (first, mask) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        numbers.push(first);
        numbers.extend((0..16).filter(|bit| mask >> bit & 1 == 1).map(|bit| first.wrapping_add(bit + 1)));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::super::rtcp::{BLOCK_WORDS, packet, sender_report};
    use super::*;

    #[test]
    fn sender_reports_tell_what_was_sent_and_say_nothing_of_silent_streams() {
        let description = packet(1, SOURCE_DESCRIPTION, &[7, 0x0102_6100]);
        let compound = [sender_report(7, 1), sender_report(8, 0), description.clone()].concat();
        let info = SenderInfo { timestamp: 90_000, packets: 10, bytes: 2000 };
        let sent = complete(&compound, |ssrc, ntp| (ssrc == Ssrc(7) && ntp == 0x1234_5678).then_some(info));
        let words = [7, 0xAAAA_1234, 0x5678_BBBB, 90_000, 10, 2000];
        let words: Vec<u32> = words.into_iter().chain(BLOCK_WORDS).collect();
        assert_eq!(sent, [packet(1, SENDER_REPORT, &words), description.clone()].concat());
        assert!(complete(&[sender_report(8, 1), description].concat(), |_, _| None).is_empty());
    }

    #[test]
    fn a_probe_is_not_sent() {
        let probe: Vec<u32> = PROBE.chunks(4).map(|it| u32::from_be_bytes(it.try_into().expect("4"))).collect();
        let probe = packet(APPLICATION, PAYLOAD_FEEDBACK, &[&[1, 1][..], &probe].concat());
        assert!(complete(&[packet(0, RECEIVER_REPORT, &[1]), probe.clone()].concat(), |_, _| None).is_empty());
        let request = packet(PICTURE_LOSS, PAYLOAD_FEEDBACK, &[1, 2]);
        assert_eq!(complete(&[probe, request.clone()].concat(), |_, _| None), request);
    }

    #[test]
    fn feedback_is_read_whatever_it_comes_with() {
        let compound = [
            packet(1, RECEIVER_REPORT, &[&[1][..], &BLOCK_WORDS].concat()),
            packet(NACK, TRANSPORT_FEEDBACK, &[1, 9, 0xFFFE_0005, 0x0010_0000]),
            packet(PICTURE_LOSS, PAYLOAD_FEEDBACK, &[1, 9]),
            packet(FULL_INTRA, PAYLOAD_FEEDBACK, &[1, 0, 10, 0x0100_0000]),
        ]
        .concat();
        let delay = Duration::from_millis(500);
        let reception = Reception { lost: 3, highest: 1000, jitter: 77, last_report: Some((0x1234_5678, delay)) };
        let whole = [
            (Ssrc(9), Feedback::Reception(reception)),
            (Ssrc(9), Feedback::Missing(vec![0xFFFE, 0xFFFF, 1, 16])),
            (Ssrc(9), Feedback::KeyframeWanted),
            (Ssrc(10), Feedback::KeyframeWanted),
        ];
        assert_eq!(read(&compound), whole);
        for end in 0..compound.len() {
            assert!(whole.starts_with(&read(&compound[..end])), "cut after {end} bytes");
        }
    }
}
