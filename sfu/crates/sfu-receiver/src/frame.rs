use std::sync::Arc;
use std::time::Instant;

use str0m::format::Codec;
use str0m::media::MediaData;
use str0m::rtp::VideoOrientation;

/// One encoded frame of a picture, or one packet of sound.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The section that carried it.
    pub mid: String,
    pub codec: &'static str,
    /// The sender's media clock, extended beyond 32 bits, and its rate.
    pub rtp_time: u64,
    pub clock_hz: u32,
    /// When its first packet came.
    pub arrived: Instant,
    pub is_key: bool,
    /// How often a picture is to be turned clockwise by 90 degrees before it is shown.
    pub quarter_turns: u8,
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
            data: media.data,
        }
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

/// The extension says how the camera was turned (RFC 7742 section 5, 3GPP TS 26.114): its number is the clockwise
/// quarter turns that put the picture upright.
fn turns_of(orientation: VideoOrientation) -> u8 {
    orientation as u8
}
