//! Joining, publishing, subscribing, leaving.

mod support;

use std::time::Duration;

use support::World;
use support::received::Got;
use tertulia_sfu::{Command, Datagram, Event, Kind, OpusOptions, TrackSpec};

fn assert_continuous(got: &[Got]) {
    assert!(got.len() > 1);
    for pair in got.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1, "a gap or a repeat: {pair:#?}");
        assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 90_000, "media time jumped: {pair:#?}");
    }
}

#[test]
fn audio_and_video_reach_a_subscriber() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(3, 3));
    let (voice, face) = (world.publish(alice, Kind::Audio, &[]), world.publish(alice, Kind::Video, &[]));
    world.subscribe(bob, &voice);
    world.subscribe(bob, &face);
    world.run_until_receiving(bob, &voice, 100);
    world.run_until_receiving(bob, &face, 50);
    let (voice, face) = (world.clients[bob].received(&voice), world.clients[bob].received(&face));
    assert_continuous(voice);
    assert_continuous(face);
    assert!(face[0].keyframe, "video begins with a key frame");
    assert!(voice[0].sequence < 65_536, "a receiver takes the first roll-over count to be 0");
}

#[test]
fn a_newcomer_sees_a_picture_at_once_after_connecting() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let face = world.publish(alice, Kind::Video, &[]);
    world.run(Duration::from_secs(2));
    // the section is known long before the connection is there
    let bob = world.enter(1, 1);
    world.subscribe(bob, &face);
    let peer = world.peer(bob);
    world.run_until(|world| world.saw(|event| *event == Event::PeerConnected { peer: peer.clone() }));
    let connected = world.now;
    world.run_until_receiving(bob, &face, 1);
    let waited = world.now - connected;
    assert!(waited < Duration::from_millis(150), "the first picture came after {waited:?}");
}

#[test]
fn a_room_spans_all_shards() {
    let mut world = World::new(3);
    let members: Vec<usize> = (0..6).map(|_| world.join(6, 6)).collect();
    let tracks: Vec<_> = members.iter().map(|member| world.publish(*member, Kind::Video, &[])).collect();
    for member in &members {
        for (publisher, track) in tracks.iter().enumerate().filter(|(publisher, _)| publisher != member) {
            let _ = publisher;
            world.subscribe(*member, track);
        }
    }
    world.run(Duration::from_secs(4));
    for member in &members {
        for (publisher, track) in tracks.iter().enumerate() {
            let got = world.clients[*member].received(track);
            assert_eq!(publisher != *member, got.len() > 50, "member {member}, publisher {publisher}: {}", got.len());
        }
    }
}

#[test]
fn a_subscription_without_a_section_asks_for_one() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let tracks = [world.publish(alice, Kind::Video, &[]), world.publish(alice, Kind::Video, &[])];
    for track in &tracks {
        world.subscribe(bob, track);
    }
    for track in &tracks {
        world.run_until_receiving(bob, track, 10);
    }
    let peer = world.peer(bob);
    assert!(world.saw(|event| *event == Event::SectionsNeeded { peer: peer.clone(), audio: 0, video: 1 }));
}

#[test]
fn a_section_is_used_again_with_another_identity() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let (first, second) = (world.publish(alice, Kind::Video, &[]), world.publish(alice, Kind::Video, &[]));
    world.subscribe(bob, &first);
    world.run_until_receiving(bob, &first, 10);
    world.unsubscribe(bob, &first);
    world.run(Duration::from_millis(500));
    assert!(
        world.clients[bob].answers.last().unwrap().contains("a=inactive"),
        "a free section is answered as inactive"
    );
    world.subscribe(bob, &second);
    world.run_until_receiving(bob, &second, 10);

    let client = &world.clients[bob];
    let videos = client.offers.last().unwrap().matches("m=video").count();
    assert_eq!(videos, 1, "no section was added");
    assert_ne!(client.received(&first)[0].ssrc, client.received(&second)[0].ssrc, "another track, another SSRC");
    let answer = client.answers.last().unwrap();
    assert!(answer.contains(&format!("a=msid:PA_{alice}|{second} {second}")) && !answer.contains(first.as_str()));
}

#[test]
fn a_section_that_was_offered_as_inactive_in_between_has_another_identity_too() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let (first, second) = (world.publish(alice, Kind::Video, &[]), world.publish(alice, Kind::Video, &[]));
    world.subscribe(bob, &first);
    world.run_until_receiving(bob, &first, 10);
    world.clients[bob].holds = true;
    world.unsubscribe(bob, &first);
    world.run(Duration::from_millis(500));
    world.clients[bob].holds = false;
    world.clients[bob].offer_wanted = true;
    world.subscribe(bob, &second);
    world.run_until_receiving(bob, &second, 10);

    let client = &world.clients[bob];
    assert_eq!(client.offers.last().unwrap().matches("m=video").count(), 1, "no section was added");
    assert_ne!(client.received(&first)[0].ssrc, client.received(&second)[0].ssrc, "another track, another SSRC");
}

