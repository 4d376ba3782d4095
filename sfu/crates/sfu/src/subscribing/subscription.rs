//! One subscription: a peer that receives a track.

use std::sync::Arc;

use super::frame_rate::FrameRateSelector;
use super::layer_selector::{Choice, LayerSelector, wanted_quality};
use super::munger::Munger;
use crate::allocation::Rank;
use crate::ids::{PeerKey, Ssrc};
use crate::media::{Kind, LayerMask, Quality, Source, SubscriptionSettings};
use crate::message::TrackState;
use crate::transport::{CodecFormat, Outgoing, Packet, PayloadTypes};

/// Without a setting.
const DEFAULT_PRIORITY: u32 = 1;

pub(crate) struct Subscription {
    peer: PeerKey,
    source: Source,
    settings: SubscriptionSettings,
    /// The stream of the section that carries it, once answered.
    ssrc: Option<Ssrc>,
    /// The best quality that the allocator allows; None: no limit.
    cap: Option<Quality>,
    /// The allocator stopped it for want of bandwidth.
    is_paused: bool,
    selector: LayerSelector,
    frame_rate: FrameRateSelector,
    stream: Option<Stream>,
}

/// What is known once both section and codec are.
struct Stream {
    ssrc: Ssrc,
    payload_types: PayloadTypes,
    munger: Munger,
}

impl Subscription {
    pub fn new(peer: PeerKey, source: Source, settings: SubscriptionSettings) -> Self {
        Self {
            peer,
            source,
            settings,
            ssrc: None,
            cap: None,
            is_paused: false,
            selector: LayerSelector::default(),
            frame_rate: FrameRateSelector::default(),
            stream: None,
        }
    }

    pub fn peer(&self) -> PeerKey {
        self.peer
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// How early it gets a larger layer.
    pub fn rank(&self, state: &TrackState) -> Rank {
        Rank {
            is_screen: state.is_screen,
            is_speaker: state.is_speaker,
            priority: self.settings.priority.unwrap_or(DEFAULT_PRIORITY),
            height: self.settings.height.unwrap_or(0),
        }
    }

    pub fn configure(&mut self, settings: SubscriptionSettings) {
        self.settings = settings;
    }

    // ── its section ──

    /// The stream of its section, which the client knows from the answer.
    pub fn bind(&mut self, ssrc: Ssrc) {
        self.ssrc = Some(ssrc);
    }

    pub fn is_bound(&self) -> bool {
        self.ssrc.is_some()
    }

    pub fn ssrc(&self) -> Option<Ssrc> {
        self.ssrc
    }

    /// Its section is gone.
    pub fn unbind(&mut self) {
        self.ssrc = None;
        self.stream = None;
        self.selector.restart();
    }

    pub fn has_started(&self) -> bool {
        self.stream.is_some()
    }

    /// Let media flow if its section is answered.
    pub fn start(&mut self, codec: CodecFormat, payload_types: PayloadTypes) {
        let Some(ssrc) = self.ssrc else { return };
        let first_sequence = (ssrc.0 & 0x3fff) as u16;
        self.stream = Some(Stream { ssrc, payload_types, munger: Munger::new(codec.clock_rate_hz(), first_sequence) });
        self.selector.restart();
    }

    // ── its layer ──

    /// Apply the allocator's limit. None if it is as before, else whether pausing changed.
    pub fn limit(&mut self, cap: Option<Quality>, is_paused: bool) -> Option<bool> {
        if self.cap == cap && self.is_paused == is_paused {
            return None;
        }
        self.cap = cap;
        Some(std::mem::replace(&mut self.is_paused, is_paused) != is_paused)
    }

    /// The quality that it asks of the publisher; None while it gets nothing.
    pub fn wanted(&self, state: &TrackState) -> Option<Quality> {
        if self.stream.is_none() || state.muted { None } else { wanted_quality(&self.settings, state) }
    }

    /// Aim at the right layer for the track's current state.
    pub fn aim(&mut self, state: &TrackState) {
        let allowed = if self.is_paused { None } else { self.wanted(state) };
        self.selector.aim(state, allowed, self.cap);
        let target = self.selector.target().map_or(0, usize::from);
        if let Some(rates) = state.rates.get(target) {
            self.frame_rate.aim(self.settings.fps, rates);
        }
    }

    /// Wait for a key frame before anything else is forwarded.
    pub fn restart(&mut self) {
        self.selector.restart();
    }

    /// Whether a layer is forwarded that is above the one that it is to get.
    pub fn is_above(&self) -> bool {
        self.selector.is_above()
    }

    /// The layer that is being forwarded.
    pub fn layer(&self) -> Option<u8> {
        self.selector.current()
    }

    /// The highest temporal layer that it is to get.
    pub fn temporal_layer(&self) -> u8 {
        self.frame_rate.target()
    }

    /// The layer that a decoder without a picture needs a key frame of.
    pub fn keyframe_layer(&self) -> Option<u8> {
        self.selector.current().or(self.selector.target())
    }

    /// The layers that the publisher's shard has to relay.
    pub fn needed(&self) -> LayerMask {
        if self.stream.is_some() { self.selector.needed() } else { 0 }
    }

    /// The layers whose key frames it waits for.
    pub fn waiting_for(&self) -> LayerMask {
        if self.stream.is_some() { self.selector.waiting_for() } else { 0 }
    }

    /// Whether a packet that is not for it now will be, when the first one of its key frame is there.
    pub fn awaits(&self, packet: &Packet) -> bool {
        self.stream.is_some() && self.selector.awaits(packet)
    }

    /// The packet with this subscriber's numbers; None if it is not for this subscriber.
    pub fn forward<'a>(&mut self, kind: Kind, packet: &'a Arc<Packet>) -> Option<Outgoing<'a>> {
        let stream = self.stream.as_mut()?;
        if packet.payload.is_empty() {
            if kind == Kind::Audio || self.selector.current() == Some(packet.layer) {
                stream.munger.skip(packet);
            }
            return None;
        }
        match self.selector.choose(packet) {
            Choice::Drop => {
                if self.selector.is_left_off() {
                    stream.munger.skip(packet);
                }
                return None;
            }
            Choice::Switch => {
                stream.munger.switch(packet);
                self.frame_rate.restart(packet);
            }
            Choice::Forward => {}
        }
        if !self.frame_rate.admits(packet) {
            stream.munger.skip(packet);
            return None;
        }
        let munged = stream.munger.forward(packet)?;
        Some(Outgoing {
            ssrc: stream.ssrc,
            payload_types: stream.payload_types,
            sequence: munged.sequence,
            timestamp: munged.timestamp,
            instant: munged.instant,
            vp8: munged.vp8,
            marker: self.selector.is_last(packet),
            packet,
        })
    }
}
