//! A media server (plain str0m) and a receiver in virtual time, on a network that loses packets on demand.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::format::Codec;
use str0m::media::{Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol as NetProtocol, Receive, TcpType};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tertulia_sfu_receiver::{Frame, Path, Peer, Protocol, State};

const STEP: Duration = Duration::from_millis(5);
const FRAME_INTERVAL: Duration = Duration::from_millis(40);
const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const KEY: u8 = 0x10;
const DELTA: u8 = 0x11;

struct Session {
    now: Instant,
    server: Rtc,
    peer: Peer,
    addresses: [SocketAddr; 2],
    frames: Vec<Frame>,
    key_frames_asked: usize,
    /// How many datagrams of media to lose from now on.
    to_lose: usize,
    is_cut: bool,
    is_udp_blocked: bool,
    /// How many datagrams have gone by TCP.
    by_tcp: usize,
    sent: u64,
}

impl Session {
    fn new() -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let now = Instant::now();
        let addresses = ["127.0.0.1:1000", "127.0.0.1:2000"].map(|text| text.parse().unwrap());
        let mut server = Rtc::builder().clear_codecs().enable_opus(true, false).enable_vp8(true).build(now);
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

    fn connected() -> Self {
        let mut session = Self::new();
        let offer = session.peer.offer(session.now, 1, 1).unwrap();
        session.answer(&offer, |sdp| sdp);
        session.run(Duration::from_secs(2));
        assert_eq!((session.peer.state(), session.by_tcp), (State::Connected, 0), "where UDP works, TCP is not tried");
        session
    }

    /// Apply the server's answer, changed by `tell`.
    fn answer(&mut self, offer: &str, tell: impl FnOnce(String) -> String) {
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        let answer: SdpAnswer = self.server.sdp_api().accept_offer(offer).unwrap();
        self.peer.answer(self.now, &tell(answer.to_sdp_string())).unwrap();
    }

    /// Another track in the same section.
    fn renew_stream(&mut self) {
        let mid = self.section(MediaKind::Video);
        let mut direct = self.server.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None).unwrap();
        let (old, had_rtx) = (stream.ssrc(), stream.rtx().is_some());
        direct.remove_stream_tx(old);
        let (ssrc, rtx) = (direct.new_ssrc(), had_rtx.then(|| direct.new_ssrc()));
        direct.declare_stream_tx(ssrc, rtx, mid, None);
    }

    fn section(&self, kind: MediaKind) -> Mid {
        let fits = |mid: &Mid| self.server.media(*mid).is_some_and(|media| media.kind() == kind);
        self.peer.mids().map(|mid| Mid::from(mid.as_str())).find(fits).unwrap()
    }

    fn send(&mut self, first_byte: u8, bytes: usize) {
        let mut data = vec![7; bytes];
        data[0] = first_byte;
        let time = MediaTime::new(self.sent * 3600, Frequency::NINETY_KHZ);
        self.write(self.section(MediaKind::Video), Codec::Vp8, time, data);
        self.run(FRAME_INTERVAL);
    }

    /// A key frame whose header announces a picture of this size.
    fn send_key(&mut self, (width, height): (u16, u16), bytes: usize) {
        let mut data = vec![7; bytes];
        data[..6].copy_from_slice(&[KEY, 0, 0, 0x9d, 0x01, 0x2a]);
        data[6..8].copy_from_slice(&width.to_le_bytes());
        data[8..10].copy_from_slice(&height.to_le_bytes());
        let time = MediaTime::new(self.sent * 3600, Frequency::NINETY_KHZ);
        self.write(self.section(MediaKind::Video), Codec::Vp8, time, data);
        self.run(FRAME_INTERVAL);
    }

    fn send_audio(&mut self, bytes: usize) {
        let time = MediaTime::new(self.sent * 960, Frequency::FORTY_EIGHT_KHZ);
        self.write(self.section(MediaKind::Audio), Codec::Opus, time, vec![7; bytes]);
        self.run(AUDIO_INTERVAL);
    }

    fn write(&mut self, mid: Mid, codec: Codec, time: MediaTime, data: Vec<u8>) {
        let pt = self.server.codec_config().find(|params| params.spec().codec == codec).unwrap().pt();
        self.sent += 1;
        self.server.writer(mid).unwrap().write(pt, self.now, time, data).unwrap();
    }

    fn run(&mut self, time: Duration) {
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

    fn lengths(&self) -> Vec<usize> {
        self.frames.iter().map(|frame| frame.data.len()).collect()
    }
}

