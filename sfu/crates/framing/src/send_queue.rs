//! What waits to be sent on one TCP connection: bounded, and when the client takes it too slowly, video is lost first.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::time::{Duration, Instant};

use crate::frames::frame_header;

/// Video that may wait, and for how long: older video is not worth its place.
const MAX_VIDEO_BYTES: usize = 256 * 1024;
const MAX_VIDEO_AGE: Duration = Duration::from_millis(500);
/// Everything else that may wait: sound, feedback, data, handshakes.
const MAX_OTHER_BYTES: usize = 256 * 1024;
/// Parts handed to the system in one call: header and contents of 32 frames.
const MAX_PARTS: usize = 64;

struct Queued {
    header: [u8; 2],
    contents: Vec<u8>,
    since: Instant,
}

impl Queued {
    fn bytes(&self) -> usize {
        self.header.len() + self.contents.len()
    }
}

#[derive(Default)]
struct Lane {
    frames: VecDeque<Queued>,
    bytes: usize,
}

impl Lane {
    fn push(&mut self, frame: Queued) {
        self.bytes += frame.bytes();
        self.frames.push_back(frame);
    }

    fn pop(&mut self) -> Option<Queued> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes();
        Some(frame)
    }
}

/// Frames to send. What is not video goes first.
#[derive(Default)]
pub struct SendQueue {
    /// A frame that was sent in part, and how many bytes of it.
    current: Option<(Queued, usize)>,
    other: Lane,
    video: Lane,
}

impl SendQueue {
    /// Add a datagram. Returns how many were dropped to make room.
    pub fn push(&mut self, now: Instant, contents: Vec<u8>, is_video: bool) -> u64 {
        let Some(header) = frame_header(contents.len()) else { return 1 };
        let frame = Queued { header, contents, since: now };
        let mut dropped = 0;
        if is_video {
            self.video.push(frame);
        } else {
            self.other.push(frame);
        }
        let is_late = |lane: &Lane| lane.frames.front().is_some_and(|first| first.since + MAX_VIDEO_AGE < now);
        while self.video.bytes > MAX_VIDEO_BYTES || is_late(&self.video) {
            dropped += u64::from(self.video.pop().is_some());
        }
        while self.other.bytes > MAX_OTHER_BYTES {
            dropped += u64::from(self.other.pop().is_some());
        }
        dropped
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.other.frames.is_empty() && self.video.frames.is_empty()
    }

    /// Send as much as the system takes. False if something is left.
    pub fn flush(&mut self, stream: &mut impl Write) -> io::Result<bool> {
        while !self.is_empty() {
            let parts = self.parts();
            match stream.write_vectored(&parts) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.sent(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn parts(&self) -> Vec<IoSlice<'_>> {
        let (first, done) = self.current.as_ref().map_or((None, 0), |(frame, done)| (Some(frame), *done));
        let frames = first.into_iter().chain(&self.other.frames).chain(&self.video.frames);
        let parts = frames.flat_map(|frame| [&frame.header[..], &frame.contents]);
        let mut skipped = done;
        let left = parts.take(MAX_PARTS).map(|part| {
            let skip = skipped.min(part.len());
            skipped -= skip;
            IoSlice::new(part.get(skip..).unwrap_or_default())
        });
        left.filter(|part| !part.is_empty()).collect()
    }

    fn sent(&mut self, mut count: usize) {
        while count > 0 {
            let next = || self.other.pop().or_else(|| self.video.pop()).map(|frame| (frame, 0));
            let Some((frame, done)) = self.current.take().or_else(next) else { return };
            let left = frame.bytes() - done;
            if count < left {
                self.current = Some((frame, done + count));
                return;
            }
            count -= left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::FrameReader;

    /// A connection that takes so many bytes in all.
    struct Pipe {
        room: usize,
        at_once: usize,
        taken: Vec<u8>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room).min(self.at_once);
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.taken.extend(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frames(pipe: &Pipe) -> Vec<Vec<u8>> {
        let (mut reader, mut bytes, mut frames) = (FrameReader::default(), &pipe.taken[..], Vec::new());
        while reader.read(&mut bytes).expect("a slice can be read") > 0 {
            while let Some(frame) = reader.take().expect("frames") {
                frames.push(frame.to_vec());
            }
        }
        frames
    }

    #[test]
    fn what_is_sent_in_pieces_arrives_whole_and_sound_overtakes_video() {
        let (mut queue, now) = (SendQueue::default(), Instant::now());
        let mut pipe = Pipe { room: 0, at_once: 7, taken: Vec::new() };
        for number in 0..50 {
            queue.push(now, vec![number; 100], true);
        }
        pipe.room = 150;
        assert!(!queue.flush(&mut pipe).expect("open"));
        queue.push(now, vec![200; 30], false);
        pipe.room = usize::MAX;
        assert!(queue.flush(&mut pipe).expect("open") && queue.is_empty());
        let order: Vec<u8> = frames(&pipe).iter().map(|frame| frame[0]).collect();
        let expected: Vec<u8> = [0, 1, 200].into_iter().chain(2..50).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn a_client_that_takes_nothing_loses_old_video_and_costs_little_memory() {
        let (mut queue, start) = (SendQueue::default(), Instant::now());
        let (mut dropped_video, mut dropped_sound) = (0, 0);
        for number in 0..3000u32 {
            let now = start + Duration::from_millis(1) * number;
            dropped_video += queue.push(now, vec![number as u8; 1100], true);
            if number % 20 == 0 {
                dropped_sound += queue.push(now, vec![number as u8; 80], false);
            }
        }
        assert_eq!(dropped_sound, 0);
        let kept = 3000 - dropped_video as usize;
        assert!(kept * 1102 <= MAX_VIDEO_BYTES && kept > 200, "{kept}");
        // and it is the newest that is kept
        let mut pipe = Pipe { room: usize::MAX, at_once: usize::MAX, taken: Vec::new() };
        assert!(queue.flush(&mut pipe).expect("open"));
        assert_eq!(frames(&pipe).last(), Some(&vec![2999u32 as u8; 1100]));
        assert_eq!(frames(&pipe).iter().filter(|frame| frame.len() == 80).count(), 150);
        // sound is bounded too
        let dropped: u64 = (0..10_000).map(|_| queue.push(start, vec![0; 80], false)).sum();
        assert!(dropped > 6000 && queue.other.bytes <= MAX_OTHER_BYTES);
    }

    #[test]
    fn video_that_has_waited_too_long_is_dropped() {
        let (mut queue, start) = (SendQueue::default(), Instant::now());
        queue.push(start, vec![1; 100], true);
        assert_eq!(queue.push(start + MAX_VIDEO_AGE * 2, vec![2; 100], false), 1);
    }
}
