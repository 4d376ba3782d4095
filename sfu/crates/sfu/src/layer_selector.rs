//! Which simulcast layer one subscriber gets. Layers are changed only on a key frame of the new one.

use crate::command::{Quality, Wish};
use crate::message::{LayerMask, Packet, TrackState};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Part of the layer being forwarded.
    Forward,
    /// The first packet of another layer, or of the same one after a pause.
    Switch,
    Drop,
}

#[derive(Default)]
pub(crate) struct LayerSelector {
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

    /// Forget what was forwarded: the next key frame begins anew.
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
    layer.map_or(0, |layer| 1u8.checked_shl(u32::from(layer)).unwrap_or(0))
}

fn best_layer(live: LayerMask, wanted: Quality) -> Option<u8> {
    let is_live = |layer: &u8| live & mask(Some(*layer)) != 0;
    (0..=wanted as u8).rev().find(is_live).or_else(|| lowest_layer(live))
}

fn lowest_layer(live: LayerMask) -> Option<u8> {
    (0..3).find(|layer| live & mask(Some(*layer)) != 0)
}

/// The quality that a wish means for this track: the smallest layer that is at least 0.9 of the asked height.
pub(crate) fn wanted_quality(wish: &Wish, state: &TrackState) -> Option<Quality> {
    if !wish.enabled {
        return None;
    }
    if let Some(height) = wish.height.filter(|height| *height > 0) {
        let known = Quality::ALL.into_iter().zip(state.heights).filter(|(_, height)| *height > 0);
        let enough = known.clone().find(|(_, layer)| u64::from(*layer) * 10 >= u64::from(height) * 9);
        if let Some((quality, size)) = enough.or(known.clone().next_back()) {
            // of two equal heights the higher one
            return known.filter(|(_, other)| *other == size).map(|(q, _)| q).next_back().or(Some(quality));
        }
        let ladder = [(180, Quality::Low), (360, Quality::Medium)];
        let step = ladder.into_iter().find(|(size, _)| size * 10 >= u64::from(height) * 9);
        return Some(step.map_or(Quality::High, |(_, quality)| quality));
    }
    Some(wish.quality.unwrap_or(Quality::High))
}
