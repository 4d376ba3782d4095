//! Events as Python classes: `Event.Answered(...)` and so on.

use std::collections::HashMap;

use pyo3::prelude::*;
use tertulia_sfu_io::sfu::{Channel, Event, Quality};

#[pyclass(name = "Event", module = "tertulia_sfu._core", frozen)]
pub enum PyEvent {
    Answered { peer: String, offer_id: i64, sdp: String, tracks: HashMap<String, String> },
    NegotiationFailed { peer: String, offer_id: i64, reason: String },
    SectionsNeeded { peer: String, audio: u32, video: u32 },
    PeerConnected { peer: String },
    PeerDisconnected { peer: String },
    PeerFailed { peer: String, reason: String },
    TrackStarted { peer: String, track: String, cid: String, mid: String, mime_type: String, simulcast: bool },
    TrackEnded { peer: String, track: String },
    SubscriptionStarted { peer: String, track: String },
    SubscriptionFailed { peer: String, track: String, reason: String },
    QualityWanted { peer: String, track: String, quality: Option<String> },
    SpeakersChanged { levels: Vec<(String, f64)> },
    StreamPaused { peer: String, track: String, paused: bool },
    LinkQuality { peer: String, loss: f64, rtt_ms: u32 },
    DataReceived { peer: String, channel: String, payload: Vec<u8> },
    DataOpen { peer: String, channel: String },
}

pub fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Low => "low",
        Quality::Medium => "medium",
        Quality::High => "high",
    }
}

pub fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Reliable => "reliable",
        Channel::Lossy => "lossy",
    }
}

impl From<Event> for PyEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Answered { peer, offer_id, sdp, tracks } => {
                let tracks = tracks.into_iter().map(|(mid, track)| (mid, track.to_string())).collect();
                Self::Answered { peer: peer.to_string(), offer_id, sdp, tracks }
            }
            Event::NegotiationFailed { peer, offer_id, reason } => {
                Self::NegotiationFailed { peer: peer.to_string(), offer_id, reason }
            }
            Event::SectionsNeeded { peer, audio, video } => {
                Self::SectionsNeeded { peer: peer.to_string(), audio, video }
            }
            Event::PeerConnected { peer } => Self::PeerConnected { peer: peer.to_string() },
            Event::PeerDisconnected { peer } => Self::PeerDisconnected { peer: peer.to_string() },
            Event::PeerFailed { peer, reason } => Self::PeerFailed { peer: peer.to_string(), reason },
            Event::TrackStarted { peer, track, cid, mid, mime_type, simulcast } => Self::TrackStarted {
                peer: peer.to_string(),
                track: track.to_string(),
                cid,
                mid,
                mime_type: mime_type.to_owned(),
                simulcast,
            },
            Event::TrackEnded { peer, track } => Self::TrackEnded { peer: peer.to_string(), track: track.to_string() },
            Event::SubscriptionStarted { peer, track } => {
                Self::SubscriptionStarted { peer: peer.to_string(), track: track.to_string() }
            }
            Event::SubscriptionFailed { peer, track, reason } => Self::SubscriptionFailed {
                peer: peer.to_string(),
                track: track.to_string(),
                reason: reason.code().to_owned(),
            },
            Event::QualityWanted { peer, track, quality } => Self::QualityWanted {
                peer: peer.to_string(),
                track: track.to_string(),
                quality: quality.map(quality_name).map(str::to_owned),
            },
            Event::SpeakersChanged { levels } => {
                let levels = levels.into_iter().map(|(peer, level)| (peer.to_string(), level)).collect();
                Self::SpeakersChanged { levels }
            }
            Event::StreamPaused { peer, track, paused } => {
                Self::StreamPaused { peer: peer.to_string(), track: track.to_string(), paused }
            }
            Event::LinkQuality { peer, loss, rtt_ms } => Self::LinkQuality { peer: peer.to_string(), loss, rtt_ms },
            Event::DataReceived { peer, channel, payload } => {
                Self::DataReceived { peer: peer.to_string(), channel: channel_name(channel).to_owned(), payload }
            }
            Event::DataOpen { peer, channel } => {
                Self::DataOpen { peer: peer.to_string(), channel: channel_name(channel).to_owned() }
            }
        }
    }
}
