//! Encoded frames as they are handed to a decoder.

use std::sync::Arc;
use std::time::Instant;

use str0m::format::Codec;
use str0m::media::MediaData;
use str0m::rtp::VideoOrientation;

/// One encoded video frame, or one packet of audio.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The mid of the section that carried it.
    pub mid: String,
    /// `opus`, `vp8`, `vp9`, `h264`, `av1` or `unknown`.
    pub codec: &'static str,
    /// The sender's media clock in units of 1 / `clock_hz` s, extended beyond 32 bits.
    pub rtp_time: u64,
    /// Rate of the media clock in Hz.
    pub clock_hz: u32,
    /// When its first packet arrived.
    pub arrived: Instant,
    /// Whether it is a key frame (always true for audio).
    pub is_key: bool,
    /// How often a video frame is to be turned clockwise by 90 degrees for display, 0 to 3.
    pub quarter_turns: u8,
    /// Whether it broke a limit (of size, or of how many there are). It has no data then, and nothing of its section
    /// follows for some seconds.
    pub is_refused: bool,
    /// The encoded frame, without RTP.
    pub data: Arc<[u8]>,
}

impl Frame {
    pub(crate) fn of(media: MediaData) -> Self {
        let is_key = media.is_keyframe();
        Self {
            mid: media.mid.to_string(),
            codec: name_of(media.params.spec().codec),
            rtp_time: media.time.numer(),
            clock_hz: media.time.denom(),
            arrived: media.network_time,
            is_key,
            quarter_turns: media.ext_vals.video_orientation.map_or(0, turns_of),
            is_refused: false,
            data: media.data,
        }
    }

    pub(crate) fn refused(media: MediaData) -> Self {
        Self { is_refused: true, data: Arc::from([]), ..Self::of(media) }
    }

    /// Whether it is sound.
    pub fn is_audio(&self) -> bool {
        self.codec == name_of(Codec::Opus)
    }
}

fn name_of(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "opus",
        Codec::Vp8 => "vp8",
        Codec::Vp9 => "vp9",
        Codec::H264 => "h264",
        Codec::Av1 => "av1",
        _ => "unknown",
    }
}

/// The value of the header extension (RFC 7742 section 5, 3GPP TS 26.114 section 7.4.5) is the number of clockwise
/// quarter turns that put the image upright.
fn turns_of(orientation: VideoOrientation) -> u8 {
    orientation as u8
}