#[test]
fn tracks_end_when_the_section_stops_sending() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Audio, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 10);
    world.clients[alice].unpublish(0);
    let peer = world.peer(alice);
    let ended = Event::TrackEnded { peer, track: track.clone() };
    world.run_until(|world| world.saw(|event| *event == ended));
    world.run(Duration::from_millis(200));
    world.clients[bob].forget();
    world.run(Duration::from_millis(200));
    assert!(world.clients[bob].received(&track).is_empty());
}

#[test]
fn a_track_may_be_announced_before_or_after_its_offer() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    // the offer first: the section waits for its announcement
    let cid = world.clients[alice].publish(Kind::Audio, &[]);
    world.clients[alice].offer_wanted = true;
    world.run(Duration::from_millis(300));
    assert!(!world.saw(|event| matches!(event, Event::TrackStarted { .. })));
    let peer = world.peer(alice);
    let command = Command::ExpectTrack {
        peer,
        track: "TR_late".into(),
        spec: TrackSpec {
            kind: Kind::Audio,
            cids: vec![cid.clone()],
            layers: vec![],
            codec: None,
            opus: OpusOptions::default(),
            is_screen: false,
        },
    };
    world.command(alice, command);
    world.run_until(|world| {
        world.saw(|event| matches!(event, Event::TrackStarted { cid: of, mime_type: "audio/opus", .. } if *of == cid))
    });
}

#[test]
fn muting_withholds_packets_and_unmuting_begins_with_a_key_frame() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 10);
    let mute = |muted| Command::SetTrackMuted { peer: "PA_0".into(), track: track.clone(), muted };
    world.command(alice, mute(true));
    world.run(Duration::from_millis(100));
    let before = world.clients[bob].received(&track).len();
    world.run(Duration::from_secs(2));
    assert_eq!(world.clients[bob].received(&track).len(), before, "a muted track is not forwarded");
    world.command(alice, mute(false));
    world.run_until_receiving(bob, &track, 10);
    let got = world.clients[bob].received(&track);
    assert!(got[before].keyframe);
    assert_eq!(got[before].sequence, got[before - 1].sequence + 1, "the pause leaves no gap");
}

#[test]
fn packets_leave_with_the_flush_after_their_arrival() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Audio, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 10);
    for _ in 0..500 {
        let before = world.shards[0].counters();
        world.run(support::STEP);
        let after = world.shards[0].counters();
        let forwarded = after.media_packets_forwarded - before.media_packets_forwarded;
        assert!(after.datagrams_out - before.datagrams_out >= forwarded, "a packet waits for a timer");
    }
}

#[test]
fn silent_peers_are_reported_and_may_come_back() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let address = world.clients[alice].address;
    let (peer, cut_at) = (world.peer(alice), world.now);
    world.network.cut.push(address);
    let lost = Event::PeerDisconnected { peer: peer.clone() };
    world.run_until(|world| world.saw(|event| *event == lost));
    let waited = world.now - cut_at;
    assert!(waited >= Duration::from_secs(8) && waited <= Duration::from_secs(12), "{waited:?}");
    world.network.cut.clear();
    world.events.clear();
    world.clients.iter_mut().for_each(|client| client.read = 0);
    world.run_until(|world| world.saw(|event| *event == Event::PeerConnected { peer: peer.clone() }));
}

#[test]
fn clients_whose_network_gives_them_another_address_go_on() {
    for shards in [1, 2] {
        let mut world = World::new(shards);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Audio, &[]);
        world.subscribe(bob, &track);
        world.run_until_receiving(bob, &track, 10);
        for (rebound, port) in [(alice, 50_001), (bob, 50_002), (alice, 50_003), (bob, 50_004)] {
            world.clients[rebound].address = format!("203.0.113.9:{port}").parse().unwrap();
            world.clients[bob].forget();
            // until the next check, which this client sends every 15 s, and browsers every 2.5 s
            world.run_until_receiving(bob, &track, 50);
        }
        assert!(!world.saw(|event| matches!(event, Event::PeerFailed { .. })));
    }
}

#[test]
fn an_ice_restart_keeps_media_and_the_workers_number() {
    let mut world = World::new(2);
    let members: Vec<usize> = (0..4).map(|_| world.join(1, 1)).collect();
    let track = world.publish(members[0], Kind::Audio, &[]);
    for member in &members[1..] {
        world.subscribe(*member, &track);
        world.run_until_receiving(*member, &track, 10);
    }
    for member in &members {
        let ufrag = |answer: &str| answer.split("a=ice-ufrag:").nth(1).map(|rest| rest[..20].to_owned());
        let before = ufrag(world.clients[*member].answers.last().unwrap()).unwrap();
        let answers = world.clients[*member].answers.len();
        world.clients[*member].restart_ice();
        world.run_until(|world| world.clients[*member].answers.len() > answers);
        let after = ufrag(world.clients[*member].answers.last().unwrap()).unwrap();
        assert_ne!(before, after);
        assert_eq!(before[..4], after[..4], "the worker's number is in it");
    }
    // longer than the time after which a silent peer is reported
    world.run(Duration::from_secs(15));
    assert!(!world.saw(|event| matches!(event, Event::PeerDisconnected { .. })));
    for member in &members[1..] {
        world.run_until_receiving(*member, &track, 50);
    }
}

