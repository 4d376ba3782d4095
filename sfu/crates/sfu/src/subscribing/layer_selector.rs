//! Which simulcast layer one subscriber gets. Layers change only on a key frame of the new one.

use crate::media::{LAYERS, LayerMask, Quality, SubscriptionSettings, layer_bit};
use crate::message::TrackState;
use crate::transport::Packet;

/// A layer suffices from this share of the height asked for: 9 / 10.
const SUFFICIENT: (u64, u64) = (9, 10);
/// Heights in pixels of layers whose publisher announced none; what needs more gets [`Quality::High`].
const USUAL_HEIGHTS: [(u32, Quality); 2] = [(180, Quality::Low), (360, Quality::Medium)];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Part of the layer being forwarded.
    Forward,
    /// The first packet of another layer, or of the same one after a pause.
    Switch,
    Drop,
}

#[derive(Default)]
pub(super) struct LayerSelector {
    current: Option<u8>,
    target: Option<u8>,
    /// The lowest live layer below the target: good enough to begin with.
    first: Option<u8>,
}

impl LayerSelector {
    /// Aim at the best live layer that is wanted (and not above `cap`); without one, at the lowest live layer.
    pub fn aim(&mut self, live: LayerMask, wanted: Option<Quality>, cap: Option<Quality>) {
        self.target = wanted.and_then(|quality| best_layer(live, cap.map_or(quality, |cap| cap.min(quality))));
        self.first = lowest_layer(live).filter(|first| self.target.is_some_and(|target| *first < target));
        if self.target.is_none() {
            self.current = None;
        }
    }

    /// Wait for a key frame again, as in the beginning.
    pub fn restart(&mut self) {
        self.current = None;
    }

    pub fn choose(&mut self, packet: &Packet) -> Choice {
        let layer = Some(packet.layer);
        let aimed = layer == self.target || (self.current.is_none() && layer == self.first);
        if aimed && layer != self.current && packet.keyframe {
            self.current = layer;
            return Choice::Switch;
        }
        if layer == self.current { Choice::Forward } else { Choice::Drop }
    }

    pub fn current(&self) -> Option<u8> {
        self.current
    }

    pub fn target(&self) -> Option<u8> {
        self.target
    }

    /// The layers whose key frames are being waited for.
    pub fn waiting_for(&self) -> LayerMask {
        let target = if self.target == self.current { 0 } else { mask(self.target) };
        target | self.needed_to_begin()
    }

    fn needed_to_begin(&self) -> LayerMask {
        if self.current.is_none() { mask(self.first) } else { 0 }
    }

    /// The layers this subscriber needs from the publisher's shard.
    pub fn needed(&self) -> LayerMask {
        mask(self.current) | mask(self.target) | self.needed_to_begin()
    }
}

fn mask(layer: Option<u8>) -> LayerMask {
    layer.map_or(0, layer_bit)
}

fn best_layer(live: LayerMask, wanted: Quality) -> Option<u8> {
    let is_live = |layer: &u8| live & mask(Some(*layer)) != 0;
    (0..=wanted as u8).rev().find(is_live).or_else(|| lowest_layer(live))
}

fn lowest_layer(live: LayerMask) -> Option<u8> {
    (0..LAYERS as u8).find(|layer| live & mask(Some(*layer)) != 0)
}

/// The quality that settings mean for this track. A height means the smallest layer that suffices for it.
pub(super) fn wanted_quality(settings: &SubscriptionSettings, state: &TrackState) -> Option<Quality> {
    if !settings.enabled {
        return None;
    }
    match settings.height.filter(|height| *height > 0) {
        Some(height) => Some(quality_for_height(height, state)),
        None => Some(settings.quality.unwrap_or(Quality::High)),
    }
}

fn quality_for_height(height: u32, state: &TrackState) -> Quality {
    let suffices = |layer: u32| u64::from(layer) * SUFFICIENT.1 >= u64::from(height) * SUFFICIENT.0;
    let known = Quality::ALL.into_iter().zip(state.heights).filter(|(_, height)| *height > 0);
    let found = known.clone().find(|(_, layer)| suffices(*layer)).or(known.clone().next_back());
    if let Some((quality, size)) = found {
        // of layers with equal heights the highest one
        return known.filter(|(_, other)| *other == size).map(|(q, _)| q).next_back().unwrap_or(quality);
    }
    let usual = USUAL_HEIGHTS.into_iter().find(|(layer, _)| suffices(*layer));
    usual.map_or(Quality::High, |(_, quality)| quality)
}
