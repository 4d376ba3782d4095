//! A media server (plain str0m) and a receiver in virtual time, on a network that loses packets on demand.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::format::Codec;
use str0m::media::{Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol as NetProtocol, Receive, TcpType};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tertulia_sfu_receiver::{Frame, Path, Peer, Protocol, State};

pub const STEP: Duration = Duration::from_millis(5);
pub const FRAME_INTERVAL: Duration = Duration::from_millis(40);
pub const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
pub const KEY: u8 = 0x10;
pub const DELTA: u8 = 0x11;

pub struct Session {
    pub now: Instant,
    pub server: Rtc,
    pub peer: Peer,
    pub addresses: [SocketAddr; 2],
    pub frames: Vec<Frame>,
    pub key_frames_asked: usize,
    /// How many datagrams of media to lose from now on.
    pub to_lose: usize,
    pub is_cut: bool,
    pub is_udp_blocked: bool,
    /// How many datagrams have gone by TCP.
    pub by_tcp: usize,
    pub sent: u64,
}

impl Session {
    pub fn new(has_red: bool) -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let now = Instant::now();
        let addresses = ["127.0.0.1:1000", "127.0.0.1:2000"].map(|text| text.parse().unwrap());
        let mut server = Rtc::builder().clear_codecs().enable_opus(true, has_red).enable_vp8(true).build(now);
        server.add_local_candidate(Candidate::host(addresses[0], "udp").unwrap());
        let tcp = Candidate::builder().tcp().host(addresses[0]).tcptype(TcpType::Passive).build().unwrap();
        server.add_local_candidate(tcp);
        let peer = Peer::new(now, &addresses[1..]).unwrap();
        Self {
            now,
            server,
            peer,
            addresses,
            frames: Vec::new(),
            key_frames_asked: 0,
            to_lose: 0,
            is_cut: false,
            is_udp_blocked: false,
            by_tcp: 0,
            sent: 0,
        }
    }

    pub fn connected() -> Self {
        Self::connected_with(Self::new(false))
    }

    pub fn connected_with(mut session: Self) -> Self {
        let offer = session.peer.offer(session.now, 1, 1).unwrap();
        session.answer(&offer, |sdp| sdp);
        session.run(Duration::from_secs(2));
        assert_eq!((session.peer.state(), session.by_tcp), (State::Connected, 0), "where UDP works, TCP is not tried");
        session
    }

    /// Apply the server's answer, changed by `tell`.
    pub fn answer(&mut self, offer: &str, tell: impl FnOnce(String) -> String) {
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        let answer: SdpAnswer = self.server.sdp_api().accept_offer(offer).unwrap();
        self.peer.answer(self.now, &tell(answer.to_sdp_string())).unwrap();
    }

    /// Another track in the same section.
    pub fn renew_stream(&mut self) {
        let mid = self.section(MediaKind::Video);
        let mut direct = self.server.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        let (old, had_rtx) = (stream.ssrc(), stream.rtx().is_some());
        direct.remove_stream_tx(old);
        let (ssrc, rtx) = (direct.new_ssrc(), had_rtx.then(|| direct.new_ssrc()));
        direct.declare_stream_tx(ssrc, rtx, mid, None);
    }

    pub fn section(&self, kind: MediaKind) -> Mid {
        let fits = |mid: &Mid| self.server.media(*mid).is_some_and(|media| media.kind() == kind);
        self.peer.mids().map(|mid| Mid::from(mid.as_str())).find(fits).unwrap()
    }

    pub fn send(&mut self, first_byte: u8, bytes: usize) {
        let mut data = vec![7; bytes];
        data[0] = first_byte;
        let time = MediaTime::new(self.sent * 3600, Frequency::NINETY_KHZ);
        self.write(self.section(MediaKind::Video), Codec::Vp8, time, data);
        self.run(FRAME_INTERVAL);
    }

    /// A key frame whose header announces a picture of this size.
    pub fn send_key(&mut self, (width, height): (u16, u16), bytes: usize) {
        let mut data = vec![7; bytes];
        data[..6].copy_from_slice(&[KEY, 0, 0, 0x9d, 0x01, 0x2a]);
        data[6..8].copy_from_slice(&width.to_le_bytes());
        data[8..10].copy_from_slice(&height.to_le_bytes());
        let time = MediaTime::new(self.sent * 3600, Frequency::NINETY_KHZ);
        self.write(self.section(MediaKind::Video), Codec::Vp8, time, data);
        self.run(FRAME_INTERVAL);
    }

    pub fn send_audio(&mut self, bytes: usize) {
        let time = MediaTime::new(self.sent * 960, Frequency::FORTY_EIGHT_KHZ);
        self.write(self.section(MediaKind::Audio), Codec::Opus, time, vec![7; bytes]);
        self.run(AUDIO_INTERVAL);
    }

    fn write(&mut self, mid: Mid, codec: Codec, time: MediaTime, data: Vec<u8>) {
        let pt = self.server.codec_config().find(|params| params.spec().codec == codec).unwrap().pt();
        self.sent += 1;
        self.server.writer(mid).unwrap().write(pt, self.now, time, data).unwrap();
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.exchange();
            self.now += STEP;
        }
    }

    fn exchange(&mut self) {
        self.server.handle_input(Input::Timeout(self.now)).unwrap();
        while let Some((path, output)) = self.next_datagram() {
            let is_media = output.len() > 200 && output.first().is_some_and(|byte| (128..192).contains(byte));
            if is_media && self.to_lose > 0 {
                self.to_lose -= 1;
            } else if self.passes(path.protocol) {
                self.peer.receive(self.now, path, &output);
            }
        }
        self.peer.advance(self.now);
        let output = self.peer.output();
        self.frames.append(&mut output.frames);
        for datagram in std::mem::take(&mut output.datagrams) {
            if !self.passes(datagram.path.protocol) {
                continue;
            }
            let (protocol, local) = match datagram.path.protocol {
                Protocol::Udp => (NetProtocol::Udp, self.addresses[1]),
                // not the candidate's: from which port a connection is opened, nobody knows before
                Protocol::Tcp => (NetProtocol::Tcp, "127.0.0.1:3000".parse().unwrap()),
            };
            let receive = Receive::new(protocol, local, datagram.path.remote, &datagram.contents).unwrap();
            self.server.handle_input(Input::Receive(self.now, receive)).unwrap();
        }
    }

    fn passes(&mut self, protocol: Protocol) -> bool {
        self.by_tcp += usize::from(protocol == Protocol::Tcp);
        !self.is_cut && (protocol == Protocol::Tcp || !self.is_udp_blocked)
    }

    /// What the server sends, and how it arrives.
    fn next_datagram(&mut self) -> Option<(Path, Vec<u8>)> {
        loop {
            match self.server.poll_output().unwrap() {
                Output::Timeout(_) => return None,
                Output::Transmit(datagram) => {
                    let (protocol, local) = match datagram.proto {
                        NetProtocol::Udp => (Protocol::Udp, self.addresses[1]),
                        _ => (Protocol::Tcp, "127.0.0.1:9".parse().unwrap()),
                    };
                    return Some((Path { protocol, local, remote: datagram.source }, datagram.contents.to_vec()));
                }
                Output::Event(Event::KeyframeRequest(_)) => self.key_frames_asked += 1,
                Output::Event(_) => {}
            }
        }
    }

    pub fn lengths(&self) -> Vec<usize> {
        self.frames.iter().map(|frame| frame.data.len()).collect()
    }
}
