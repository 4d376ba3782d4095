//! One peer connection, with the only safe way to use it.
//!
//! drain-after-mutation: str0m holds one received packet at a time, so every mutation must be followed by polling until
//! it returns its next deadline. [`Transport::step`] does both and is the only mutable access to it. Media that is sent
//! does not touch it: [`Egress::send`] collects it, and [`Transport::flush`] seals it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::BweKind;
use str0m::change::SdpOffer;
use str0m::net::{Receive, Transmit};
use str0m::{Event, Input, Output, Rtc, RtcError};

use super::channels::{Channels, Sent};
use super::codec::{CodecFormat, PayloadTypes};
use super::config::{Codecs, ShardConfig, net_protocol, path_of};
use super::credentials::IceCredentials;
use super::drained::{Drained, TransportEvent};
use super::error::TransportError;
use super::handshake::KeySlot;
use super::incoming::{is_rtcp, rtp_ssrc};
use super::offers::{Offer, OfferChanges, Offers};
use super::outlet::Codec;
use super::packet::{Egress, Outgoing};
use super::padding::Padding;
use super::receiving::{Receiving, Refusal};
use super::reports::{self, PROBE};
use super::resends::Resends;
use super::sending::Sending;
use super::statistics;
use super::streams::{OutgoingStreams, StreamSsrcs};
use super::stun::is_stun;
use crate::data::DataMessage;
use crate::datagram::{Buffers, Datagram, Path};
use crate::ids::{Mid, Ssrc};
use crate::media::Channel;

#[cfg(test)]
#[path = "differential.rs"]
mod differential;

/// Deadlines nearer than this are put off: each one walks every stream of the connection.
const TIMER_SLACK: Duration = Duration::from_millis(2);

pub(crate) struct Transport {
    rtc: Rtc,
    credentials: IceCredentials,
    channels: Channels,
    receiving: Receiving,
    outgoing: OutgoingStreams,
    sending: Sending,
    offers: Offers,
    deadline: Instant,
}

impl Transport {
    pub fn new(now: Instant, config: &ShardConfig, credentials: IceCredentials, codecs: Codecs) -> Self {
        let rtc = config.connection(now, &credentials, codecs);
        Self {
            rtc,
            credentials,
            channels: Channels::default(),
            receiving: Receiving::default(),
            outgoing: OutgoingStreams::default(),
            sending: Sending::new(KeySlot::of_newest()),
            offers: Offers::default(),
            deadline: now,
        }
    }

    /// One mutation, then everything that follows from it.
    fn step<R>(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        mutate: impl FnOnce(&mut Rtc, &mut Channels) -> Result<R, RtcError>,
    ) -> Result<R, TransportError> {
        let result = mutate(&mut self.rtc, &mut self.channels)?;
        self.drain(now, drained)?;
        Ok(result)
    }

