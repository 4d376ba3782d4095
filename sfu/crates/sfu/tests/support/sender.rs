//! What a client publishes: synthetic media with the layer and frame number in each payload.

use std::time::Instant;

use str0m::media::Mid;
use tertulia_sfu::Kind;

pub struct Sender {
    pub cid: String,
    pub kind: Kind,
    pub rids: Vec<String>,
    pub mid: Option<Mid>,
    /// By layer.
    pub paused: [bool; 3],
    /// Layers whose encoder ignores key frame requests for now.
    pub withheld: [bool; 3],
    pub keyframes_asked: usize,
    pub level: i8,
    pub has_levels: bool,
    pub muted: bool,
    /// Sends VP9 with three spatial layers in one stream.
    pub is_svc: bool,
    /// Sends AV1 so.
    pub is_av1: bool,
    /// Sends VP8 with three temporal layers.
    pub has_temporal_layers: bool,
    /// Sends each frame of sound again with the next one (RFC 2198).
    pub is_redundant: bool,
    /// Sends only a packet now and then (DTX).
    pub is_silent: bool,
    pub encodings: Vec<Encoding>,
    pub next: Option<Instant>,
}

#[derive(Default)]
pub struct Encoding {
    pub sequence: u64,
    pub frame: u32,
    pub keyframe: bool,
    pub picture: u16,
    pub base_timestamp: u32,
}

impl Sender {
    pub fn new(cid: String, kind: Kind, rids: &[&str]) -> Self {
        let encodings = (0..rids.len().max(1) as u32).map(|layer| Encoding {
            keyframe: true,
            sequence: 65_500 - u64::from(layer) * 1000,
            picture: 32_700 - layer as u16 * 99,
            base_timestamp: 0xffff_0000u32.wrapping_add(layer * 777_777),
            frame: 0,
        });
        Self {
            cid,
            kind,
            rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
            mid: None,
            paused: [false; 3],
            withheld: [false; 3],
            keyframes_asked: 0,
            level: -10,
            has_levels: true,
            muted: false,
            is_svc: false,
            is_av1: false,
            has_temporal_layers: false,
            is_redundant: false,
            is_silent: false,
            encodings: encodings.collect(),
            next: None,
        }
    }
}

pub fn audio_payload(frame: u32) -> Vec<u8> {
    let mut payload = vec![0x78; 60];
    payload.push(0);
    payload.extend(frame.to_be_bytes());
    payload
}

/// The frame with the one before it.
pub fn redundant_payload(payload_type: u8, frame: u32, ticks: u16) -> Vec<u8> {
    let (before, newest) = (audio_payload(frame.wrapping_sub(1)), audio_payload(frame));
    let header = u32::from(0x80 | payload_type) << 24 | u32::from(ticks) << 10 | before.len() as u32;
    [&header.to_be_bytes()[..], &[payload_type], &before, &newest].concat()
}

/// The temporal layer of a frame, and whether it needs the lowest layer only.
fn temporal_layer(frame: u32) -> (u8, bool) {
    match frame % 8 {
        0 | 4 => (0, false),
        2 => (1, true),
        6 => (1, false),
        1 => (2, true),
        _ => (2, false),
    }
}

/// A descriptor with all fields (RFC 7741 4.2), a frame header byte, and what the tests read back.
pub fn vp8_payload(layer: u8, encoding: &Encoding, first: bool, keyframe: bool, has_temporal_layers: bool) -> Vec<u8> {
    let [high, low] = (encoding.picture | 0x8000).to_be_bytes();
    let start = if first { 0x10 } else { 0 };
    let (temporal, is_sync, tl0) = match temporal_layer(encoding.frame) {
        (temporal, is_sync) if has_temporal_layers && !keyframe => (temporal, is_sync, encoding.frame / 4),
        _ if has_temporal_layers => (0, false, encoding.frame / 4),
        _ => (0, true, encoding.frame),
    };
    let layers = temporal << 6 | u8::from(is_sync) << 5 | (layer & 0x1f);
    let mut payload = vec![0x80 | start, 0xf0, high, low, tl0 as u8, layers];
    payload.push(u8::from(!keyframe || !first));
    payload.extend([0xab; 500]);
    payload.push(layer);
    payload.extend(encoding.frame.to_be_bytes());
    payload
}

/// A descriptor with a picture id of 15 bits and layers (RFC 9628 4.2), and what the tests read back.
pub fn vp9_payload(layer: u8, encoding: &Encoding, keyframe: bool) -> Vec<u8> {
    let [high, low] = (encoding.picture | 0x8000).to_be_bytes();
    let predicted = if keyframe { 0 } else { 0x40 };
    let mut payload = vec![0xac | predicted, high, low, layer << 1 | u8::from(layer > 0), encoding.frame as u8];
    payload.extend([0xab; 500]);
    payload.push(layer);
    payload.extend(encoding.frame.to_be_bytes());
    payload
}

/// An aggregation header (AV1 RTP specification, section 4.4), and what the tests read back.
pub fn av1_payload(layer: u8, encoding: &Encoding, keyframe: bool) -> Vec<u8> {
    let mut payload = vec![0x10 | u8::from(keyframe && layer == 0) << 3];
    payload.extend([0xab; 500]);
    payload.push(layer);
    payload.extend(encoding.frame.to_be_bytes());
    payload
}
