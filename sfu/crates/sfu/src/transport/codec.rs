//! Codecs with their parameters.

use str0m::format::{Codec, CodecConfig, CodecSpec, PayloadParams, detect_h264_keyframe};
use str0m::media::Pt;

use super::vp8::Vp8Descriptor;

/// The payload type of an outgoing packet, as negotiated with its receiver (RFC 3551 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadType(pub u8);

/// A codec and the parameters that a decoder has to support: clock rate, channels, H.264 profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodecFormat(CodecSpec);

impl CodecFormat {
    /// What a peer has negotiated for `payload_type`.
    pub(super) fn find(config: &CodecConfig, payload_type: Pt) -> Option<Self> {
        config.find(|params| params.pt() == payload_type).map(|params| Self(params.spec()))
    }

    /// The payload type under which a peer can receive this codec.
    pub(super) fn payload_type_in(self, config: &CodecConfig) -> Option<PayloadType> {
        // the payload type is the publisher's and plays no part in matching
        let wanted = PayloadParams::new(Pt::new_with_value(0), None, self.0);
        config.match_params(wanted).map(|params| PayloadType(*params.pt()))
    }

    /// The RTP clock rate in Hz.
    pub fn clock_rate_hz(self) -> u32 {
        self.0.clock_rate.get()
    }

    /// The codec as LiveKit writes it, None for one that is not forwarded.
    pub fn mime_type(self) -> Option<&'static str> {
        match self.0.codec {
            Codec::Opus => Some("audio/opus"),
            Codec::Vp8 => Some("video/VP8"),
            Codec::H264 => Some("video/H264"),
            _ => None,
        }
    }

    /// The descriptor of a VP8 payload, and whether the payload begins a key frame (always true for audio).
    pub(super) fn inspect(self, payload: &[u8]) -> (Option<Vp8Descriptor>, bool) {
        match self.0.codec {
            Codec::Vp8 => {
                let descriptor = Vp8Descriptor::parse(payload);
                (descriptor, descriptor.is_some_and(|descriptor| descriptor.starts_keyframe(payload)))
            }
            Codec::H264 => (None, detect_h264_keyframe(payload)),
            _ => (None, true),
        }
    }
}