#[test]
fn video_begins_with_a_key_frame() {
    let mut session = Session::connected();
    session.send(DELTA, 500);
    session.send(DELTA, 501);
    assert!(session.frames.is_empty());
    assert!(session.key_frames_asked > 0);
    session.send(KEY, 3000);
    session.send(DELTA, 502);
    assert_eq!(session.lengths(), [3000, 502]);
    assert_eq!(session.frames.iter().map(|frame| frame.is_key).collect::<Vec<_>>(), [true, false]);
    assert_eq!(session.frames[1].rtp_time - session.frames[0].rtp_time, 3600);
    assert_eq!((session.frames[0].codec, session.frames[0].clock_hz), ("vp8", 90_000));
}

#[test]
fn a_lost_packet_is_retransmitted_and_no_frame_is_missing() {
    let mut session = Session::connected();
    session.send(KEY, 3000);
    let asked = session.key_frames_asked;
    for n in 0..20 {
        session.to_lose = usize::from(n == 7);
        session.send(DELTA, 2000 + n);
    }
    session.run(Duration::from_millis(500));
    let expected: Vec<_> = std::iter::once(3000).chain(2000..2020).collect();
    assert_eq!(session.lengths(), expected);
    assert_eq!(session.key_frames_asked, asked);
}

#[test]
fn after_an_unrepaired_loss_the_next_frame_is_a_key_frame() {
    let mut session = Session::connected();
    session.send(KEY, 3000);
    session.frames.clear();
    let asked = session.key_frames_asked;
    session.to_lose = usize::MAX;
    for _ in 0..20 {
        session.send(DELTA, 400);
    }
    session.run(Duration::from_secs(3));
    session.to_lose = 0;
    for n in 0..200 {
        session.send(DELTA, 600 + n);
        if session.key_frames_asked > asked {
            break;
        }
    }
    assert!(session.key_frames_asked > asked);
    session.frames.clear();
    session.send(KEY, 2500);
    session.send(DELTA, 900);
    session.run(Duration::from_secs(1));
    assert!(session.frames.first().is_some_and(|frame| frame.is_key), "{:?}", session.lengths());
    assert_eq!(session.lengths(), [2500, 900]);
}

#[test]
fn lost_audio_delays_what_follows_by_100_ms() {
    let mut session = Session::connected();
    for n in 0..20 {
        session.to_lose = usize::from(n == 10);
        session.send_audio(300 + n);
    }
    let expected: Vec<_> = (300..310).chain(311..314).collect();
    assert_eq!(session.lengths()[..13], expected);
}

#[test]
fn a_restarted_decoder_gets_a_key_frame() {
    let mut session = Session::connected();
    session.send(KEY, 3000);
    session.send(DELTA, 500);
    let (mid, asked) = (session.section(MediaKind::Video).to_string(), session.key_frames_asked);
    session.run(Duration::from_secs(1));
    session.peer.restart(session.now, &mid);
    session.frames.clear();
    session.send(DELTA, 501);
    assert!(session.frames.is_empty());
    assert!(session.key_frames_asked > asked);
    session.send(KEY, 2000);
    assert_eq!(session.lengths(), [2000]);
}

#[test]
fn unused_sections_are_offered_again_and_none_is_added() {
    let mut session = Session::connected();
    let sections = |sdp: &str| sdp.matches("m=audio").count() + sdp.matches("m=video").count();
    let again = session.peer.offer(session.now, 0, 0).unwrap();
    assert_eq!(sections(&again), 2);
    session.send(KEY, 3000);
    session.answer(&again, |sdp| sdp.replace("a=sendonly", "a=inactive"));
    // at once: what was answered as inactive is free, however lately it was used
    let third = session.peer.offer(session.now, 1, 0).unwrap();
    assert_eq!(sections(&third), 3);
    assert_eq!(third.matches("a=recvonly").count(), 3, "{third}");
}

