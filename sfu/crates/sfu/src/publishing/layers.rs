//! The simulcast layers of a published track as they are received.

use std::time::{Duration, Instant};

use crate::ids::Ssrc;
use crate::media::{LAYERS, LayerMask, TEMPORAL_LAYERS, TemporalRates, layer_bit};
use crate::transport::ReceivedPacket;

/// A layer is gone when it was silent this long while another one was received: a sender whose link is bad leaves its upper
/// layers off, and those who receive them see nothing until then.
const LAYER_SILENCE: Duration = Duration::from_millis(600);
/// Packets of another layer in that time that make the silence significant.
const PACKETS_OF_OTHERS: u32 = 5;
/// Key frames of the lowest layer, which is cheap to encode, may be requested this often; of others half as often.
const KEYFRAME_INTERVAL_LOWEST: Duration = Duration::from_millis(500);
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(1000);
/// A request that was not answered after this time was lost, or its answer.
const KEYFRAME_RETRY: Duration = Duration::from_millis(400);
/// So long after its first packet a layer is news: those who will want it cannot have said so yet.
const NEWS: Duration = Duration::from_millis(100);
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
    live_since: Option<Instant>,
    last_keyframe: Option<Instant>,
    /// The greatest sequence number, and when it came: what was asked for and comes later tells nothing of the sender now.
    newest: Option<u64>,
    newest_at: Option<Instant>,
    /// New packets of other layers since the newest one of this.
    others: u32,
    keyframe_asked: Option<Instant>,
    is_keyframe_wanted: bool,
    is_unanswered: bool,
    received: [Received; TEMPORAL_LAYERS],
    rates: TemporalRates,
}

/// What was received of a temporal layer since the last measurement.
#[derive(Default)]
struct Received {
    bytes: u64,
    frames: u32,
}

#[derive(Default)]
pub(super) struct Layers {
    layers: [Layer; LAYERS],
}

impl Layer {
    fn count(&mut self, received: &ReceivedPacket) {
        let packet = &received.packet;
        let temporal = usize::from(packet.temporal.layer).min(TEMPORAL_LAYERS - 1);
        let Some(count) = self.received.get_mut(temporal) else { return };
        count.bytes += packet.payload.len() as u64;
        let ends_frame = packet.marker || packet.spatial.is_some_and(|part| part.ends_layer);
        count.frames += u32::from(ends_frame);
    }

    /// Whether nothing later has been received.
    fn is_newest(&self, received: &ReceivedPacket) -> bool {
        self.ssrc != Some(received.ssrc) || self.newest.is_none_or(|newest| newest < received.packet.sequence)
    }

    fn on_newest(&mut self, now: Instant, received: &ReceivedPacket) {
        if !self.is_live {
            (self.is_live, self.live_since) = (true, Some(now));
        }
        (self.ssrc, self.newest) = (Some(received.ssrc), Some(received.packet.sequence));
        (self.newest_at, self.others) = (Some(now), 0);
    }

    fn on_keyframe(&mut self, now: Instant) {
        (self.is_keyframe_wanted, self.is_unanswered) = (false, false);
        self.last_keyframe = Some(now);
    }

    fn is_news(&self, now: Instant) -> bool {
        self.live_since.is_some_and(|since| now.saturating_duration_since(since) < NEWS)
    }
}

impl Layers {
    /// The layers that are being received.
    pub fn live(&self) -> LayerMask {
        let live = (0..).zip(&self.layers).filter(|(_, layer)| layer.is_live);
        live.fold(0, |mask, (index, _)| mask | layer_bit(index))
    }

    /// The rates, as measured last.
    pub fn rates(&self) -> [TemporalRates; LAYERS] {
        self.layers.each_ref().map(|layer| layer.rates)
    }

