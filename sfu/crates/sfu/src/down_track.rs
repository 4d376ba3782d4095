//! One subscription: a peer receiving a track.

use str0m::media::Pt;
use str0m::rtp::Ssrc;

use crate::command::{Kind, Quality, Source, Wish};
use crate::ids::PeerKey;
use crate::layer_selector::{Choice, LayerSelector, wanted_quality};
use crate::message::{LayerMask, Packet, TrackState};
use crate::munger::Munger;
use crate::transport::Outgoing;

pub(crate) struct DownTrack {
    pub peer: PeerKey,
    pub source: Source,
    pub wish: Wish,
    /// The stream of the section that carries it, once answered.
    pub binding: Option<Ssrc>,
    /// The best quality the allocator allows; None: no limit.
    pub cap: Option<Quality>,
    /// The allocator stopped it for want of bandwidth.
    pub paused: bool,
    pub selector: LayerSelector,
    stream: Option<Stream>,
}

/// What is known once section and codec both are.
struct Stream {
    ssrc: Ssrc,
    payload_type: Pt,
    munger: Munger,
}

impl DownTrack {
    pub fn new(peer: PeerKey, source: Source, wish: Wish) -> Self {
        Self {
            peer,
            source,
            wish,
            binding: None,
            cap: None,
            paused: false,
            selector: LayerSelector::default(),
            stream: None,
        }
    }

    pub fn is_flowing(&self) -> bool {
        self.stream.is_some()
    }

    /// Section and codec are known: media may flow.
    pub fn start(&mut self, ssrc: Ssrc, payload_type: Pt, clock_rate_hz: u32) {
        let first_sequence = (*ssrc & 0x3fff) as u16;
        self.stream = Some(Stream { ssrc, payload_type, munger: Munger::new(clock_rate_hz, first_sequence) });
        self.selector.restart();
    }

    pub fn unbind(&mut self) {
        self.binding = None;
        self.stream = None;
        self.selector.restart();
    }

    /// The quality this subscriber asks of the publisher; None while it gets nothing.
    pub fn wanted(&self, state: &TrackState) -> Option<Quality> {
        if self.stream.is_none() || state.muted { None } else { wanted_quality(&self.wish, state) }
    }

    /// Aim at the right layer for the track as it is now.
    pub fn aim(&mut self, state: &TrackState) {
        let allowed = if self.paused { None } else { self.wanted(state) };
        self.selector.aim(state.live, allowed, self.cap);
    }

    pub fn needed(&self) -> LayerMask {
        if self.stream.is_some() { self.selector.needed() } else { 0 }
    }

    /// The packet as this subscriber shall see it; None if not meant for it.
    pub fn forward<'a>(&mut self, kind: Kind, packet: &'a Packet) -> Option<Outgoing<'a>> {
        let stream = self.stream.as_mut()?;
        if packet.payload.is_empty() {
            if kind == Kind::Audio || self.selector.current() == Some(packet.layer) {
                stream.munger.skip(packet);
            }
            return None;
        }
        match self.selector.choose(packet) {
            Choice::Drop => return None,
            Choice::Switch => stream.munger.switch(packet),
            Choice::Forward => {}
        }
        let munged = stream.munger.forward(packet)?;
        Some(Outgoing {
            ssrc: stream.ssrc,
            payload_type: stream.payload_type,
            sequence: munged.sequence,
            timestamp: munged.timestamp,
            vp8: munged.vp8,
            packet,
        })
    }
}
