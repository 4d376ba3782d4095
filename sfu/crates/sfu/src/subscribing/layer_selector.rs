//! Which layer one subscriber gets. Simulcast layers change only on a key frame of the new one. Of a stream that carries
//! all layers (SVC), higher ones begin with a key frame, which all layers share, and may be left off from any picture on.

use crate::media::{LAYERS, LayerMask, Quality, SubscriptionSettings, layer_bit};
use crate::message::TrackState;
use crate::transport::Packet;

/// A layer suffices from this share of the height asked for: 9 / 10.
const SUFFICIENT: (u64, u64) = (9, 10);
/// Heights in pixels of layers whose publisher announced none; what needs more gets [`Quality::High`].
const USUAL_HEIGHTS: [(u32, Quality); 2] = [(180, Quality::Low), (360, Quality::Medium)];

const ALL_LAYERS: LayerMask = (1 << LAYERS) - 1;

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
    is_svc: bool,
}

impl LayerSelector {
    /// Aim at the best live layer that is wanted (and not above `cap`); without one, at the lowest live layer.
    pub fn aim(&mut self, state: &TrackState, wanted: Option<Quality>, cap: Option<Quality>) {
        let live = state.live;
        self.is_svc = state.is_svc;
        self.target = wanted.and_then(|quality| best_layer(live, cap.map_or(quality, |cap| cap.min(quality))));
        let below = |first: &u8| !state.is_svc && self.target.is_some_and(|target| *first < target);
        self.first = lowest_layer(live).filter(below);
        let is_gone = !state.is_svc && self.current.is_some_and(|current| live & layer_bit(current) == 0);
        if self.target.is_none() || is_gone {
            // whatever is there first is better than nothing
            self.current = None;
        }
    }

    /// Wait for a key frame again, as in the beginning.
    pub fn restart(&mut self) {
        self.current = None;
    }

    pub fn choose(&mut self, packet: &Packet) -> Choice {
        if self.is_svc {
            return self.choose_spatial(packet);
        }
        let layer = Some(packet.layer);
        let aimed = layer == self.target || (self.current.is_none() && layer == self.first);
        if aimed && layer != self.current && packet.keyframe {
            self.current = layer;
            return Choice::Switch;
        }
        if layer == self.current { Choice::Forward } else { Choice::Drop }
    }

    fn choose_spatial(&mut self, packet: &Packet) -> Choice {
        let begins_picture = packet.spatial.is_some_and(|part| part.begins_picture);
        if packet.keyframe && self.target.is_some() {
            let is_first = self.current.is_none();
            self.current = self.target;
            return if is_first { Choice::Switch } else { Choice::Forward };
        }
        if begins_picture {
            self.current = self.current.min(self.target);
        }
        if self.current.is_some_and(|current| packet.layer <= current) { Choice::Forward } else { Choice::Drop }
    }

    /// Whether a packet that is forwarded is the last one of its frame.
    pub fn is_last(&self, packet: &Packet) -> bool {
        let ends_layer = packet.spatial.is_some_and(|part| part.ends_layer);
        packet.marker || (self.is_svc && ends_layer && self.current == Some(packet.layer))
    }

    /// Whether a packet that is dropped belongs to the stream that is forwarded, which must not show a gap.
    pub fn is_left_off(&self) -> bool {
        self.is_svc && self.current.is_some()
    }

    /// Whether it waits for a key frame to forward less.
    pub fn is_above(&self) -> bool {
        !self.is_svc && self.target.is_some() && self.current > self.target
    }

    pub fn current(&self) -> Option<u8> {
        self.current
    }

    pub fn target(&self) -> Option<u8> {
        self.target
    }

    /// The layers whose key frames are being waited for.
    pub fn waiting_for(&self) -> LayerMask {
        if self.is_svc {
            return if self.target > self.current { mask(self.target) } else { 0 };
        }
        let target = if self.target == self.current { 0 } else { mask(self.target) };
        target | self.needed_to_begin()
    }

    fn needed_to_begin(&self) -> LayerMask {
        if self.current.is_none() { mask(self.first) } else { 0 }
    }

    /// Whether a packet that is dropped may be part of a key frame whose first packet is late.
    pub fn awaits(&self, packet: &Packet) -> bool {
        if self.is_svc {
            self.current.is_none() && self.target.is_some()
        } else {
            self.waiting_for() & layer_bit(packet.layer) != 0
        }
    }

    /// The layers this subscriber needs from the publisher's shard.
    pub fn needed(&self) -> LayerMask {
        if self.is_svc {
            // those above as well: only who sees them can close the gaps that they leave
            return self.target.map_or(0, |_| ALL_LAYERS);
        }
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
