//! Outgoing RTP streams, one for each section that sends.

use std::collections::HashMap;
use std::time::Duration;

use rustc_hash::FxHashMap;
use slab::Slab;
use str0m::Rtc;

use super::measured::SentStats;
use super::outlet::Outlet;
use super::rtp_header::Extensions;
use super::srtp::StreamKey;
use crate::ids::{Mid, Ssrc};

/// The streams of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StreamSsrcs {
    pub media: Ssrc,
    /// The stream of retransmissions (RFC 4588).
    pub rtx: Option<Ssrc>,
}

/// str0m keeps nothing for retransmission: it sends no media.
const NO_CACHE: (usize, Duration) = (1, Duration::from_millis(1));

/// One of the streams of [`OutgoingStreams`], until the next [`OutgoingStreams::prepare`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OutletKey(usize);

/// Outgoing streams of one connection.
#[derive(Default)]
pub(super) struct OutgoingStreams {
    outlets: Slab<Outlet>,
    /// By the SSRCs of their media, which are ours: nobody can choose such that collide.
    by_ssrc: FxHashMap<Ssrc, OutletKey>,
}

impl OutgoingStreams {
    /// The SSRCs of sections that send; the stream of a section marked true is replaced first.
    pub fn prepare(&mut self, rtc: &mut Rtc, sending: &[(Mid, bool)]) -> HashMap<Mid, StreamSsrcs> {
        let mut ssrcs = HashMap::new();
        for (section, is_replaced) in sending {
            let mid = section.as_str().into();
            let Some(media) = rtc.media(mid) else { continue };
            let (is_video, extensions) = (media.kind().is_video(), Extensions::of(media.remote_extmap()));
            let mut direct = rtc.direct_api();
            if *is_replaced {
                // str0m's reset of a stream keeps it under its old SSRC, where feedback for the new one does not reach it
                let old = direct.stream_tx_by_mid(mid, None).map(|stream| (stream.ssrc(), stream.rtx()));
                if let Some((old, old_rtx)) = old {
                    direct.remove_stream_tx(old);
                    self.remove(Ssrc(*old));
                    let (ssrc, rtx) = (direct.new_ssrc(), old_rtx.map(|_| direct.new_ssrc()));
                    direct.declare_stream_tx(ssrc, rtx, mid, None);
                }
            }
            if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
                let (media, rtx) = (Ssrc(*stream.ssrc()), stream.rtx().map(|rtx| Ssrc(*rtx)));
                stream.set_rtx_cache(NO_CACHE.0, NO_CACHE.1, None);
                match self.of_ssrc(media) {
                    Some(known) => known.extensions = extensions,
                    None => self.add(Outlet::new(media, rtx, is_video, mid, extensions)),
                }
                ssrcs.insert(section.clone(), StreamSsrcs { media, rtx });
            }
        }
        ssrcs
    }

    /// The section of a stream of media.
    pub fn section_of(&self, ssrc: Ssrc) -> Option<str0m::media::Mid> {
        self.find(ssrc).and_then(|key| self.outlets.get(key.0)).map(|outlet| outlet.mid)
    }

    fn add(&mut self, outlet: Outlet) {
        let ssrc = outlet.ssrc;
        self.by_ssrc.insert(ssrc, OutletKey(self.outlets.insert(outlet)));
    }

    fn remove(&mut self, ssrc: Ssrc) {
        if let Some(key) = self.by_ssrc.remove(&ssrc) {
            self.outlets.try_remove(key.0);
        }
    }

    pub fn find(&self, ssrc: Ssrc) -> Option<OutletKey> {
        self.by_ssrc.get(&ssrc).copied()
    }

    pub fn get_mut(&mut self, key: OutletKey) -> Option<&mut Outlet> {
        self.outlets.get_mut(key.0)
    }

    /// The stream whose media has this SSRC.
    pub fn of_ssrc(&mut self, ssrc: Ssrc) -> Option<&mut Outlet> {
        self.find(ssrc).and_then(|key| self.get_mut(key))
    }

    /// A stream that can carry padding, and how.
    pub fn padded(&mut self) -> Option<(&mut Outlet, (StreamKey, u8, u32))> {
        self.outlets.iter_mut().find_map(|(_, outlet)| outlet.padding().map(|padding| (outlet, padding)))
    }

    /// What was sent on each stream on which anything was, and what the client said of it since the last time.
    pub fn take_stats(&mut self) -> impl Iterator<Item = SentStats> {
        self.outlets.iter_mut().filter_map(|(_, outlet)| outlet.take_stats())
    }
}
