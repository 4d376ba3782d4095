//! Which packets were received, and when, by their transport-wide sequence numbers: reports of clients, and ours
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).

use std::iter::repeat_n;
use std::ops::Range;

use super::rtcp::NOBODY;
use crate::ids::Ssrc;

/// Bytes before the first chunk.
const HEADER: usize = 20;
/// Of the times between arrivals, and of the time that they begin with.
const TICK_US: i64 = 250;
pub(super) const REFERENCE_US: i64 = 64_000;
/// The bit of a chunk that is no run, and of one whose statuses have two bits each.
const IS_VECTOR: u16 = 0x8000;
const HAS_TWO_BITS: u16 = 0x4000;
const RUN_BITS: u16 = 0x1fff;
/// The first bytes of a report (RFC 4585 section 6.1).
const KIND: [u8; 2] = [0x8F, 205];
/// Of how many packets a chunk with one bit each, and with two bits each, tells.
const ONE_BIT: usize = 14;
const TWO_BITS: usize = 7;

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

    fn bits(self) -> u16 {
        match self {
            Self::Missing => 0,
            Self::Small => 1,
            Self::Large => 2,
        }
    }
}

impl TransportFeedback {
    /// A report of the `count` packets from number `first` on, of which these have arrived: how many after the first
    /// one, in order, and when, in microseconds of the clock of the reports.
    pub fn of(first: u16, count: u16, arrived: Vec<(u16, i64)>) -> Self {
        let began = arrived.first().map_or(0, |(_, at)| at.div_euclid(REFERENCE_US));
        let arrived = arrived.into_iter().map(|(offset, at)| (offset, at - began * REFERENCE_US)).collect();
        Self { first, count, reference: began as u32 & 0xff_ffff, arrived }
    }

    /// Append it as an RTCP packet: number `report` of those that tell of this stream and others.
    pub fn write(&self, of: Ssrc, report: u8, out: &mut Vec<u8>) {
        let mut statuses = Vec::with_capacity(usize::from(self.count));
        let (mut ticks, mut deltas) = (0, Vec::with_capacity(2 * self.arrived.len()));
        for (offset, at) in &self.arrived {
            statuses.extend(repeat_n(Status::Missing, usize::from(*offset).saturating_sub(statuses.len())));
            let delta = (at / TICK_US - ticks).clamp(i16::MIN.into(), i16::MAX.into());
            ticks += delta;
            if let Ok(delta) = u8::try_from(delta) {
                statuses.push(Status::Small);
                deltas.push(delta);
            } else {
                statuses.push(Status::Large);
                deltas.extend((delta as i16).to_be_bytes());
            }
        }
        let start = out.len();
        out.extend_from_slice(&KIND);
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&NOBODY.to_be_bytes());
        out.extend_from_slice(&of.0.to_be_bytes());
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&(self.reference << 8 | u32::from(report)).to_be_bytes());
        write_chunks(&statuses, out);
        out.extend_from_slice(&deltas);
        out.resize(start + (out.len() - start).next_multiple_of(4), 0);
        let words = ((out.len() - start) / 4 - 1) as u16;
        if let Some(place) = out.get_mut(start + 2..start + 4) {
            place.copy_from_slice(&words.to_be_bytes());
        }
    }

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

fn write_chunks(mut statuses: &[Status], out: &mut Vec<u8>) {
    while let Some(first) = statuses.first() {
        let run = statuses.iter().take(usize::from(RUN_BITS)).take_while(|status| *status == first).count();
        let has_small_only = statuses.iter().take(ONE_BIT).all(|status| *status != Status::Large);
        let vector = if has_small_only { ONE_BIT } else { TWO_BITS };
        let (chunk, told) = if run >= vector.min(statuses.len()) {
            (first.bits() << 13 | run as u16, run)
        } else {
            let (bits, form) = if has_small_only { (1, IS_VECTOR) } else { (2, IS_VECTOR | HAS_TWO_BITS) };
            let part = statuses.iter().take(vector).enumerate();
            let marks = part.map(|(place, status)| status.bits() << (bits * (vector - 1 - place)));
            (form | marks.fold(0, |chunk, mark| chunk | mark), vector)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        statuses = statuses.get(told..).unwrap_or_default();
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

    /// What we write is read as it was, and so it is by str0m.
    #[test]
    fn reports_are_read_as_they_were_written() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        for _ in 0..3000 {
            let (mut offset, mut at, mut arrived) = (0, random(1 << 30) as i64 * TICK_US, Vec::new());
            let (max_gap, max_change) = ([1, 2, 30, 9000][random(4) as usize], [2, 300, 30_000][random(3) as usize]);
            for _ in 0..random(60) + 1 {
                arrived.push((offset as u16, at));
                offset += 1 + random(max_gap);
                at += (random(max_change) as i64 - max_change as i64 / 4) * TICK_US;
                if offset > 60_000 {
                    break;
                }
            }
            let count = arrived.last().map_or(0, |(last, _)| last + 1);
            let report = TransportFeedback::of(random(65_536) as u16, count, arrived.clone());
            let mut written = Vec::new();
            report.write(Ssrc(7), 9, &mut written);
            let read = TransportFeedback::read(&written).expect("well-formed");
            assert_eq!(read, report);
            assert!(read.arrived.iter().zip(&arrived).all(|((_, read), (_, at))| {
                (read + i64::from(report.reference) * REFERENCE_US - at).rem_euclid(REFERENCE_US << 24) == 0
            }));
            assert_eq!(written[19], 9);
        }
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
