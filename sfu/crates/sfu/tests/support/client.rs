//! A client: a real peer connection that offers, publishes synthetic media and keeps what it receives.

mod negotiation;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::bwe::BweKind;
use str0m::change::SdpPendingOffer;
use str0m::channel::ChannelId;
use str0m::format::Codec;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Rid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tertulia_sfu::{Kind, PeerId, TrackId};

use super::dependency;
use super::received::Got;
use super::sender::{Sender, audio_payload, av1_payload, redundant_payload, vp8_payload, vp9_payload};

/// What a client can do.
#[derive(Clone, Copy)]
pub struct Abilities {
    /// It reads redundant sound.
    pub has_red: bool,
    /// It tells when packets arrive (transport-wide feedback).
    pub tells_arrivals: bool,
}

pub struct Client {
    pub id: PeerId,
    /// Where others see it; its network may change it.
    pub address: SocketAddr,
    /// Where it sees itself.
    local: SocketAddr,
    pub rtc: Rtc,
    pub offer_wanted: bool,
    pub senders: Vec<Sender>,
    pub tracks: HashMap<Mid, TrackId>,
    pub answers: Vec<String>,
    pub offers: Vec<String>,
    pub data: Vec<(String, Vec<u8>)>,
    pub channels: HashMap<String, ChannelId>,
    pub read: usize,
    /// What it may send, as it was told last (REMB).
    pub limit_bps: Option<u64>,
    /// Which of the negotiated payload types of a kind packets without regard to rules have.
    pub raw_codec: usize,
    got: HashMap<TrackId, Vec<Got>>,
    pending: Option<SdpPendingOffer>,
    to_add: Vec<(MediaKind, usize)>,
    receiving: Vec<Mid>,
    /// Offer receiving sections as inactive.
    pub holds: bool,
    began: bool,
    restart: bool,
    datagrams: Vec<Vec<u8>>,
    start: Instant,
    deadline: Instant,
    offer_id: i64,
}

impl Client {
    pub fn new(
        index: usize,
        now: Instant,
        address: SocketAddr,
        (audio, video): (usize, usize),
        abilities: Abilities,
    ) -> Self {
        let mut known = ExtensionMap::empty();
        for (id, extension) in ExtensionMap::standard().iter() {
            if abilities.tells_arrivals || *extension != Extension::TransportSequenceNumber {
                known.set(id, extension.clone());
            }
        }
        let mut rtc = str0m::RtcConfig::new()
            .set_rtp_mode(true)
            .set_extension_map(known)
            .clear_codecs()
            .enable_opus(true, abilities.has_red)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_extension(12, dependency::extension())
            .build(now);
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        Self {
            id: PeerId::from(format!("PA_{index}").as_str()),
            address,
            local: address,
            rtc,
            offer_wanted: false,
            senders: Vec::new(),
            tracks: HashMap::new(),
            answers: Vec::new(),
            offers: Vec::new(),
            data: Vec::new(),
            channels: HashMap::new(),
            read: 0,
            limit_bps: None,
            raw_codec: 0,
            got: HashMap::new(),
            pending: None,
            to_add: vec![(MediaKind::Audio, audio), (MediaKind::Video, video)],
            receiving: Vec::new(),
            holds: false,
            began: false,
            restart: false,
            datagrams: Vec::new(),
            start: now,
            deadline: now,
            offer_id: 0,
        }
    }

    pub fn received(&self, track: &TrackId) -> &[Got] {
        self.got.get(track).map_or(&[], Vec::as_slice)
    }

    pub fn forget(&mut self) {
        self.got.clear();
    }

    pub fn sender(&mut self, track: usize) -> &mut Sender {
        &mut self.senders[track]
    }

    pub fn publish(&mut self, kind: Kind, rids: &[&str]) -> String {
        let cid = format!("cid{}", self.senders.len());
        self.senders.push(Sender::new(cid.clone(), kind, rids));
        cid
    }

    pub fn unpublish(&mut self, sender: usize) {
        let mid = self.senders[sender].mid.take().unwrap();
        let mut api = self.rtc.sdp_api();
        api.set_direction(mid, Direction::Inactive);
        let (offer, pending) = api.apply().unwrap();
        self.offers.push(offer.to_sdp_string());
        self.pending = Some(pending);
        self.offer_wanted = true;
    }

    pub fn add_sections(&mut self, audio: usize, video: usize) {
        self.to_add.extend([(MediaKind::Audio, audio), (MediaKind::Video, video)]);
        self.offer_wanted = true;
    }

