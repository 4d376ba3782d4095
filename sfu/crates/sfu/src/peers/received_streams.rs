//! The track and layer of each stream that a peer sends.

use crate::ids::{Ssrc, TrackKey};

/// A peer with more streams than this has its table cleared; they are looked up again.
const MAX_STREAMS: usize = 128;

/// A short list, scanned for every packet: most peers send one to four streams.
#[derive(Default)]
pub(super) struct ReceivedStreams {
    streams: Vec<(Ssrc, TrackKey, u8)>,
}

impl ReceivedStreams {
    pub fn get(&self, ssrc: Ssrc) -> Option<(TrackKey, u8)> {
        self.streams.iter().find(|(known, _, _)| *known == ssrc).map(|(_, track, layer)| (*track, *layer))
    }

    pub fn insert(&mut self, ssrc: Ssrc, track: TrackKey, layer: u8) {
        if self.streams.len() >= MAX_STREAMS {
            self.streams.clear();
        }
        self.streams.push((ssrc, track, layer));
    }

    pub fn remove_track(&mut self, track: TrackKey) {
        self.streams.retain(|(_, other, _)| *other != track);
    }
}

/// LiveKit's rids, lowest layer first; a section without rids has one layer.
pub(super) fn layer_of_rid(rid: Option<&str>) -> u8 {
    match rid {
        Some("h" | "1") => 1,
        Some("f" | "0") => 2,
        _ => 0,
    }
}
