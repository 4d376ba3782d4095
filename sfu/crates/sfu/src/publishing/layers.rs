//! The simulcast layers of a published track as they are received.

use std::time::{Duration, Instant};

use crate::ids::Ssrc;
use crate::media::{LAYERS, LayerMask, layer_bit};

/// A layer is gone when it was silent this long while another one was received.
const LAYER_SILENCE: Duration = Duration::from_secs(1);
/// Packets of another layer in that time that make the silence significant.
const PACKETS_OF_OTHERS: u32 = 5;
/// Key frames of the lowest layer, which is cheap to encode, may be requested this often; of others half as often.
const KEYFRAME_INTERVAL_LOWEST: Duration = Duration::from_millis(500);
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(1000);
/// A shorter measurement is taken for one this long.
const MIN_MEASURED_S: f64 = 0.001;

/// Whether a key frame request goes to the publisher.
pub(super) enum KeyframeRequest {
    Send(Ssrc),
    /// The last one was too recent.
    Throttled,
    /// Nothing of the layer has been received.
    NoStream,
}

#[derive(Default)]
struct Layer {
    ssrc: Option<Ssrc>,
    is_live: bool,
    last_packet: Option<Instant>,
    /// Packets of other layers since the last one of this.
    others: u32,
    keyframe_asked: Option<Instant>,
    is_keyframe_wanted: bool,
    bytes: u64,
    bitrate_bps: u64,
}

#[derive(Default)]
pub(super) struct Layers {
    layers: [Layer; LAYERS],
}

impl Layers {
    /// The layers that are being received.
    pub fn live(&self) -> LayerMask {
        let live = (0..).zip(&self.layers).filter(|(_, layer)| layer.is_live);
        live.fold(0, |mask, (index, _)| mask | layer_bit(index))
    }

    /// Bits per second, as measured last.
    pub fn bitrates_bps(&self) -> [u64; LAYERS] {
        self.layers.each_ref().map(|layer| layer.bitrate_bps)
    }

    /// Count a packet. True if its layer was not live before.
    pub fn on_packet(&mut self, received: u8, ssrc: Ssrc, now: Instant, bytes: usize) -> bool {
        let mut is_revived = false;
        for (index, layer) in (0u8..).zip(&mut self.layers) {
            if index == received {
                is_revived = !layer.is_live;
                layer.is_live = true;
                layer.ssrc = Some(ssrc);
                layer.last_packet = Some(now);
                layer.others = 0;
                layer.bytes += bytes as u64;
            } else {
                layer.others = layer.others.saturating_add(1);
            }
        }
        is_revived
    }

    /// Mark layers that have become silent. True if any has.
    pub fn check(&mut self, now: Instant) -> bool {
        let mut has_changed = false;
        for layer in self.layers.iter_mut().filter(|layer| layer.is_live) {
            let is_silent = layer.last_packet.is_none_or(|last| now.saturating_duration_since(last) > LAYER_SILENCE);
            if is_silent && layer.others >= PACKETS_OF_OTHERS {
                layer.is_live = false;
                has_changed = true;
            }
        }
        has_changed
    }

    /// Turn the bytes counted since the last call into bitrates.
    pub fn measure(&mut self, elapsed: Duration) {
        for layer in &mut self.layers {
            let bits = layer.bytes.saturating_mul(8) as f64;
            layer.bitrate_bps = (bits / elapsed.as_secs_f64().max(MIN_MEASURED_S)) as u64;
            layer.bytes = 0;
        }
    }

    // ── key frames ──

    /// A subscriber waits for a key frame of this layer.
    pub fn want_keyframe(&mut self, layer: u8) {
        if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
            layer.is_keyframe_wanted = true;
        }
    }

    /// A key frame of all layers.
    pub fn on_svc_keyframe(&mut self) {
        self.layers.iter_mut().for_each(|layer| layer.is_keyframe_wanted = false);
    }

    pub fn on_keyframe(&mut self, layer: u8) {
        if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
            layer.is_keyframe_wanted = false;
        }
    }

    /// The layers whose key frames are waited for.
    pub fn keyframes_wanted(&self) -> impl Iterator<Item = u8> + use<> {
        let wanted = self.layers.each_ref().map(|layer| layer.is_keyframe_wanted);
        (0u8..).zip(wanted).filter(|(_, is_wanted)| *is_wanted).map(|(index, _)| index)
    }

    /// Decide about a request, no more often than an encoder can stand.
    pub fn request_keyframe(&mut self, now: Instant, layer: u8) -> KeyframeRequest {
        let interval = if layer == 0 { KEYFRAME_INTERVAL_LOWEST } else { KEYFRAME_INTERVAL };
        let Some(layer) = self.layers.get_mut(usize::from(layer)) else { return KeyframeRequest::NoStream };
        if layer.keyframe_asked.is_some_and(|asked| now.saturating_duration_since(asked) < interval) {
            return KeyframeRequest::Throttled;
        }
        let Some(ssrc) = layer.ssrc else { return KeyframeRequest::NoStream };
        layer.keyframe_asked = Some(now);
        KeyframeRequest::Send(ssrc)
    }
}