    pub fn send(&mut self, now: Instant, label: &str, data: &[u8]) -> bool {
        let id = self.channels[label];
        let sent = self.rtc.channel(id).unwrap().write(true, data).unwrap();
        self.drain(now);
        sent
    }

    /// It has another address from now on.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
        self.rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
    }

    pub fn receive(&mut self, now: Instant, source: SocketAddr, data: &[u8]) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, self.local, data) else { return };
        self.rtc.handle_input(Input::Receive(now, receive)).unwrap();
        self.drain(now);
    }

    pub fn take_datagrams(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.datagrams)
    }

    /// Media of this instant, and timers.
    pub fn produce(&mut self, now: Instant) {
        for index in 0..self.senders.len() {
            let interval = match (self.senders[index].kind, self.senders[index].is_silent) {
                (Kind::Audio, true) => 400,
                (Kind::Audio, false) => 20,
                (Kind::Video, _) => 33,
            };
            let sender = &mut self.senders[index];
            let Some(mid) = sender.mid.filter(|mid| self.rtc.media(*mid).is_some()) else { continue };
            if !self.rtc.is_connected() || sender.muted {
                continue;
            }
            let due = *sender.next.get_or_insert(now);
            if now >= due {
                sender.next = Some(due + Duration::from_millis(interval));
                self.write_frames(now, index, mid);
            }
        }
        if now >= self.deadline {
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
            self.drain(now);
        }
    }

    /// As browsers do.
    pub fn resend_without_limit(&mut self) {
        for sender in &self.senders {
            let Some(mid) = sender.mid else { continue };
            for rid in sender.rids.iter().map(|rid| Rid::from(rid.as_str())) {
                if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, Some(rid)) {
                    stream.set_rtx_cache(1024, Duration::from_secs(4), None);
                }
            }
        }
    }

    /// Write frames without regard to their rate.
    pub fn flood(&mut self, now: Instant, sender: usize, frames: usize) {
        if let Some(mid) = self.senders[sender].mid {
            (0..frames).for_each(|_| self.write_frames(now, sender, mid));
        }
    }

    /// One packet of another stream in a sender's section.
    pub fn send_stream(&mut self, now: Instant, sender: usize, ssrc: u32) {
        self.send_raw(now, sender, Some(ssrc), ExtensionValues::default(), 1, vec![0x78; 60]);
    }

    /// One packet as it may not be, in a sender's section; with an SSRC it is of a stream of its own.
    pub fn send_raw(
        &mut self,
        now: Instant,
        sender: usize,
        ssrc: Option<u32>,
        extensions: ExtensionValues,
        sequence: u64,
        payload: Vec<u8>,
    ) {
        let sender = &self.senders[sender];
        let is_audio = sender.kind == Kind::Audio;
        let Some(mid) = sender.mid else { return };
        let of_kind = self.rtc.codec_config().iter().filter(|params| params.spec().codec.is_audio() == is_audio);
        let known: Vec<_> = of_kind.flat_map(|params| [Some(params.pt()), params.red()]).flatten().collect();
        let Some(pt) = known.get(self.raw_codec % known.len().max(1)).copied() else { return };
        let write = RtpWrite::new(pt, sequence.into(), sequence as u32, now, payload).ext_vals(extensions);
        let mut direct = self.rtc.direct_api();
        match ssrc {
            Some(ssrc) => {
                // of two streams with the same mid and rid, str0m sends one, chosen by chance
                let rid = Some(Rid::from("other"));
                direct.declare_stream_tx(ssrc.into(), None, mid, rid).write_rtp(write);
            }
            None => {
                let rid = sender.rids.first().map(|rid| Rid::from(rid.as_str()));
                if let Some(stream) = direct.stream_tx_by_mid(mid, rid) {
                    stream.write_rtp(write);
                }
            }
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain(now);
        if let Some(ssrc) = ssrc {
            self.rtc.direct_api().remove_stream_tx(ssrc.into());
        }
    }

    fn write_frames(&mut self, now: Instant, index: usize, mid: Mid) {
        let sender = &mut self.senders[index];
        let codec = match (sender.kind, sender.is_svc) {
            (Kind::Audio, _) => Codec::Opus,
            (Kind::Video, false) => Codec::Vp8,
            (Kind::Video, true) if sender.is_av1 => Codec::Av1,
            (Kind::Video, true) => Codec::Vp9,
        };
        let Some(params) = self.rtc.codec_config().find(|params| params.spec().codec == codec) else { return };
        let redundant = params.red().filter(|_| sender.is_redundant);
        let (pt, elapsed) = (params.pt(), now - self.start);
        let rate = if sender.kind == Kind::Audio { 48_000 } else { 90_000 };
        for (layer, encoding) in sender.encodings.iter_mut().enumerate() {
            if sender.paused[layer] {
                continue;
            }
            let rid = sender.rids.get(layer).map(|rid| Rid::from(rid.as_str()));
            let ticks = (elapsed.as_micros() * rate / 1_000_000) as u32;
            let timestamp = encoding.base_timestamp.wrapping_add(ticks);
            let packets = match (sender.kind, sender.is_svc) {
                (Kind::Audio, _) => 1,
                (Kind::Video, false) => 1 + layer,
                (Kind::Video, true) => 3,
            };
            let has_temporal_layers = sender.has_temporal_layers;
            let keyframe = !sender.withheld[layer] && std::mem::take(&mut encoding.keyframe);
            for packet in 0..packets {
                let payload = match sender.kind {
                    Kind::Audio if redundant.is_some() => redundant_payload(*pt, encoding.frame, 960),
                    Kind::Audio => audio_payload(encoding.frame),
                    Kind::Video if sender.is_av1 => av1_payload(packet as u8, encoding, keyframe),
                    Kind::Video if sender.is_svc => vp9_payload(packet as u8, encoding, keyframe),
                    Kind::Video => vp8_payload(layer as u8, encoding, packet == 0, keyframe, has_temporal_layers),
                };
                let mut extensions = ExtensionValues {
                    audio_level: (sender.kind == Kind::Audio && sender.has_levels).then_some(sender.level),
                    voice_activity: Some(sender.kind == Kind::Audio),
                    ..ExtensionValues::default()
                };
                if sender.is_av1 {
                    extensions.user_values.set(dependency::descriptor(packet as u8, encoding.frame, keyframe));
                }
                let write = RtpWrite::new(redundant.unwrap_or(pt), encoding.sequence.into(), timestamp, now, payload)
                    .marker(packet + 1 == packets)
                    .ext_vals(extensions)
                    .nackable(true);
                let mut direct = self.rtc.direct_api();
                if let Some(stream) = direct.stream_tx_by_mid(mid, rid) {
                    stream.write_rtp(write);
                    encoding.sequence += 1;
                }
            }
            encoding.frame += 1;
            encoding.picture = (encoding.picture + 1) & 0x7fff;
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain(now);
    }

    pub fn ask_keyframe(&mut self, now: Instant, track: &TrackId) {
        let mid = self.tracks.iter().find(|(_, of)| *of == track).map(|(mid, _)| *mid).unwrap();
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain(now);
    }

    pub fn send_estimate(&mut self, now: Instant, track: &TrackId, bps: u64) {
        let mid = self.tracks.iter().find(|(_, of)| *of == track).map(|(mid, _)| *mid).unwrap();
        if let Some(stream) = self.rtc.direct_api().stream_rx_by_mid(mid, None) {
            stream.request_remb(bps.into());
        }
        self.rtc.handle_input(Input::Timeout(now)).unwrap();
        self.drain(now);
    }

    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return;
                }
                Output::Transmit(transmit) => self.datagrams.push(transmit.contents.to_vec()),
                Output::Event(event) => self.on_event(now, event),
            }
        }
    }

    fn on_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::RtpPacket(packet) => self.on_packet(now, packet),
            Event::KeyframeRequest(request) => {
                for sender in self.senders.iter_mut().filter(|sender| sender.mid == Some(request.mid)) {
                    sender.keyframes_asked += 1;
                    let layer = request.rid.and_then(|rid| sender.rids.iter().position(|of| **of == *rid)).unwrap_or(0);
                    sender.encodings[layer].keyframe = true;
                }
            }
            Event::EgressBitrateEstimate(BweKind::Remb { estimate, .. }) => self.limit_bps = Some(estimate.as_u64()),
            Event::ChannelOpen(id, label) => {
                self.channels.insert(label, id);
            }
            Event::ChannelData(data) => {
                let label = self.channels.iter().find(|(_, id)| **id == data.id).map(|(label, _)| label.clone());
                self.data.push((label.unwrap(), data.data));
            }
            _ => {}
        }
    }

    fn on_packet(&mut self, now: Instant, packet: RtpPacket) {
        let ssrc = packet.header.ssrc;
        let Some(mid) = self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid()) else { return };
        let Some(track) = self.tracks.get(&mid) else { return };
        let is_audio = self.rtc.media(mid).is_some_and(|media| media.kind().is_audio());
        let got = Got::read(now, is_audio, &packet);
        self.got.entry(track.clone()).or_default().push(got);
    }
}