    /// Count a packet. True if its layer was not live before.
    pub fn on_packet(&mut self, now: Instant, of_layer: u8, received: &ReceivedPacket) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(of_layer)) else { return false };
        layer.count(received);
        if !layer.is_newest(received) {
            return false;
        }
        let was_live = layer.is_live;
        layer.on_newest(now, received);
        let others = (0u8..).zip(&mut self.layers).filter(|(index, _)| *index != of_layer);
        others.for_each(|(_, layer)| layer.others = layer.others.saturating_add(1));
        !was_live
    }

    /// Whether a layer has just begun.
    pub fn is_news(&self, now: Instant, layer: u8) -> bool {
        self.layers.get(usize::from(layer)).is_some_and(|layer| layer.is_news(now))
    }

    /// Mark layers that have become silent. True if any has.
    pub fn check(&mut self, now: Instant) -> bool {
        let mut has_changed = false;
        for layer in self.layers.iter_mut().filter(|layer| layer.is_live) {
            let is_silent = layer.newest_at.is_none_or(|newest| now.saturating_duration_since(newest) > LAYER_SILENCE);
            if is_silent && layer.others >= PACKETS_OF_OTHERS {
                layer.is_live = false;
                has_changed = true;
            }
        }
        has_changed
    }

    /// Turn the bytes and frames counted since the last call into rates.
    pub fn measure(&mut self, elapsed: Duration) {
        let elapsed_s = elapsed.as_secs_f64().max(MIN_MEASURED_S);
        for layer in &mut self.layers {
            let (mut bytes, mut frames) = (0u64, 0u32);
            for (received, rate) in layer.received.iter_mut().zip(&mut layer.rates) {
                let received = std::mem::take(received);
                bytes += received.bytes;
                frames += received.frames;
                rate.bps = (bytes.saturating_mul(8) as f64 / elapsed_s) as u64;
                rate.fps = (f64::from(frames) / elapsed_s).round() as u16;
            }
        }
    }

    // ── key frames ──

    /// A subscriber waits for a key frame of this layer. False if it is the one with which the layer has just begun.
    pub fn want_keyframe(&mut self, now: Instant, layer: u8) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(layer)) else { return false };
        layer.is_keyframe_wanted |= !layer.is_news(now) || layer.last_keyframe < layer.live_since;
        layer.is_keyframe_wanted
    }

    /// A key frame of all layers.
    pub fn on_svc_keyframe(&mut self, now: Instant) {
        self.layers.iter_mut().for_each(|layer| layer.on_keyframe(now));
    }

    pub fn on_keyframe(&mut self, now: Instant, layer: u8) {
        if let Some(layer) = self.layers.get_mut(usize::from(layer)) {
            layer.on_keyframe(now);
        }
    }

    /// The layers whose key frames are waited for.
    pub fn keyframes_wanted(&self) -> impl Iterator<Item = u8> + use<> {
        let wanted = self.layers.each_ref().map(|layer| layer.is_keyframe_wanted);
        (0u8..).zip(wanted).filter(|(_, is_wanted)| *is_wanted).map(|(index, _)| index)
    }

    /// Decide about a request, no more often than an encoder can stand.
    pub fn request_keyframe(&mut self, now: Instant, layer: u8) -> KeyframeRequest {
        let usual = if layer == 0 { KEYFRAME_INTERVAL_LOWEST } else { KEYFRAME_INTERVAL };
        let others_are_live = self.live() & !layer_bit(layer) != 0;
        let Some(layer) = self.layers.get_mut(usize::from(layer)) else { return KeyframeRequest::NoStream };
        if !layer.is_live && others_are_live {
            // its sender has left it off, and would send key frames of the others
            return KeyframeRequest::NoStream;
        }
        let interval = if layer.is_unanswered { KEYFRAME_RETRY } else { usual };
        if layer.keyframe_asked.is_some_and(|asked| now.saturating_duration_since(asked) < interval) {
            return KeyframeRequest::Throttled;
        }
        let Some(ssrc) = layer.ssrc else { return KeyframeRequest::NoStream };
        (layer.keyframe_asked, layer.is_unanswered) = (Some(now), true);
        KeyframeRequest::Send(ssrc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{CodecFormat, Packet};

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_was_asked_for_does_not_keep_a_layer_alive() {
        let (start, mut layers) = (Instant::now(), Layers::default());
        let mut receive = |now: Instant, layer: u8, sequence: u64| {
            let packet = Packet::of(sequence, 0, &[1], now);
            layers.on_packet(
                now,
                layer,
                &ReceivedPacket { ssrc: Ssrc(layer.into()), codec: CodecFormat::any(false), packet },
            );
            layers.check(now);
            layers.live()
        };
        assert_eq!(receive(start, 1, 100), layer_bit(1));
        for count in 0..20_u32 {
            let now = start + 50 * MS * count;
            let live = receive(now, 0, count.into());
            assert_eq!(live & layer_bit(1) != 0, count * 50 <= 600, "after {count} packets");
            // packets of before come late
            receive(now, 1, 50 + u64::from(count));
        }
        let later = start + 1100 * MS;
        assert_eq!(receive(later, 1, 101), layer_bit(0) | layer_bit(1));
    }
}