#[test]
fn a_subscriber_that_connects_late_is_not_flooded() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let track = world.publish(alice, Kind::Video, &[]);
    let bob = world.clients.len();
    let address = format!("198.51.100.{}:{}", bob + 1, 4000 + bob).parse().unwrap();
    world.network.cut.push(address);
    world.enter(1, 1);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(5));
    world.network.cut.clear();
    world.run_until_receiving(bob, &track, 10);
    let got = world.clients[bob].received(&track);
    assert!(got[0].keyframe);
    assert!(got[9].at - got[0].at >= Duration::from_millis(200), "old packets came in a burst");
}

/// Media that a shard has to send now, by where it goes.
fn media(world: &mut World) -> Vec<std::net::SocketAddr> {
    world.shards[0].flush(world.now);
    let datagrams = world.shards[0].output().datagrams.drain(..);
    let is_media = |datagram: &Datagram| datagram.contents[0] >> 6 == 2 && !(192..224).contains(&datagram.contents[1]);
    datagrams.filter(is_media).map(|datagram| datagram.path.remote).collect()
}

#[test]
fn a_frame_leaves_whole_and_part_of_one_soon() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let address = world.clients[alice].address;
    let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
    let viewers: Vec<_> = (0..4).map(|_| world.join(1, 1)).collect();
    for viewer in &viewers {
        world.subscribe(*viewer, &track);
        world.run_until_receiving(*viewer, &track, 10);
    }
    world.run(Duration::from_secs(5));
    let (mut whole, mut parts) = (0, 0);
    for round in 0..200 {
        world.now += Duration::from_millis(5);
        world.clients[alice].produce(world.now);
        let mut forwarded = Vec::new();
        for datagram in world.clients[alice].take_datagrams() {
            let before = world.shards[0].counters().media_packets_forwarded;
            world.inject(0, address, &datagram);
            let sent = media(&mut world);
            let grown = world.shards[0].counters().media_packets_forwarded - before;
            forwarded.push(grown as usize);
            let packets = forwarded.iter().sum::<usize>();
            // the best layer's frames have three packets, and the last one says so
            assert_eq!(sent.len(), if packets == 12 && grown > 0 { 12 } else { 0 }, "{forwarded:?}");
            if round % 2 == 0 && packets == 8 {
                break;
            }
            let mut destinations = sent.clone();
            destinations.dedup();
            assert!(destinations.len() <= 4, "those to one client are together");
            whole += sent.len();
        }
        if forwarded.iter().sum::<usize>() == 8 {
            assert_eq!(media(&mut world), []);
            let latest = world.now + Duration::from_micros(500);
            assert!(world.shards[0].poll_timeout().is_some_and(|due| due <= latest), "the worker would sleep");
            world.now = latest;
            assert_eq!(media(&mut world).len(), 8);
            parts += 1;
        }
    }
    assert!(whole > 100 && parts > 10, "{whole} {parts}");
}

#[test]
fn a_frame_for_many_leaves_in_parts_each_clients_packets_together() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let address = world.clients[alice].address;
    let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
    for _ in 0..30 {
        let viewer = world.join(1, 1);
        world.subscribe(viewer, &track);
        world.run_until_receiving(viewer, &track, 10);
    }
    world.run(Duration::from_secs(5));
    let mut frames = 0;
    for _ in 0..100 {
        world.now += Duration::from_millis(5);
        world.clients[alice].produce(world.now);
        for datagram in world.clients[alice].take_datagrams() {
            world.inject(0, address, &datagram);
        }
        let shard = &mut world.shards[0];
        let (mut parts, mut is_last) = (Vec::new(), false);
        while !is_last {
            is_last = shard.flush_some(world.now);
            let part: Vec<_> = shard.output().datagrams.drain(..).map(|datagram| datagram.path.remote).collect();
            assert!(part.len() < 64 && (is_last || part.len() >= 32), "{} datagrams", part.len());
            parts.push(part);
        }
        let sent = parts.iter().map(Vec::len).sum::<usize>();
        frames += usize::from(sent > 64);
        parts.iter_mut().for_each(Vec::dedup);
        let mut clients = parts.concat();
        let groups = clients.len();
        clients.sort();
        clients.dedup();
        assert_eq!(clients.len(), groups, "one client's packets are in one part, together");
    }
    assert!(frames > 5, "{frames}");
}
