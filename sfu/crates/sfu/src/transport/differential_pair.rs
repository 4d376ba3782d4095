//! A connection of ours and its client, without a network between them.

use std::collections::VecDeque;
use std::net::SocketAddr;

use str0m::Candidate;
use str0m::Event;
use str0m::change::SdpAnswer;
use str0m::crypto::dtls::SrtpProfile;
use str0m::format::PayloadParams;
use str0m::media::{Direction, MediaKind, Simulcast, SimulcastLayer};
use str0m::net::{DatagramRecv, Protocol};
use str0m::rtp::RtpPacket;

use super::super::*;
use crate::datagram::Buffers;
use crate::ids::ShardId;
use crate::transport::Codecs;
use crate::transport::crypto::forced::forced;
use crate::transport::dependency;

/// One connection of ours, and its client.
pub(super) struct Pair {
    pub now: Instant,
    pub ours: Transport,
    pub client: Rtc,
    pub drained: Drained,
    pub buffers: Buffers,
    pub server: SocketAddr,
    pub address: SocketAddr,
    pub opened: Vec<RtpPacket>,
    /// What the client has sent: its RTCP, and the rest.
    pub feedback: Vec<Vec<u8>>,
    pub outbound: Vec<Vec<u8>>,
    /// Which shares of its packets are lost, as we have told it.
    pub losses: Vec<f32>,
    /// What we have sent last.
    pub sealed: VecDeque<Vec<u8>>,
    pub random: u64,
}

/// A stream that is sent.
pub(super) struct Stream {
    pub ssrc: Ssrc,
    pub sequence: u64,
    pub codecs: Vec<PayloadParams>,
}

impl Pair {
    /// A client that receives sound and pictures of us.
    pub fn new(profile: SrtpProfile) -> (Self, Vec<Stream>) {
        let mut pair = Self::unconnected(profile);
        let kinds = [(MediaKind::Audio, None), (MediaKind::Video, None)];
        let mids = pair.negotiate(Direction::RecvOnly, kinds);
        let streams = mids.into_iter().map(|(mid, kind)| pair.stream(mid, kind)).collect();
        (pair, streams)
    }

    /// A client that sends sections of these kinds, with these layers.
    pub fn sending(profile: SrtpProfile, kinds: &[(MediaKind, &[&str])]) -> (Self, Vec<str0m::media::Mid>) {
        let mut pair = Self::unconnected(profile);
        let kinds = kinds.iter().map(|(kind, rids)| {
            let layers = || rids.iter().map(|rid| SimulcastLayer::new(rid)).collect();
            let simulcast = (!rids.is_empty()).then(|| Simulcast { send: layers(), recv: Vec::new() });
            (*kind, simulcast)
        });
        let mids = pair.negotiate(Direction::SendOnly, kinds);
        (pair, mids.into_iter().map(|(mid, _)| mid).collect())
    }

    fn unconnected(profile: SrtpProfile) -> Self {
        let (server, address) =
            ("192.0.2.1:7882".parse().expect("an address"), "198.51.100.1:4000".parse().expect("it"));
        let now = Instant::now();
        let (crypto, of_client) = forced(profile);
        let config = ShardConfig::new(&[server]).expect("a configuration").with_crypto(crypto);
        let credentials = IceCredentials::generate(ShardId(0), config.ufrag_key());
        let ours = Transport::new(now, &config, credentials, Codecs::ALL);
        let mut client = str0m::RtcConfig::new()
            .set_rtp_mode(true)
            .set_crypto_provider(Arc::new(of_client))
            .set_stats_interval(Some(Duration::from_secs(1)))
            .clear_codecs()
            .enable_opus(true, true)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_extension(12, dependency::extension())
            .build(now);
        client.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        Self {
            now,
            ours,
            client,
            drained: Drained::default(),
            buffers: Buffers::default(),
            server,
            address,
            opened: Vec::new(),
            feedback: Vec::new(),
            outbound: Vec::new(),
            losses: Vec::new(),
            sealed: VecDeque::new(),
            random: 88_172_645_463_325_252,
        }
    }

