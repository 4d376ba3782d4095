//! One participant's connection and what belongs to it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connectivity::Connectivity;
use super::link_quality::LinkQuality;
use super::media_allowance::{Allowed, MediaAllowance};
use super::offering::Offering;
use super::received_streams::{ReceivedStreams, layer_of_rid};
use super::sections::Sections;
use super::throttle::Throttle;
use crate::allocation::Budget;
use crate::data::DataFlow;
use crate::ids::{PeerId, Ssrc, SubscriptionKey, TrackId, TrackKey};
use crate::media::SubscriptionSettings;
use crate::token_bucket::TokenBucket;
use crate::transport::{CodecFormat, LinkStats, PayloadTypes, Transport};

/// Settings for tracks that are not subscribed (yet); more are dropped.
const MAX_EARLY_SETTINGS: usize = 1024;
/// A client that was asked for an offer and sent none is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(3);

pub(crate) struct Peer {
    id: PeerId,
    pub(super) transport: Transport,
    pub(super) connectivity: Connectivity,
    pub(super) throttle: Throttle,
    pub(super) datagrams: TokenBucket,
    media: MediaAllowance,
    sections: Sections,
    /// Where we make the offers.
    offering: Option<Offering>,
    published: Vec<TrackKey>,
    subscriptions: HashMap<TrackId, SubscriptionKey>,
    early_settings: HashMap<TrackId, SubscriptionSettings>,
    streams: ReceivedStreams,
    /// When the client was asked for an offer that has not come.
    asked_at: Option<Instant>,
    link: LinkQuality,
    budget: Budget,
}

impl Peer {
    pub fn new(id: PeerId, transport: Transport, offering: Option<Offering>, now: Instant) -> Self {
        Self {
            id,
            transport,
            connectivity: Connectivity::new(now),
            throttle: Throttle::default(),
            datagrams: TokenBucket::default(),
            media: MediaAllowance::default(),
            sections: Sections::default(),
            offering,
            published: Vec::new(),
            subscriptions: HashMap::new(),
            early_settings: HashMap::new(),
            streams: ReceivedStreams::default(),
            asked_at: None,
            link: LinkQuality::default(),
            budget: Budget::default(),
        }
    }

    pub fn id(&self) -> &PeerId {
        &self.id
    }

    pub fn sections(&self) -> &Sections {
        &self.sections
    }

    pub fn sections_mut(&mut self) -> &mut Sections {
        &mut self.sections
    }

    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    pub fn budget_mut(&mut self) -> &mut Budget {
        &mut self.budget
    }

    // ── connection ──

    pub fn connected(&mut self) {
        self.connectivity.connected();
    }

    /// True if the loss is to be reported.
    pub fn closed(&mut self) -> bool {
        self.connectivity.closed()
    }

    /// True if a lost peer is back.
    pub fn is_recovered(&mut self) -> bool {
        self.connectivity.is_recovered()
    }

    /// True once after it was silent for some seconds.
    pub fn is_back(&mut self) -> bool {
        self.connectivity.is_back()
    }

    pub fn is_newly_silent(&mut self, now: Instant) -> bool {
        self.connectivity.is_newly_silent(now)
    }

    /// Loss (0.0 to 1.0) and round-trip time (ms), if they have changed.
    pub fn update_link(&mut self, stats: &LinkStats) -> Option<(f64, u32)> {
        self.link.update(stats)
    }

    pub fn has_waiting_data(&self) -> bool {
        self.transport.has_waiting_data()
    }

    /// How much of its data is on its way to receivers.
    pub fn data_flow(&self) -> &Arc<DataFlow> {
        self.throttle.flow()
    }

    /// Read nothing from its data channels until then.
    pub fn hold_data_until(&mut self, until: Instant) {
        self.throttle.wait_until(until);
    }

    /// Send nothing (again) of what a stream carried so far.
    pub fn forget_sent(&mut self, ssrc: Ssrc) {
        self.transport.forget_sent(ssrc);
    }

    pub fn payload_types_of(&self, codec: CodecFormat, ssrc: Ssrc) -> Option<PayloadTypes> {
        self.transport.payload_types_of(codec, ssrc)
    }

    // ── published tracks ──

    pub fn published(&self) -> &[TrackKey] {
        &self.published
    }

    pub fn add_published(&mut self, track: TrackKey) {
        self.published.push(track);
    }

    pub fn remove_published(&mut self, track: TrackKey) {
        self.published.retain(|other| *other != track);
        self.streams.remove_track(track);
        self.sections.withdraw(track);
    }

    /// Whether a media packet of this many bytes may be forwarded.
    pub fn allow_media(&mut self, now: Instant, bytes: usize) -> Allowed {
        self.media.take(now, bytes)
    }

    /// The track and layer of a received stream, None while its section has no track.
    pub fn stream(&mut self, ssrc: Ssrc) -> Option<(TrackKey, u8)> {
        if let Some(known) = self.streams.get(ssrc) {
            return Some(known);
        }
        let (mid, rid) = self.transport.stream_of(ssrc)?;
        let track = self.sections.track_of(&mid)?;
        let layer = layer_of_rid(rid.as_deref());
        self.streams.insert(ssrc, track, layer);
        Some((track, layer))
    }

    // ── subscriptions ──

    pub fn subscription(&self, track: &TrackId) -> Option<SubscriptionKey> {
        self.subscriptions.get(track).copied()
    }

    pub fn subscriptions(&self) -> impl Iterator<Item = (&TrackId, SubscriptionKey)> {
        self.subscriptions.iter().map(|(track, key)| (track, *key))
    }

    pub fn add_subscription(&mut self, track: TrackId, key: SubscriptionKey) {
        self.subscriptions.insert(track, key);
    }

    pub fn remove_subscription(&mut self, track: &TrackId, key: SubscriptionKey) {
        self.subscriptions.remove(track);
        self.sections.release(key);
    }

    /// Keep settings that come before the subscription.
    pub fn keep_settings(&mut self, track: TrackId, settings: SubscriptionSettings) {
        if self.early_settings.len() < MAX_EARLY_SETTINGS {
            self.early_settings.insert(track, settings);
        }
    }

    pub fn take_settings(&mut self, track: &TrackId) -> SubscriptionSettings {
        self.early_settings.remove(track).unwrap_or_default()
    }

    // ── offers ──

    pub fn offering(&self) -> Option<&Offering> {
        self.offering.as_ref()
    }

    pub fn offering_mut(&mut self) -> Option<&mut Offering> {
        self.offering.as_mut()
    }

    /// Whether the client has seen a description.
    pub fn is_negotiated(&self) -> bool {
        self.connectivity.is_negotiated()
    }

    /// An offer was answered.
    pub fn negotiated(&mut self, now: Instant) {
        self.connectivity.negotiated(now);
        self.asked_at = None;
    }

    /// Whether the client may be asked for an offer now.
    pub fn may_be_asked(&self, now: Instant) -> bool {
        let is_recent = self.asked_at.is_some_and(|at| now.saturating_duration_since(at) < ASK_AGAIN);
        !is_recent && self.connectivity.is_negotiated()
    }

    pub fn asked(&mut self, now: Instant) {
        self.asked_at = Some(now);
    }

    /// Whether an offer that was asked for has not come.
    pub fn is_asked(&self) -> bool {
        self.asked_at.is_some()
    }
}
