//! A media server (plain str0m) and a receiver on a network of virtual time that loses what it is told to lose.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpOffer};
use str0m::format::Codec;
use str0m::media::{Frequency, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tertulia_sfu_receiver::{Frame, Outgoing, Peer, State};

const STEP: Duration = Duration::from_millis(5);
const PICTURE_EVERY: Duration = Duration::from_millis(40);
const SOUND_EVERY: Duration = Duration::from_millis(20);
const KEY: u8 = 0x10;
const DELTA: u8 = 0x11;

struct Place {
    now: Instant,
    server: Rtc,
    peer: Peer,
    addresses: [SocketAddr; 2],
    frames: Vec<Frame>,
    key_frames_asked: usize,
    /// How many datagrams of media to lose from now on.
    to_lose: usize,
    is_cut: bool,
    sent: u64,
}

impl Place {
    fn new() -> Self {
        str0m::crypto::from_feature_flags().install_process_default();
        let now = Instant::now();
        let addresses = ["127.0.0.1:1000", "127.0.0.1:2000"].map(|text| text.parse().unwrap());
        let mut server = Rtc::builder().clear_codecs().enable_opus(true, false).enable_vp8(true).build(now);
        server.add_local_candidate(Candidate::host(addresses[0], "udp").unwrap());
        let peer = Peer::new(now, &addresses[1..]).unwrap();
        let (frames, sent) = (Vec::new(), 0);
        Self { now, server, peer, addresses, frames, key_frames_asked: 0, to_lose: 0, is_cut: false, sent }
    }

    fn connected() -> Self {
        let mut place = Self::new();
        let offer = place.peer.offer(place.now, 1, 1).unwrap();
        place.answer(&offer, |sdp| sdp);
        place.run(Duration::from_secs(2));
        assert_eq!(place.peer.state(), State::Connected);
        place
    }

    /// The server's answer, as it is told to the peer.
    fn answer(&mut self, offer: &str, tell: impl FnOnce(String) -> String) {
        let offer = SdpOffer::from_sdp_string(offer).unwrap();
        let answer: SdpAnswer = self.server.sdp_api().accept_offer(offer).unwrap();
        self.peer.answer(&tell(answer.to_sdp_string())).unwrap();
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
        self.peer.mids().find(fits).unwrap()
    }

    fn send(&mut self, first_byte: u8, bytes: usize) {
        let mut data = vec![7; bytes];
        data[0] = first_byte;
        let time = MediaTime::new(self.sent * 3600, Frequency::NINETY_KHZ);
        self.write(self.section(MediaKind::Video), Codec::Vp8, time, data);
        self.run(PICTURE_EVERY);
    }

    fn send_sound(&mut self, bytes: usize) {
        let time = MediaTime::new(self.sent * 960, Frequency::FORTY_EIGHT_KHZ);
        self.write(self.section(MediaKind::Audio), Codec::Opus, time, vec![7; bytes]);
        self.run(SOUND_EVERY);
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
        while let Some(output) = self.next_datagram() {
            let is_media = output.len() > 200 && output.first().is_some_and(|byte| (128..192).contains(byte));
            if is_media && self.to_lose > 0 {
                self.to_lose -= 1;
            } else if !self.is_cut {
                self.peer.receive(self.now, self.addresses[0], self.addresses[1], &output);
            }
        }
        let mut out = Outgoing::default();
        self.peer.poll(self.now, &mut out);
        self.frames.append(&mut out.frames);
        for datagram in out.datagrams.into_iter().filter(|_| !self.is_cut) {
            let receive =
                Receive::new(Protocol::Udp, self.addresses[1], self.addresses[0], &datagram.contents).unwrap();
            self.server.handle_input(Input::Receive(self.now, receive)).unwrap();
        }
    }

    fn next_datagram(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.server.poll_output().unwrap() {
                Output::Timeout(_) => return None,
                Output::Transmit(datagram) => return Some(datagram.contents.to_vec()),
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
fn pictures_begin_with_a_key_frame() {
    let mut place = Place::connected();
    place.send(DELTA, 500);
    place.send(DELTA, 501);
    assert!(place.frames.is_empty());
    assert!(place.key_frames_asked > 0);
    place.send(KEY, 3000);
    place.send(DELTA, 502);
    assert_eq!(place.lengths(), [3000, 502]);
    assert_eq!(place.frames.iter().map(|frame| frame.is_key).collect::<Vec<_>>(), [true, false]);
    assert_eq!(place.frames[1].rtp_time - place.frames[0].rtp_time, 3600);
    assert_eq!((place.frames[0].codec, place.frames[0].clock_hz), ("vp8", 90_000));
}

#[test]
fn a_lost_packet_is_asked_for_again_and_nothing_is_missing() {
    let mut place = Place::connected();
    place.send(KEY, 3000);
    let asked = place.key_frames_asked;
    for n in 0..20 {
        place.to_lose = usize::from(n == 7);
        place.send(DELTA, 2000 + n);
    }
    place.run(Duration::from_millis(500));
    let expected: Vec<_> = std::iter::once(3000).chain(2000..2020).collect();
    assert_eq!(place.lengths(), expected);
    assert_eq!(place.key_frames_asked, asked);
}

#[test]
fn after_a_picture_that_is_lost_for_good_the_next_one_is_a_key_frame() {
    let mut place = Place::connected();
    place.send(KEY, 3000);
    place.frames.clear();
    let asked = place.key_frames_asked;
    place.to_lose = usize::MAX;
    for _ in 0..20 {
        place.send(DELTA, 400);
    }
    place.run(Duration::from_secs(3));
    place.to_lose = 0;
    for n in 0..200 {
        place.send(DELTA, 600 + n);
        if place.key_frames_asked > asked {
            break;
        }
    }
    assert!(place.key_frames_asked > asked);
    place.frames.clear();
    place.send(KEY, 2500);
    place.send(DELTA, 900);
    place.run(Duration::from_secs(1));
    assert!(place.frames.first().is_some_and(|frame| frame.is_key), "{:?}", place.lengths());
    assert_eq!(place.lengths(), [2500, 900]);
}

#[test]
fn sound_that_is_lost_holds_up_what_follows_for_a_tenth_of_a_second() {
    let mut place = Place::connected();
    for n in 0..20 {
        place.to_lose = usize::from(n == 10);
        place.send_sound(300 + n);
    }
    let expected: Vec<_> = (300..310).chain(311..314).collect();
    assert_eq!(place.lengths()[..13], expected);
}

#[test]
fn a_decoder_that_is_lost_gets_a_key_frame() {
    let mut place = Place::connected();
    place.send(KEY, 3000);
    place.send(DELTA, 500);
    let (mid, asked) = (place.section(MediaKind::Video).to_string(), place.key_frames_asked);
    place.run(Duration::from_secs(1));
    place.peer.restart(place.now, &mid);
    place.frames.clear();
    place.send(DELTA, 501);
    assert!(place.frames.is_empty());
    assert!(place.key_frames_asked > asked);
    place.send(KEY, 2000);
    assert_eq!(place.lengths(), [2000]);
}

#[test]
fn sections_without_media_are_offered_afresh_and_none_is_added() {
    let mut place = Place::connected();
    let sections = |sdp: &str| sdp.matches("m=audio").count() + sdp.matches("m=video").count();
    let again = place.peer.offer(place.now, 0, 0).unwrap();
    assert_eq!(sections(&again), 2);
    place.send(KEY, 3000);
    place.answer(&again, |sdp| sdp.replace("a=sendonly", "a=inactive"));
    // at once: what was answered as inactive is free, however lately it was used
    let third = place.peer.offer(place.now, 1, 0).unwrap();
    assert_eq!(sections(&third), 3);
    assert_eq!(third.matches("a=recvonly").count(), 3, "{third}");
}

#[test]
fn a_section_that_carries_another_stream_goes_on_with_it() {
    let mut place = Place::connected();
    place.send(KEY, 3000);
    // packets are counted from anywhere: now and then from above, now and then from below
    for round in 0..8 {
        place.run(Duration::from_secs(2));
        place.frames.clear();
        let again = place.peer.offer(place.now, 0, 0).unwrap();
        place.renew_stream();
        place.answer(&again, |sdp| sdp);
        place.send(DELTA, 700);
        assert!(place.frames.is_empty(), "round {round}: the new track has a key frame of its own");
        place.send(KEY, 2000);
        place.send(DELTA, 600);
        assert_eq!(place.lengths(), [2000, 600], "round {round}");
    }
}

#[test]
fn an_answer_without_an_offer_is_an_error() {
    let mut place = Place::connected();
    assert!(place.peer.answer("v=0").is_err());
    assert_eq!(place.peer.state(), State::Connected);
}

#[test]
fn a_server_that_is_gone_is_noticed() {
    let mut place = Place::connected();
    place.is_cut = true;
    place.run(Duration::from_secs(60));
    assert_eq!(place.peer.state(), State::Gone);
}

#[test]
fn noise_is_dropped() {
    let mut place = Place::connected();
    for byte in 0..=255u8 {
        place.peer.receive(place.now, place.addresses[0], place.addresses[1], &[byte; 40]);
    }
    place.send(KEY, 3000);
    assert_eq!(place.lengths(), [3000]);
}
