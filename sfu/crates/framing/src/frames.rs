//! Datagrams in a TCP connection, each behind its length (RFC 4571).

use std::io::{self, Read};

/// Longer ones are not media: the connection that carries one is closed.
const MAX_FRAME_BYTES: usize = 2048;
const LENGTH_BYTES: usize = 2;
/// What is read in one call.
const READ_BYTES: usize = 8 * 1024;

/// Cuts what a connection brings into frames.
#[derive(Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
    /// Bytes of it that are done with.
    position: usize,
}

/// The connection does not carry frames.
#[derive(Debug, PartialEq, Eq)]
pub struct NotFramed;

impl FrameReader {
    /// Read once. 0: the client has closed its end.
    pub fn read(&mut self, stream: &mut impl Read) -> io::Result<usize> {
        let mut bytes = [0; READ_BYTES];
        let count = stream.read(&mut bytes)?;
        self.buffer.drain(..self.position);
        self.position = 0;
        self.buffer.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// The first frame, None until all of it was read.
    pub fn peek(&self) -> Result<Option<&[u8]>, NotFramed> {
        let waiting = self.buffer.get(self.position..).unwrap_or_default();
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        match usize::from(u16::from_be_bytes(*length)) {
            length if length > MAX_FRAME_BYTES => Err(NotFramed),
            length => Ok(rest.get(..length)),
        }
    }

    /// The first frame; the one behind it is the first then.
    pub fn take(&mut self) -> Result<Option<&[u8]>, NotFramed> {
        let length = self.peek()?.map(<[u8]>::len);
        let Some(length) = length else { return Ok(None) };
        let start = self.position + LENGTH_BYTES;
        self.position = start + length;
        Ok(self.buffer.get(start..start + length))
    }
}

/// What precedes a frame of this length. None for one that is too long.
pub fn frame_header(length: usize) -> Option<[u8; LENGTH_BYTES]> {
    u16::try_from(length).ok().map(u16::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All frames of these bytes when they come in portions of this size, and whether the connection goes on.
    fn frames(bytes: &[u8], portion: usize) -> (Vec<Vec<u8>>, bool) {
        let (mut reader, mut frames) = (FrameReader::default(), Vec::new());
        for mut portion in bytes.chunks(portion) {
            reader.read(&mut portion).expect("a slice can be read");
            loop {
                match reader.take() {
                    Ok(Some(frame)) => frames.push(frame.to_vec()),
                    Ok(None) => break,
                    Err(NotFramed) => return (frames, false),
                }
            }
            assert!(reader.buffer.len() - reader.position < LENGTH_BYTES + MAX_FRAME_BYTES);
        }
        (frames, true)
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let sent: Vec<Vec<u8>> =
            [1, 0, 1200, MAX_FRAME_BYTES, 3].iter().zip(1..).map(|(size, fill)| vec![fill; *size]).collect();
        let mut bytes = Vec::new();
        for frame in &sent {
            bytes.extend(frame_header(frame.len()).expect("short"));
            bytes.extend(frame);
        }
        for portion in [1, 2, 3, 7, 100, 1203, READ_BYTES] {
            assert_eq!(frames(&bytes, portion), (sent.clone(), true));
        }
    }

    #[test]
    fn whatever_comes_costs_no_more_than_one_frame() {
        let mut state = 12345u32;
        let mut random = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let mut closed = 0;
        for _ in 0..2000 {
            let bytes: Vec<u8> =
                (0..random(6000)).map(|at| if at % 2 == 0 { random(9) } else { random(256) } as u8).collect();
            closed += usize::from(!frames(&bytes, 1 + random(3000) as usize).1);
        }
        assert!((1..2000).contains(&closed), "{closed}");
    }
}