    fn negotiate(
        &mut self,
        direction: Direction,
        kinds: impl IntoIterator<Item = (MediaKind, Option<Simulcast>)>,
    ) -> Vec<(str0m::media::Mid, MediaKind)> {
        let mut api = self.client.sdp_api();
        let kinds = kinds.into_iter();
        let mids =
            kinds.map(|(kind, simulcast)| (api.add_media(kind, direction, None, None, simulcast), kind)).collect();
        let (offer, pending) = api.apply().expect("an offer");
        let answer = self.ours.accept_offer(self.now, &mut self.drained, &offer.to_sdp_string(), &[]);
        let answer = answer.expect("a connection").expect("an answer");
        let answer = SdpAnswer::from_sdp_string(&answer).expect("an answer");
        self.client.sdp_api().accept_answer(pending, answer).expect("accepted");
        (0..200).for_each(|_| self.pass_time());
        mids
    }

    fn stream(&mut self, mid: str0m::media::Mid, kind: MediaKind) -> Stream {
        let sending = [(Mid::from(&*mid), false)];
        let ssrcs = self.ours.prepare_streams(self.now, &mut self.drained, &sending).expect("streams");
        let ssrc = ssrcs.values().next().expect("a stream").media;
        // str0m answers as well, to be compared with
        let mut direct = self.ours.rtc.direct_api();
        direct.stream_tx(&ssrc.0.into()).expect("a stream").set_rtx_cache(1024, Duration::from_secs(3), None);
        let is_video = kind.is_video();
        let of_kind = |params: &&PayloadParams| params.spec().codec.is_video() == is_video;
        let codecs = self.ours.rtc.codec_config().iter().filter(of_kind).copied().collect();
        Stream { ssrc, sequence: 65_000, codecs }
    }

    /// xorshift: the test is the same on every run.
    pub fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    pub fn pass_time(&mut self) {
        self.now += Duration::from_millis(10);
        self.client.handle_input(Input::Timeout(self.now)).expect("a connection");
        self.poll_client();
        for data in std::mem::take(&mut self.outbound) {
            self.ours.receive(self.now, &mut self.drained, Path::udp(self.server, self.address), &data).expect("ours");
        }
        self.ours.advance(self.now, &mut self.drained).expect("ours");
        for datagram in std::mem::take(&mut self.drained.datagrams) {
            self.deliver(&datagram.contents);
        }
        self.drained.events.clear();
    }

    pub fn poll_client(&mut self) {
        loop {
            match self.client.poll_output().expect("a connection") {
                Output::Timeout(_) => return,
                Output::Transmit(transmit) if is_rtcp(&transmit.contents) => {
                    self.feedback.push(transmit.contents.to_vec());
                }
                Output::Transmit(transmit) => self.outbound.push(transmit.contents.to_vec()),
                Output::Event(Event::RtpPacket(packet)) => self.opened.push(packet),
                Output::Event(Event::MediaEgressStats(stats)) => self.losses.extend(stats.loss),
                Output::Event(_) => {}
            }
        }
    }

    pub fn deliver(&mut self, data: &[u8]) {
        let contents = DatagramRecv::try_from(data).expect("a datagram");
        let (source, destination) = (self.server, self.address);
        let receive = Receive { proto: Protocol::Udp, source, destination, contents };
        self.client.handle_input(Input::Receive(self.now, receive)).expect("a connection");
        self.poll_client();
    }

    /// What str0m would send now, without what is left empty for a tag, and what it reports.
    pub fn poll_str0m(&mut self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        let (mut media, mut reports) = (Vec::new(), Vec::new());
        let tag = self.ours.sending.rtp_overhead();
        loop {
            match self.ours.rtc.poll_output().expect("a connection") {
                Output::Timeout(_) => return (media, reports),
                Output::Transmit(transmit) => {
                    let mut contents = transmit.contents.to_vec();
                    if is_rtcp(&contents) {
                        contents.truncate(contents.len() - tag - 4);
                        reports.push(contents);
                    } else if rtp_ssrc(&contents).is_some() {
                        contents.truncate(contents.len() - tag);
                        media.push(contents);
                    }
                }
                Output::Event(_) => {}
            }
        }
    }
}
