//! What is known of a peer's link, and its data channels.

use std::sync::Arc;
use std::time::Instant;

use str0m::bwe::BweKind;
use str0m::channel::{ChannelData, ChannelId};
use str0m::stats::PeerStats;

use crate::command::Channel;
use crate::data::Sent;
use crate::event::Event;
use crate::ids::{PeerId, PeerKey};
use crate::peer::Peer;
use crate::shard::Shard;

impl Shard {
    pub(crate) fn on_estimate(&mut self, now: Instant, key: PeerKey, estimate: &BweKind) {
        if let (BweKind::Remb { estimate, .. }, Some(peer)) = (estimate, self.peers.get_mut(key)) {
            peer.budget.estimated(now, estimate.as_u64());
        }
    }

    pub(crate) fn on_stats(&mut self, key: PeerKey, stats: &PeerStats) {
        let Some(peer) = self.peers.get_mut(key) else { return };
        let loss = [stats.egress_loss_fraction, stats.ingress_loss_fraction].into_iter().flatten().fold(0.0, f32::max);
        let rtt_ms = stats.rtt.map_or(0, |rtt| u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX));
        // steps that nobody could tell apart are no change
        let link = ((f64::from(loss) * 100.0).round() / 100.0, rtt_ms.div_ceil(10) * 10);
        if peer.link != Some(link) {
            peer.link = Some(link);
            self.out.events.push(Event::LinkQuality { peer: peer.id.clone(), loss: link.0, rtt_ms });
        }
    }

    pub(crate) fn on_channel_open(&mut self, now: Instant, key: PeerKey, id: ChannelId, label: &str) {
        let Some(peer) = self.peers.get(key) else { return };
        let peer_id = peer.id.clone();
        let opened = self.step(now, key, |Peer { transport, channels, .. }, drained| {
            transport.step(now, drained, |rtc| Ok(channels.opened(rtc, id, label)))
        });
        if let Some(channel) = opened.flatten() {
            self.out.events.push(Event::DataOpen { peer: peer_id, channel });
        }
    }

    pub(crate) fn on_channel_data(&mut self, key: PeerKey, data: ChannelData) {
        let Some(peer) = self.peers.get(key) else { return };
        let Some(channel) = peer.channels.channel_of(data.id) else { return };
        self.counters.data_messages_in += 1;
        self.out.events.push(Event::DataReceived { peer: peer.id.clone(), channel, payload: data.data });
    }

    pub(crate) fn send_data(&mut self, now: Instant, id: &PeerId, channel: Channel, payload: &Arc<[u8]>) {
        let Some(key) = self.peer_key(id) else { return };
        let sent = self.step(now, key, |Peer { transport, channels, .. }, drained| {
            transport.step(now, drained, |rtc| channels.send(rtc, channel, payload))
        });
        match sent {
            Some(Sent::Accepted) => self.counters.data_messages_out += 1,
            Some(Sent::Dropped) => self.counters.drop_data += 1,
            Some(Sent::Overflow) => self.fail(key, "too much unread data"),
            None => {}
        }
    }

    pub(crate) fn resume_data(&mut self, now: Instant, key: PeerKey) {
        if self.peers.get(key).is_some_and(|peer| peer.channels.has_waiting()) {
            self.step(now, key, |Peer { transport, channels, .. }, drained| {
                transport.step(now, drained, |rtc| channels.resume(rtc))
            });
        }
    }

    pub(crate) fn tick_data(&mut self, now: Instant) {
        let waiting = self.peers.iter().filter(|(_, peer)| peer.channels.has_waiting());
        let keys: Vec<PeerKey> = waiting.map(|(key, _)| key).collect();
        for key in keys {
            self.resume_data(now, key);
        }
    }
}
