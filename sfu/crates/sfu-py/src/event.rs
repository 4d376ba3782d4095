//! Events as Python classes: `Event.Answered(...)` and so on.

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::prelude::*;
use tertulia_sfu_io::sfu::{Channel, DataMessage, Event, PeerId, Quality, SubscriptionError, TrackId};

/// The class `Event` with one nested class for each event of the core, with the same fields.
macro_rules! events {
    ($($variant:ident { $($field:ident: $type:ty),* }),* $(,)?) => {
        /// Something that happened: one of the nested classes.
        #[pyclass(name = "Event", module = "tertulia_sfu._core", frozen)]
        pub enum PyEvent { $($variant { $($field: $type),* }),* }

        impl From<Event> for PyEvent {
            fn from(event: Event) -> Self {
                match event {
                    $(Event::$variant { $($field),* } => Self::$variant { $($field: $field.to_python()),* }),*
                }
            }
        }
    };
}

events! {
    Answered { peer: String, offer_id: i64, sdp: String, tracks: HashMap<String, String> },
    Offered { peer: String, offer_id: i64, sdp: String },
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
    PeerReport {
        peer: String,
        remote: String,
        protocol: String,
        rtt_ms: Option<u32>,
        received_loss: Option<f64>,
        received_jitter_ms: Option<u32>,
        sent_loss: Option<f64>,
        sent_jitter_ms: Option<u32>,
        keyframe_requests: u64,
        estimate_bps: Option<u64>,
        published: Vec<(String, Vec<String>)>,
        subscribed: Vec<(String, Option<String>, Option<String>)>
    },
    DataReceived { peer: String, channel: String, payload: Vec<u8> },
    DataLost { peer: String, bytes: u64 },
    DataOpen { peer: String, channel: String },
}

/// The name of a quality in Python.
pub fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Low => "low",
        Quality::Medium => "medium",
        Quality::High => "high",
    }
}

fn name(quality: Option<Quality>) -> Option<String> {
    quality.map(|quality| quality_name(quality).to_owned())
}

/// The name of a data channel in Python.
pub fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Reliable => "reliable",
        Channel::Lossy => "lossy",
        Channel::DataTrack => "data_track",
    }
}

/// A field of an event as Python gets it.
trait ToPython {
    type Python;
    fn to_python(self) -> Self::Python;
}

/// Fields that are converted by an expression.
macro_rules! to_python {
    ($($rust:ty => $python:ty: $convert:expr),* $(,)?) => {
        $(impl ToPython for $rust {
            type Python = $python;
            fn to_python(self) -> $python {
                let convert: fn($rust) -> $python = $convert;
                convert(self)
            }
        })*
    };
}

to_python! {
    bool => bool: |value| value,
    f64 => f64: |value| value,
    i64 => i64: |value| value,
    u32 => u32: |value| value,
    u64 => u64: |value| value,
    String => String: |text| text,
    Arc<DataMessage> => Vec<u8>: |message| message.to_vec(),
    &'static str => String: str::to_owned,
    PeerId => String: |id| id.to_string(),
    TrackId => String: |id| id.to_string(),
    Channel => String: |channel| channel_name(channel).to_owned(),
    SubscriptionError => String: |error| error.code().to_owned(),
    Option<Quality> => Option<String>: name,
    Vec<(String, TrackId)> => HashMap<String, String>:
        |tracks| tracks.into_iter().map(|(mid, track)| (mid, track.to_string())).collect(),
    Option<u32> => Option<u32>: |value| value,
    Option<u64> => Option<u64>: |value| value,
    Option<f64> => Option<f64>: |value| value,
    Vec<(TrackId, Vec<Quality>)> => Vec<(String, Vec<String>)>: |tracks| tracks
        .into_iter()
        .map(|(track, live)| (track.to_string(), live.into_iter().map(|it| quality_name(it).to_owned()).collect()))
        .collect(),
    Vec<(TrackId, Option<Quality>, Option<Quality>)> => Vec<(String, Option<String>, Option<String>)>:
        |tracks| tracks.into_iter().map(|(track, sent, best)| (track.to_string(), name(sent), name(best))).collect(),
    Vec<(PeerId, f64)> => Vec<(String, f64)>:
        |levels| levels.into_iter().map(|(peer, level)| (peer.to_string(), level)).collect(),
}
