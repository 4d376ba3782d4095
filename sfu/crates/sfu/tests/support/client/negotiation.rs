//! Offers and answers of the client.

use std::time::Instant;

use super::Client;
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::{Direction, MediaKind, Mid, Simulcast, SimulcastLayer};
use tertulia_sfu::{Kind, TrackId};

impl Client {
    /// New ICE credentials with the next offer.
    pub fn restart_ice(&mut self) {
        self.restart = true;
        self.offer_wanted = true;
    }

    pub fn make_offer(&mut self, now: Instant) -> Option<(i64, String)> {
        if !self.offer_wanted {
            return None;
        }
        self.offer_wanted = false;
        self.offer_id += 1;
        if self.pending.is_some() {
            return Some((self.offer_id, self.offers.last().unwrap().clone()));
        }
        let mut added = Vec::new();
        let mut api = self.rtc.sdp_api();
        if !self.began {
            self.began = true;
            for label in ["_lossy", "_reliable", "_data_track"] {
                api.add_channel(label.to_owned());
            }
        }
        for (kind, count) in self.to_add.drain(..) {
            for _ in 0..count {
                added.push(api.add_media(kind, Direction::RecvOnly, None, None, None));
            }
        }
        for sender in self.senders.iter_mut().filter(|sender| sender.mid.is_none() && sender.next.is_none()) {
            let kind = if sender.kind == Kind::Audio { MediaKind::Audio } else { MediaKind::Video };
            let simulcast = (!sender.rids.is_empty()).then(|| {
                let send = sender.rids.iter().map(|rid| SimulcastLayer::new(rid)).collect();
                Simulcast { send, recv: vec![] }
            });
            let mid =
                api.add_media(kind, Direction::SendOnly, Some("stream".into()), Some(sender.cid.clone()), simulcast);
            sender.mid = Some(mid);
        }
        // browsers offer a receiving transceiver as such again, whatever was answered
        for mid in &self.receiving {
            let offered = if self.holds { Direction::Inactive } else { Direction::RecvOnly };
            api.set_direction(*mid, if self.holds { Direction::RecvOnly } else { Direction::Inactive });
            api.set_direction(*mid, offered);
        }
        self.receiving.extend(added);
        if std::mem::take(&mut self.restart) {
            api.ice_restart(true);
        }
        let (offer, pending) = api.apply().expect("every client here has a receiving section");
        self.pending = Some(pending);
        let sdp = offer.to_sdp_string();
        self.offers.push(sdp.clone());
        self.drain(now);
        Some((self.offer_id, sdp))
    }

    pub fn answered(&mut self, now: Instant, sdp: &str, tracks: &[(String, TrackId)]) {
        self.answers.push(sdp.to_owned());
        let answer = SdpAnswer::from_sdp_string(sdp).expect("an answer that a client can read");
        if let Some(pending) = self.pending.take() {
            self.rtc.sdp_api().accept_answer(pending, answer).expect("an answer that a client can accept");
        }
        self.tracks = tracks.iter().map(|(mid, track)| (Mid::from(mid.as_str()), track.clone())).collect();
        self.drain(now);
    }

    /// Answer an offer of the server.
    pub fn answer(&mut self, now: Instant, sdp: &str) -> String {
        self.offers.push(sdp.to_owned());
        let answer = self.rtc.sdp_api().accept_offer(SdpOffer::from_sdp_string(sdp).unwrap()).unwrap();
        let mut mid = None;
        for line in sdp.lines() {
            if let Some(value) = line.strip_prefix("a=mid:") {
                mid = Some(Mid::from(value));
            } else if let (Some(mid), Some(msid)) = (mid, line.strip_prefix("a=msid:")) {
                self.tracks.insert(mid, TrackId::from(msid.split(' ').nth(1).unwrap()));
            }
        }
        self.drain(now);
        answer.to_sdp_string()
    }
}