#[test]
fn a_section_continues_with_another_stream() {
    let mut session = Session::connected();
    session.send(KEY, 3000);
    // sequence numbers begin anywhere: sometimes above the old stream's, sometimes below
    for round in 0..8 {
        session.run(Duration::from_secs(2));
        session.frames.clear();
        let again = session.peer.offer(session.now, 0, 0).unwrap();
        session.renew_stream();
        session.answer(&again, |sdp| sdp);
        session.send(DELTA, 700);
        assert!(session.frames.is_empty(), "round {round}: the new track has a key frame of its own");
        session.send(KEY, 2000);
        session.send(DELTA, 600);
        assert_eq!(session.lengths(), [2000, 600], "round {round}");
    }
}

#[test]
fn an_answer_without_an_offer_is_an_error() {
    let mut session = Session::connected();
    assert!(session.peer.answer(session.now, "v=0").is_err());
    assert_eq!(session.peer.state(), State::Connected);
}

#[test]
fn media_comes_by_tcp_where_udp_is_blocked() {
    let mut session = Session::new();
    session.is_udp_blocked = true;
    let offer = session.peer.offer(session.now, 1, 1).unwrap();
    session.answer(&offer, |sdp| sdp);
    session.run(Duration::from_millis(900));
    assert_eq!(session.by_tcp, 0, "UDP is tried alone at first");
    let connected = (0..10).any(|_| {
        session.run(Duration::from_secs(1));
        session.peer.state() == State::Connected
    });
    assert!(connected);
    session.send(KEY, 3000);
    session.send_audio(300);
    assert_eq!(session.lengths(), [3000, 300]);
}

#[test]
fn a_server_that_names_tcp_only_is_reached_at_once() {
    let mut session = Session::new();
    let offer = session.peer.offer(session.now, 1, 1).unwrap();
    let is_for_udp = |line: &&str| line.starts_with("a=candidate:") && line.to_lowercase().contains(" udp ");
    session
        .answer(&offer, |sdp| sdp.lines().filter(|line| !is_for_udp(line)).map(|line| format!("{line}\r\n")).collect());
    session.run(Duration::from_millis(500));
    assert_eq!(session.peer.state(), State::Connected);
}

#[test]
fn a_server_that_is_gone_is_detected() {
    let mut session = Session::connected();
    session.is_cut = true;
    session.run(Duration::from_secs(60));
    assert_eq!(session.peer.state(), State::Gone);
}

#[test]
fn garbage_is_dropped() {
    let mut session = Session::connected();
    for byte in 0..=255u8 {
        let [remote, local] = session.addresses;
        session.peer.receive(session.now, Path { protocol: Protocol::Udp, local, remote }, &[byte; 40]);
    }
    session.send(KEY, 3000);
    assert_eq!(session.lengths(), [3000]);
}

#[test]
fn a_picture_that_would_be_too_large_is_refused_before_it_is_decoded() {
    let mut session = Session::connected();
    session.send_key((640, 360), 2000);
    session.send_key((8192, 8192), 3000);
    session.send(DELTA, 500);
    let shown: Vec<_> = session.frames.iter().map(|frame| (frame.data.len(), frame.is_refused)).collect();
    assert_eq!(shown, [(2000, false), (0, true)]);
    session.send_audio(300);
    assert_eq!(session.frames.last().unwrap().data.len(), 300, "sound goes on");
    session.frames.clear();
    session.send_key((640, 360), 2001);
    assert!(session.frames.is_empty(), "it is suspended");
    session.run(Duration::from_secs(5));
    let asked = session.key_frames_asked;
    session.send(DELTA, 501);
    assert!(session.key_frames_asked > asked);
    session.send_key((640, 360), 2002);
    assert_eq!(session.lengths(), [2002], "it may become small again");
}

#[test]
fn a_frame_of_too_many_bytes_is_refused() {
    let mut session = Session::connected();
    session.send_key((640, 360), 4 * 1024 * 1024 + 1);
    session.run(Duration::from_secs(1));
    assert!(session.frames.iter().all(|frame| frame.is_refused), "{:?}", session.lengths());
    session.send_audio(300);
    assert_eq!(session.frames.last().unwrap().data.len(), 300);
}

#[test]
fn too_many_key_frames_are_refused() {
    let mut session = Session::connected();
    for _ in 0..200 {
        session.send_key((640, 360), 400);
    }
    let passed = session.frames.iter().filter(|frame| !frame.is_refused).count();
    assert!((30..120).contains(&passed), "{passed} of 200 in 8 s");
    assert!(session.frames.iter().any(|frame| frame.is_refused));
}
