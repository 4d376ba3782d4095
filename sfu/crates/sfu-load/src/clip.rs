//! What a publisher sends: encoded media from files, or synthetic packets of the same shape.

use std::io;
use std::time::Duration;

const SYNTHETIC_FRAME_INTERVAL: Duration = Duration::from_micros(33_333);
const SYNTHETIC_PACKETS: usize = 6;
const SYNTHETIC_KEYFRAME_INTERVAL: u64 = 90;
const PACKET_BYTES: usize = 1100;
const SYNTHETIC_AUDIO_BYTES: usize = 100;

/// VP8 frames and 20 ms Opus packets, played in a loop. The first frame is a key frame.
pub struct Clip {
    pub frame_interval: Duration,
    video: Vec<Vec<u8>>,
    audio: Vec<Vec<u8>>,
    at: usize,
}

impl Clip {
    /// Nothing to decode: 30 frames a second of six packets each, like 720p at 1.6 Mbit/s.
    pub fn synthetic() -> Self {
        Self { frame_interval: SYNTHETIC_FRAME_INTERVAL, video: vec![], audio: vec![], at: 0 }
    }

    /// Read `<path>.vp8` and `<path>.opus`: one after another a length (four bytes, little endian) and so many bytes.
    pub fn read(path: &str, frames_per_second: u32) -> io::Result<Self> {
        let video = frames(&std::fs::read(format!("{path}.vp8"))?);
        let audio = frames(&std::fs::read(format!("{path}.opus"))?);
        if video.is_empty() || audio.is_empty() || frames_per_second == 0 {
            return Err(io::Error::other(format!("{path}: no media in it")));
        }
        Ok(Self { frame_interval: Duration::from_secs(1) / frames_per_second, video, audio, at: 0 })
    }

    pub fn is_synthetic(&self) -> bool {
        self.video.is_empty()
    }

    /// The next Opus packet.
    pub fn audio(&self, number: u64) -> Vec<u8> {
        let real = (number as usize).checked_rem(self.audio.len()).and_then(|at| self.audio.get(at));
        real.cloned().unwrap_or_else(|| vec![0xFC; SYNTHETIC_AUDIO_BYTES])
    }

    /// The RTP payloads of the next frame. A key frame request restarts the clip.
    pub fn frame(&mut self, number: u64, key_frame: bool) -> Vec<Vec<u8>> {
        if self.video.is_empty() {
            return parts(number, &synthetic_frame(key_frame || number.is_multiple_of(SYNTHETIC_KEYFRAME_INTERVAL)));
        }
        if key_frame || self.at >= self.video.len() {
            self.at = 0;
        }
        let frame = self.video.get(self.at).map_or(&[][..], Vec::as_slice);
        self.at += 1;
        parts(number, frame)
    }
}

/// Split a frame into VP8 payloads (RFC 7741): each with a descriptor that holds a 15-bit picture id. As browsers do:
/// about as long as each other, those that are a byte longer last.
fn parts(number: u64, frame: &[u8]) -> Vec<Vec<u8>> {
    let id = (number & 0x7FFF) as u16;
    let part = |(index, bytes): (usize, &[u8])| {
        let descriptor = [if index == 0 { 0x90 } else { 0x80 }, 0x80, 0x80 | (id >> 8) as u8, id as u8];
        [&descriptor[..], bytes].concat()
    };
    let count = frame.len().div_ceil(PACKET_BYTES).max(1);
    let (bytes, longer) = (frame.len() / count, frame.len() % count);
    let (equal, rest) = frame.split_at((count - longer) * bytes);
    equal.chunks(bytes.max(1)).chain(rest.chunks(bytes + 1)).enumerate().map(part).collect()
}

/// A 1280×720 frame of which only the header is valid.
fn synthetic_frame(key_frame: bool) -> Vec<u8> {
    let mut frame = vec![if key_frame { 0x10 } else { 0x11 }, 0, 0];
    if key_frame {
        frame.extend([0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02]);
    }
    frame.resize(SYNTHETIC_PACKETS * PACKET_BYTES, 0);
    frame
}

fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![];
    while let Some((length, rest)) = bytes.split_first_chunk::<4>() {
        let Some((frame, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        found.push(frame.to_vec());
        bytes = rest;
    }
    found
}
