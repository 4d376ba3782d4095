//! What a publisher sends: real encoded media from files, or packets that only look like it.

use std::io;
use std::time::Duration;

const SYNTHETIC_PICTURE_EVERY: Duration = Duration::from_micros(33_333);
const SYNTHETIC_PARTS: usize = 6;
const SYNTHETIC_KEY_EVERY: u64 = 90;
const PART_BYTES: usize = 1100;
const SYNTHETIC_SOUND_BYTES: usize = 100;

/// VP8 pictures and 20 ms Opus packets, played in a loop. The first picture is a key frame.
pub struct Clip {
    pub picture_every: Duration,
    pictures: Vec<Vec<u8>>,
    sounds: Vec<Vec<u8>>,
    at: usize,
}

impl Clip {
    /// Nothing to decode: 30 pictures a second of six packets each, like 720p at 1.6 Mbit/s.
    pub fn synthetic() -> Self {
        Self { picture_every: SYNTHETIC_PICTURE_EVERY, pictures: vec![], sounds: vec![], at: 0 }
    }

    /// Read `<path>.vp8` and `<path>.opus`: one after another a length (four bytes, little endian) and so many bytes.
    pub fn read(path: &str, pictures_per_second: u32) -> io::Result<Self> {
        let pictures = frames(&std::fs::read(format!("{path}.vp8"))?);
        let sounds = frames(&std::fs::read(format!("{path}.opus"))?);
        if pictures.is_empty() || sounds.is_empty() || pictures_per_second == 0 {
            return Err(io::Error::other(format!("{path}: it holds no media")));
        }
        Ok(Self { picture_every: Duration::from_secs(1) / pictures_per_second, pictures, sounds, at: 0 })
    }

    pub fn sound(&self, number: u64) -> Vec<u8> {
        let real = (number as usize).checked_rem(self.sounds.len()).and_then(|at| self.sounds.get(at));
        real.cloned().unwrap_or_else(|| vec![0xFC; SYNTHETIC_SOUND_BYTES])
    }

    /// The RTP payloads of the next picture; where a key frame is asked for, the clip begins anew.
    pub fn picture(&mut self, number: u64, key_frame: bool) -> Vec<Vec<u8>> {
        if self.pictures.is_empty() {
            return parts(number, &synthetic_picture(key_frame || number.is_multiple_of(SYNTHETIC_KEY_EVERY)));
        }
        if key_frame || self.at >= self.pictures.len() {
            self.at = 0;
        }
        let picture = self.pictures.get(self.at).map_or(&[][..], Vec::as_slice);
        self.at += 1;
        parts(number, picture)
    }
}

/// Split a frame into VP8 payloads (RFC 7741): each with a descriptor that holds a 15-bit picture id.
fn parts(number: u64, frame: &[u8]) -> Vec<Vec<u8>> {
    let id = (number & 0x7FFF) as u16;
    let part = |(index, bytes): (usize, &[u8])| {
        let descriptor = [if index == 0 { 0x90 } else { 0x80 }, 0x80, 0x80 | (id >> 8) as u8, id as u8];
        [&descriptor[..], bytes].concat()
    };
    frame.chunks(PART_BYTES).enumerate().map(part).collect()
}

/// A frame that is only its header, of a 1280×720 picture.
fn synthetic_picture(key_frame: bool) -> Vec<u8> {
    let mut frame = vec![if key_frame { 0x10 } else { 0x11 }, 0, 0];
    if key_frame {
        frame.extend([0x9D, 0x01, 0x2A, 0x00, 0x05, 0xD0, 0x02]);
    }
    frame.resize(SYNTHETIC_PARTS * PART_BYTES, 0);
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
