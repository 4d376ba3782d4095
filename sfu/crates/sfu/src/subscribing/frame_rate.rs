//! Which temporal layers of a video one subscriber gets. A layer may be left off from any picture on, and comes back with
//! one that needs nothing of what was left off.

use crate::media::{Rate, TemporalRates};
use crate::transport::Packet;

/// A layer suffices from this share of the frames per second asked for: 9 / 10.
const SUFFICIENT: (u64, u64) = (9, 10);
const ALL: u8 = u8::MAX;

pub(super) struct FrameRateSelector {
    /// The highest layer that is forwarded.
    current: u8,
    target: u8,
    /// The newest packet of the source.
    highest: u64,
}

impl Default for FrameRateSelector {
    fn default() -> Self {
        Self { current: ALL, target: ALL, highest: 0 }
    }
}

impl FrameRateSelector {
    /// Aim at the lowest layer that suffices.
    pub fn aim(&mut self, wanted_fps: Option<u32>, rates: &TemporalRates) {
        let suffices = |(_, rate): &(u8, &Rate), wanted: u32| {
            u64::from(rate.fps) * SUFFICIENT.1 >= u64::from(wanted) * SUFFICIENT.0
        };
        let layer = wanted_fps.and_then(|wanted| (0..).zip(rates).find(|of| suffices(of, wanted)));
        self.target = layer.map_or(ALL, |(layer, _)| layer);
    }

    pub fn target(&self) -> u8 {
        self.target
    }

    /// `packet` begins another source, or the same one after a pause, with a key frame.
    pub fn restart(&mut self, packet: &Packet) {
        self.highest = packet.sequence;
        self.current = self.target;
    }

    /// Whether a packet is forwarded.
    pub fn admits(&mut self, packet: &Packet) -> bool {
        // what is late must not open a layer whose newer pictures were left off
        if packet.sequence > self.highest {
            self.highest = packet.sequence;
            self.follow(packet);
        }
        packet.temporal.layer <= self.current
    }

    fn follow(&mut self, packet: &Packet) {
        if packet.keyframe {
            self.current = self.target;
        } else if packet.temporal.begins_picture {
            self.current = self.current.min(self.target);
            let opening = packet.temporal.opening.filter(|opening| opening.from <= self.current);
            let opened = opening.map_or(0, |opening| opening.to.min(self.target));
            self.current = self.current.max(opened);
        }
    }
}
