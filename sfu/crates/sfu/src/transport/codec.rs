//! Codecs with their parameters, and what is read of their payloads.

use str0m::format::{Codec, CodecConfig, CodecSpec, PayloadParams, detect_av1_keyframe, detect_h264_keyframe};
use str0m::media::Pt;

use super::scalability::{SpatialPart, TemporalPart};
use super::vp8::Vp8Descriptor;
use super::vp9::Vp9Descriptor;

/// The payload type of an outgoing packet, as negotiated with its receiver (RFC 3551 section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadType(pub u8);

/// How a peer receives a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PayloadTypes {
    pub plain: PayloadType,
    /// With redundancy (RFC 2198), if the peer has negotiated it.
    pub redundant: Option<PayloadType>,
}

/// A codec and the parameters that a decoder has to support: clock rate, channels, profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CodecFormat(CodecSpec);

/// What a received payload type stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ReceivedFormat {
    pub codec: CodecFormat,
    /// With earlier frames again (RFC 2198).
    pub is_redundant: bool,
    /// Sent again (RFC 4588).
    pub is_repair: bool,
}

impl ReceivedFormat {
    /// What a peer has negotiated for a payload type.
    pub fn find(config: &CodecConfig, payload_type: u8) -> Option<Self> {
        let is = |negotiated: Option<Pt>| negotiated.is_some_and(|negotiated| *negotiated == payload_type);
        let params = config.find(|it| *it.pt() == payload_type || is(it.red()) || is(it.resend()))?;
        let (is_redundant, is_repair) = (is(params.red()), is(params.resend()));
        Some(Self { codec: CodecFormat(params.spec()), is_redundant, is_repair })
    }
}

/// What forwarding needs to know of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inspected {
    /// The descriptor of a VP8 payload.
    pub vp8: Option<Vp8Descriptor>,
    /// Whether it begins a key frame (always true for audio).
    pub is_keyframe: bool,
    pub spatial: Option<SpatialPart>,
    pub temporal: TemporalPart,
}

impl CodecFormat {
    /// The payload types under which a peer can receive this codec, of those that it has negotiated.
    pub(super) fn payload_types_in(self, config: &CodecConfig, negotiated: &[Pt]) -> Option<PayloadTypes> {
        // the payload type is the publisher's and plays no part in matching
        let wanted = PayloadParams::new(Pt::new_with_value(0), None, self.0);
        let found = config.match_params(wanted).filter(|found| negotiated.contains(&found.pt()))?;
        Some(PayloadTypes { plain: PayloadType(*found.pt()), redundant: found.red().map(|red| PayloadType(*red)) })
    }

    #[cfg(test)]
    pub(crate) fn any(is_sound: bool) -> Self {
        let mut config = CodecConfig::empty();
        if is_sound {
            config.enable_opus(true, false);
        } else {
            config.enable_vp8(true);
        }
        Self(config.iter().next().expect("a codec").spec())
    }

    pub(super) fn is_sound(self) -> bool {
        self.0.codec.is_audio()
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
            Codec::Vp9 => Some("video/VP9"),
            Codec::H264 => Some("video/H264"),
            Codec::Av1 => Some("video/AV1"),
            _ => None,
        }
    }

    /// Whether the dependency descriptor says of its packets where they belong.
    pub(super) fn has_dependencies(self) -> bool {
        self.0.codec == Codec::Av1
    }

    pub(super) fn inspect(self, payload: &[u8]) -> Inspected {
        let plain =
            |is_keyframe| Inspected { vp8: None, is_keyframe, spatial: None, temporal: TemporalPart::default() };
        match self.0.codec {
            Codec::Vp8 => {
                let vp8 = Vp8Descriptor::parse(payload);
                Inspected {
                    vp8,
                    temporal: vp8.map(|descriptor| descriptor.temporal()).unwrap_or_default(),
                    ..plain(vp8.is_some_and(|descriptor| descriptor.starts_keyframe(payload)))
                }
            }
            Codec::Vp9 => {
                let vp9 = Vp9Descriptor::parse(payload);
                Inspected {
                    spatial: vp9.map(Vp9Descriptor::spatial),
                    temporal: vp9.map(Vp9Descriptor::temporal).unwrap_or_default(),
                    ..plain(vp9.is_some_and(Vp9Descriptor::starts_keyframe))
                }
            }
            Codec::H264 => plain(detect_h264_keyframe(payload)),
            Codec::Av1 => plain(detect_av1_keyframe(payload)),
            _ => plain(true),
        }
    }
}