    fn drain(&mut self, now: Instant, drained: &mut Drained) -> Result<(), RtcError> {
        if self.sending.has_to_ask(now) {
            let nobody = 1.into();
            self.rtc.direct_api().send_app_specific_feedback(nobody, nobody, &PROBE[..]);
        }
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(transmit) => drained.datagrams.extend(self.datagram(now, transmit)),
                Output::Event(event) => self.read_event(event, drained),
                Output::Timeout(deadline) => {
                    if !self.channels.follow_up(&mut self.rtc)? {
                        self.deadline = deadline.max(now + TIMER_SLACK);
                        return Ok(());
                    }
                }
            }
        }
    }

    /// What str0m sends, sealed where that is for us to do. None for what is not sent.
    fn datagram(&mut self, now: Instant, transmit: Transmit) -> Option<Datagram> {
        let path = path_of(&transmit);
        let mut contents: Vec<u8> = transmit.contents.into();
        if !is_stun(&contents) {
            self.sending.set_path(path);
        }
        if rtp_ssrc(&contents).is_some() {
            return None;
        }
        if is_rtcp(&contents) {
            contents = self.sending.report(now, &mut self.outgoing, &contents)?;
        }
        Some(Datagram { path, is_video: false, contents })
    }

    fn read_event(&mut self, event: Event, drained: &mut Drained) {
        match event {
            Event::Connected => drained.push(TransportEvent::Connected),
            Event::Closed => drained.push(TransportEvent::Closed),
            Event::KeyframeRequest(request) => {
                drained.push(TransportEvent::KeyframeRequested(Mid::from(&*request.mid)));
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => {
                drained.push(TransportEvent::BandwidthEstimated(estimate.as_u64()));
            }
            Event::PeerStats(stats) => {
                statistics::tell(&stats, self.receiving.take_stats(), self.outgoing.take_stats(), drained);
            }
            Event::ChannelOpen(id, label) => {
                if let Some(channel) = self.channels.on_open(id, &label) {
                    drained.push(TransportEvent::ChannelOpened(channel));
                }
            }
            Event::ChannelData(data) => {
                if let Some(channel) = self.channels.channel_of(data.id) {
                    drained.push(TransportEvent::DataReceived(channel, data.data));
                }
            }
            Event::ChannelClose(id) => self.channels.on_close(id),
            Event::ChannelBufferedAmountLow(_) => self.channels.on_writable(),
            _ => {}
        }
    }

    // ── time and datagrams ──

    pub fn receive(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        path: Path,
        data: &[u8],
    ) -> Result<(), TransportError> {
        if rtp_ssrc(data).is_some() {
            return self.receive_media(now, drained, data);
        }
        if is_rtcp(data) && self.receive_reports(now, drained, data) {
            return Ok(());
        }
        // a datagram that cannot be parsed is not held against the peer: its source address may be forged
        let Ok(receive) = Receive::new(net_protocol(path.protocol), path.remote, path.local, data) else {
            return Ok(());
        };
        if is_stun(data) {
            self.sending.checked(now, path);
        }
        self.step(now, drained, |rtc, _| rtc.handle_input(Input::Receive(now, receive)))
    }

    fn receive_media(&mut self, now: Instant, drained: &mut Drained, data: &[u8]) -> Result<(), TransportError> {
        match self.receiving.receive(now, &mut self.rtc, &mut self.sending, data) {
            Ok(packet) => drained.push_media(packet),
            Err(Refusal::Untried) => drained.refused += 1,
            Err(Refusal::TooManyStreams) => return Err(TransportError::TooManyStreams),
        }
        self.receiving.tell(now, &mut self.sending, &mut drained.datagrams);
        Ok(())
    }

    /// Read what a client reports. False if str0m has to see it, too.
    fn receive_reports(&mut self, now: Instant, drained: &mut Drained, data: &[u8]) -> bool {
        let Some(compound) = self.sending.open_reports(data) else { return true };
        self.receiving.read_reports(now, &compound);
        self.sending.read_reports(now, &mut self.outgoing, &compound, drained);
        reports::is_ours(&compound)
    }

    /// Seal the packets collected by [`Egress::send`].
    pub fn flush(&mut self, now: Instant, buffers: &mut Buffers, drained: &mut Drained) {
        self.sending.flush(now, &mut self.outgoing, buffers, &mut drained.datagrams);
    }

    /// Let time pass.
    pub fn advance(&mut self, now: Instant, drained: &mut Drained) -> Result<(), TransportError> {
        self.receiving.advance(now, &mut self.sending, &mut drained.datagrams);
        self.sending.send_due(now, &mut self.outgoing, &mut drained.datagrams);
        while let Some(packet) = self.receiving.take_held(now) {
            drained.push_media(packet);
        }
        self.step(now, drained, |rtc, _| rtc.handle_input(Input::Timeout(now)))
    }

    /// When [`Transport::advance`] is due.
    pub fn deadline(&self) -> Instant {
        [self.sending.next_at(), self.receiving.next_at()].into_iter().flatten().fold(self.deadline, Instant::min)
    }

    /// Send DTLS close_notify, so that the client need not wait for its timeout.
    pub fn close(&mut self, now: Instant, drained: &mut Drained) -> Result<(), TransportError> {
        self.step(now, drained, |rtc, _| rtc.close())
    }

    // ── negotiation ──

    /// Apply an offer, which names the streams `sources`. The inner error says what is wrong with the offer; the connection is as it was.
    pub fn accept_offer(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        sdp: &str,
        sources: &[Ssrc],
    ) -> Result<Result<String, String>, TransportError> {
        let offer = match SdpOffer::from_sdp_string(sdp) {
            Ok(offer) => offer,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let answer = self.step(now, drained, |rtc, _| Ok(rtc.sdp_api().accept_offer(offer)))?;
        if answer.is_ok() {
            self.receiving.negotiated(sdp);
            self.receiving.declare(&mut self.rtc, sources);
            self.drain(now, drained)?;
        }
        Ok(answer.map(|answer| answer.to_sdp_string()).map_err(|error| error.to_string()))
    }

    /// After an ICE restart str0m has generated credentials of its own: replace them by `fresh`. Returns the replaced
    /// ones, None without a restart.
    pub fn adopt_credentials(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        fresh: &IceCredentials,
    ) -> Result<Option<IceCredentials>, TransportError> {
        let current = IceCredentials::from(self.rtc.direct_api().local_ice_credentials());
        if current == self.credentials {
            return Ok(None);
        }
        self.credentials = fresh.clone();
        self.step(now, drained, |rtc, _| {
            rtc.direct_api().set_local_ice_credentials(fresh.into());
            Ok(Some(current))
        })
    }

    /// Make an offer; None if nothing changes. The one before must have been answered.
    pub fn make_offer(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        changes: OfferChanges,
    ) -> Result<Option<Offer>, TransportError> {
        let offer = self.offers.make(&mut self.rtc, changes);
        self.drain(now, drained)?;
        Ok(offer)
    }

    /// Apply the answer to the last offer. The inner error says what is wrong with it. Returns credentials that are
    /// new with it.
    pub fn accept_answer(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        sdp: &str,
    ) -> Result<Result<Option<IceCredentials>, String>, TransportError> {
        let outcome = self.offers.accept(&mut self.rtc, sdp);
        if let Ok(fresh) = &outcome {
            self.credentials = fresh.as_ref().unwrap_or(&self.credentials).clone();
            self.receiving.negotiated(sdp);
        }
        self.drain(now, drained)?;
        Ok(outcome)
    }

    // ── streams ──

    /// The section that a received stream belongs to, and its rid (RFC 8852).
    pub fn stream_of(&self, ssrc: Ssrc) -> Option<(Mid, Option<String>)> {
        self.receiving.stream_of(ssrc)
    }

    /// The payload types under which this peer can receive `codec` on one of our streams.
    pub fn payload_types_of(&self, codec: CodecFormat, ssrc: Ssrc) -> Option<PayloadTypes> {
        codec.payload_types_in(self.rtc.codec_config(), self.rtc.media(self.outgoing.section_of(ssrc)?)?.remote_pts())
    }

    /// The SSRCs of sections that send; a section marked true gets new ones.
    pub fn prepare_streams(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        sending: &[(Mid, bool)],
    ) -> Result<HashMap<Mid, StreamSsrcs>, TransportError> {
        self.sending.flush_all(now, &mut self.outgoing, &mut drained.datagrams);
        let ssrcs = self.outgoing.prepare(&mut self.rtc, sending);
        self.drain(now, drained)?;
        Ok(ssrcs)
    }

    /// Ask the client for a key frame of a received stream.
    pub fn request_keyframe(&mut self, ssrc: Ssrc, drained: &mut Drained) {
        drained.datagrams.extend(self.receiving.request_keyframe(ssrc, &mut self.sending));
    }

    // ── what the link carries ──

    /// What the link to the client carries, where it is full at times: pictures are sent no faster, and nothing twice.
    /// With padding for a moment, to learn whether it is more.
    pub fn set_rate(&mut self, rate_bps: Option<u64>, padding: Option<Padding>) {
        self.sending.set_rate(rate_bps, padding);
    }

    /// Send nothing (again) of what a stream carried so far.
    pub fn forget_sent(&mut self, ssrc: Ssrc) {
        let Some(key) = self.outgoing.find(ssrc) else { return };
        self.sending.forget(key);
        if let Some(outlet) = self.outgoing.get_mut(key) {
            outlet.resends = Resends::default();
        }
    }

    // ── data ──

    pub fn send_data(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        channel: Channel,
        payload: &Arc<DataMessage>,
    ) -> Result<Sent, TransportError> {
        self.step(now, drained, |rtc, channels| channels.send(now, rtc, channel, payload))
    }

    /// Send waiting data as far as the buffers allow. How much (in bytes) was dropped, because the client does not take
    /// it.
    pub fn resume_data(&mut self, now: Instant, drained: &mut Drained) -> Result<Option<u64>, TransportError> {
        self.step(now, drained, |rtc, channels| {
            channels.resume(rtc)?;
            Ok(channels.drop_stuck(now))
        })
    }

    pub fn has_waiting_data(&self) -> bool {
        self.channels.has_waiting()
    }
}

impl Egress for Transport {
    fn send(&mut self, packet: Outgoing<'_>) -> bool {
        let Some(key) = self.outgoing.find(packet.ssrc) else { return false };
        let Some(outlet) = self.outgoing.get_mut(key) else { return false };
        if outlet.codec.plain != Some(packet.payload_types.plain) {
            outlet.codec = Codec::find(self.rtc.codec_config(), packet.payload_types.plain);
        }
        self.sending.queue(!outlet.is_video, key, packet.write(outlet.codec.rtx));
        true
    }
}
