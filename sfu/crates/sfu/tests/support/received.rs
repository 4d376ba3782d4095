//! What a client has received.

use std::time::{Instant, UNIX_EPOCH};

use str0m::rtp::{RtpPacket, Vp8Descriptor};

use super::dependency::Descriptor;

/// A packet as it came in.
#[derive(Clone, Debug)]
pub struct Got {
    pub at: Instant,
    pub ssrc: u32,
    pub sequence: u64,
    pub timestamp: u32,
    pub marker: bool,
    /// The last sender report of the stream: seconds of its clock, and the media time that they stand for.
    pub report: Option<(f64, u32)>,
    pub layer: u8,
    pub frame: u32,
    pub payload: Vec<u8>,
    pub dependencies: Option<Descriptor>,
    pub keyframe: bool,
    pub picture_id: Option<u16>,
    pub tl0: Option<u8>,
    pub temporal_layer: u8,
    /// It needs the lowest temporal layer only.
    pub is_sync: bool,
}

impl Got {
    pub fn read(now: Instant, is_audio: bool, packet: &RtpPacket) -> Self {
        let vp8 = if is_audio { None } else { Vp8Descriptor::parse(&packet.payload).ok() };
        let layers = packet.payload.get(5).copied().filter(|_| vp8.is_some()).unwrap_or_default();
        let tail = &packet.payload[packet.payload.len() - 5..];
        Self {
            at: now,
            ssrc: *packet.header.ssrc,
            sequence: *packet.seq_no,
            timestamp: packet.header.timestamp,
            marker: packet.header.marker,
            report: packet.last_sender_info.as_ref().map(|info| {
                let since_epoch = info.ntp_time.duration_since(UNIX_EPOCH).unwrap();
                (since_epoch.as_secs_f64(), info.rtp_time.numer() as u32)
            }),
            dependencies: packet.header.ext_vals.user_values.get().cloned(),
            payload: packet.payload.to_vec(),
            layer: tail[0],
            frame: u32::from_be_bytes([tail[1], tail[2], tail[3], tail[4]]),
            keyframe: vp8.is_some_and(|vp8| vp8.starts_keyframe(&packet.payload)),
            picture_id: vp8.and_then(|vp8| vp8.picture_id()),
            tl0: vp8.and_then(|vp8| vp8.tl0_pic_idx()),
            temporal_layer: layers >> 6,
            is_sync: layers & 0x20 != 0,
        }
    }
}
