//! Which packets a client has received, and when, by their transport-wide sequence numbers
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

use std::ops::Range;

/// Bytes before the first chunk.
const HEADER: usize = 20;
/// Of the times between arrivals, and of the time that they begin with.
const TICK_US: i64 = 250;
pub(super) const REFERENCE_US: i64 = 64_000;
/// The bit of a chunk that is no run, and of one whose statuses have two bits each.
const IS_VECTOR: u16 = 0x8000;
const HAS_TWO_BITS: u16 = 0x4000;
const RUN_BITS: u16 = 0x1fff;

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TransportFeedback {
    /// The number of the first packet that it tells of.
    pub first: u16,
    /// Of how many packets it tells.
    pub count: u16,
    /// When the client began to count the times below: 24 bits, in units of 64 ms of its clock.
    pub reference: u32,
    /// The packets that have arrived: how many after the first one, and when, in microseconds after the reference.
    pub arrived: Vec<(u16, i64)>,
}

/// What a packet's status says of the size of its time; the other ones are not used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Missing,
    Small,
    Large,
}

impl Status {
    fn of(bits: u16) -> Self {
        match bits & 3 {
            1 => Self::Small,
            2 => Self::Large,
            _ => Self::Missing,
        }
    }
}

impl TransportFeedback {
    /// A whole RTCP packet; None if it is cut. Runs of missing packets cost nothing, however long.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let (header, mut chunks) = packet.split_at_checked(HEADER)?;
        let number = |at: usize| Some(u16::from_be_bytes(header.get(at..at + 2)?.try_into().ok()?));
        let (first, count) = (number(12)?, number(14)?);
        let reference = u32::from_be_bytes(header.get(16..20)?.try_into().ok()?) >> 8;
        let mut marked = Vec::new();
        let mut told = 0;
        while told < count {
            let (chunk, rest) = chunks.split_first_chunk()?;
            told = told.saturating_add(mark(u16::from_be_bytes(*chunk), told..count, &mut marked));
            chunks = rest;
            // each packet that has arrived takes a byte at least
            if marked.len() > packet.len() {
                return None;
            }
        }
        let mut arrived = Vec::with_capacity(marked.len().min(chunks.len()));
        let mut time_us = 0;
        for (offset, status) in marked {
            let (ticks, rest) = match status {
                Status::Small => chunks.split_first().map(|(byte, rest)| (i64::from(*byte), rest))?,
                _ => chunks.split_first_chunk().map(|(bytes, rest)| (i64::from(i16::from_be_bytes(*bytes)), rest))?,
            };
            chunks = rest;
            time_us += ticks * TICK_US;
            arrived.push((offset, time_us));
        }
        Some(Self { first, count, reference, arrived })
    }
}

/// Add those of the packets `left` that have arrived, as a chunk tells. Returns of how many it tells.
fn mark(chunk: u16, left: Range<u16>, marked: &mut Vec<(u16, Status)>) -> u16 {
    if chunk & IS_VECTOR == 0 {
        let (status, count) = (Status::of(chunk >> 13), chunk & RUN_BITS);
        if status != Status::Missing {
            marked.extend(left.take(usize::from(count)).map(|offset| (offset, status)));
        }
        return count;
    }
    let (bits, count) = if chunk & HAS_TWO_BITS == 0 { (1, 14) } else { (2, 7) };
    let statuses = (0..count).rev().map(|place| Status::of(chunk >> (bits * place) & ((1 << bits) - 1)));
    marked.extend(left.zip(statuses).filter(|(_, status)| *status != Status::Missing));
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u16, count: u16, rest: &[u8]) -> Vec<u8> {
        let words = (HEADER + rest.len()).div_ceil(4) - 1;
        let mut packet = vec![0x8F, 205, 0, words as u8, 0, 0, 0, 1, 0, 0, 0, 2];
        packet.extend([first, count].into_iter().flat_map(u16::to_be_bytes));
        packet.extend([0, 0, 5, 9]);
        packet.extend(rest);
        packet
    }

    fn read(first: u16, count: u16, rest: &[u8]) -> Option<Vec<(u16, i64)>> {
        TransportFeedback::read(&packet(first, count, rest)).map(|feedback| feedback.arrived)
    }

    #[test]
    fn runs_and_vectors_of_both_forms() {
        let feedback = TransportFeedback::read(&packet(65_535, 3, &[0x20, 3, 4, 8, 0])).expect("whole");
        assert_eq!((feedback.first, feedback.count, feedback.reference), (65_535, 3, 5));
        assert_eq!(feedback.arrived, [(0, 1000), (1, 3000), (2, 3000)], "a run of small times");
        // one bit each: 10100000000000
        assert_eq!(read(1, 14, &[0b1010_1000, 0, 4, 8]), Some(vec![(0, 1000), (2, 3000)]));
        // two bits each: large, missing, small …; the large one is negative
        assert_eq!(read(1, 3, &[0b1110_0001, 0, 0xFF, 0xFC, 8]), Some(vec![(0, -1000), (2, 1000)]));
        // 8,000 missing, then a run of one
        assert_eq!(read(1, 8001, &[0x1F, 0x40, 0x20, 1, 4]), Some(vec![(8000, 1000)]));
    }

    #[test]
    fn what_is_cut_is_none() {
        let whole = packet(1, 9, &[0x20, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(TransportFeedback::read(&whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(TransportFeedback::read(&whole[..end]), None, "{end}");
        }
        // many runs of packets that have arrived, without times
        assert_eq!(read(1, 65_535, &[0x3F; 40]), None);
        // chunks that tell of nothing
        assert_eq!(read(1, 1, &[0x20, 0].repeat(500)), None);
    }
    #[test]
    fn any_bytes_are_read_within_bounds() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        for _ in 0..50_000 {
            let bytes: Vec<u8> = (0..usize::from(random()) % 80).map(|_| random()).collect();
            if let Some(feedback) = TransportFeedback::read(&bytes) {
                assert!(feedback.arrived.len() <= bytes.len());
                assert!(feedback.arrived.iter().all(|(offset, _)| *offset < feedback.count));
            }
        }
    }
}
