//! What a receiver makes of media: in order, repaired, bounded.

mod support;

use std::time::Duration;

use str0m::media::MediaKind;
use support::{DELTA, KEY, Session};
use tertulia_sfu_receiver::{Path, Protocol, State};

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
fn lost_audio_comes_with_the_next_packet_where_there_is_redundancy() {
    let mut session = Session::connected_with(Session::new(true));
    for n in 0..20 {
        session.to_lose = usize::from(n % 4 == 2);
        session.send_audio(300 + n);
    }
    assert_eq!(session.lengths(), (300..320).collect::<Vec<_>>());
    assert!(session.frames.windows(2).all(|pair| pair[1].rtp_time - pair[0].rtp_time == 960));
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
    let mut session = Session::new(false);
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
    let mut session = Session::new(false);
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
