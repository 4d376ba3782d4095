//! Sound: redundancy (RFC 2198), and who speaks.

mod support;

use std::time::Duration;

use support::World;
use support::network::Link;
use support::received::Got;
use support::sender::audio_payload;
use tertulia_sfu::{Event, Kind, TrackId};

fn publish(world: &mut World, client: usize) -> TrackId {
    let track = world.announce(client, Kind::Audio, &[]);
    world.clients[client].sender(0).is_redundant = true;
    let of = track.clone();
    world.run_until(|world| {
        world.saw(|event| matches!(event, Event::TrackStarted { track, mime_type: "audio/red", .. } if *track == of))
    });
    track
}

#[test]
fn who_can_read_it_gets_it_and_others_get_plain_sound() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    world.abilities.has_red = false;
    let eve = world.join(1, 1);
    let track = publish(&mut world, alice);
    for member in [bob, eve] {
        world.subscribe(member, &track);
    }
    world.run(Duration::from_secs(1));
    let is_plain = |got: &Got| got.payload == audio_payload(got.frame);
    let (redundant, plain) = (world.clients[bob].received(&track), world.clients[eve].received(&track));
    assert!(redundant.len() > 40 && redundant.iter().all(|got| !is_plain(got) && got.payload[0] & 0x80 != 0));
    assert!(plain.len() > 40 && plain.iter().all(is_plain));
}

#[test]
fn sound_that_comes_plain_stays_plain() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Audio, &[]);
    assert!(world.saw(|event| matches!(event, Event::TrackStarted { mime_type: "audio/opus", .. })));
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(1));
    let got = world.clients[bob].received(&track);
    assert!(got.len() > 40 && got.iter().all(|got| got.payload == audio_payload(got.frame)));
}

#[test]
fn sound_that_is_lost_on_the_way_here_is_recovered_for_those_who_get_it_plain() {
    for seed in 1..=5 {
        let mut world = World::with_link(2, Link { seed, ..Link::default() });
        let alice = world.join(1, 1);
        world.abilities.has_red = false;
        let eve = world.join(1, 1);
        let track = publish(&mut world, alice);
        world.subscribe(eve, &track);
        world.run_until_receiving(eve, &track, 10);
        world.network.lossy = vec!["192.0.2.1:7882".parse().unwrap()];
        world.network.link.loss = 0.1;
        world.clients[eve].forget();
        world.run(Duration::from_secs(20));
        let got = world.clients[eve].received(&track);
        assert!(got.windows(2).all(|pair| pair[0].sequence < pair[1].sequence), "seed {seed}: in order, once");
        let all = (got[got.len() - 1].frame - got[0].frame + 1) as usize;
        // a frame is lost with the next one only: 1 of 100
        assert!(got.len() * 100 > all * 97, "seed {seed}: {} of {all}", got.len());
        for pair in got.windows(2) {
            let passed = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
            let frames = pair[1].frame - pair[0].frame;
            assert!(passed.abs_diff(frames * 960) < 100, "seed {seed}: {pair:#?}");
        }
    }
}

#[test]
fn who_sends_no_levels_is_heard_but_no_speaker() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.announce(alice, Kind::Audio, &[]);
    world.clients[alice].sender(0).has_levels = false;
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 100);
    world.publish(bob, Kind::Audio, &[]);
    let speaks = |world: &World, client: usize| {
        let peer = world.peer(client);
        world.saw(|event| match event {
            Event::SpeakersChanged { levels } => levels.iter().any(|(of, _)| *of == peer),
            _ => false,
        })
    };
    world.run_until(|world| speaks(world, bob));
    assert!(!speaks(&world, alice));
}

/// The share of a second's frames that have arrived at most this much later than the quickest one.
fn in_time(got: &[Got], patience: Duration) -> f64 {
    let first = got.iter().map(|got| got.frame).min().unwrap();
    let sent_after = |got: &Got| (got.frame - first) * Duration::from_millis(20);
    let quickest = got.iter().map(|got| got.at - sent_after(got)).min().unwrap();
    let frames = got.iter().filter(|got| got.at - sent_after(got) <= quickest + patience);
    let frames: std::collections::HashSet<_> = frames.map(|got| got.frame).collect();
    let last = got.iter().map(|got| got.frame).max().unwrap();
    frames.len() as f64 / f64::from(last - first + 1)
}

#[test]
fn sound_is_there_in_time_where_much_is_lost_on_the_way_to_its_receiver() {
    for with_video in [false, true] {
        let link = Link { delay: Duration::from_millis(150), ..Link::default() };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Audio, &[]);
        world.subscribe(bob, &track);
        if with_video {
            let video = world.publish(alice, Kind::Video, &[]);
            world.subscribe(bob, &video);
        }
        world.run_until_receiving(bob, &track, 100);
        let address = world.clients[bob].address;
        (world.network.lossy, world.network.watched) = (vec![address], Some(address));
        let ssrc = world.clients[bob].received(&track)[0].ssrc;
        let watch = |world: &mut World, seconds| {
            world.clients[bob].forget();
            world.network.seen.clear();
            world.run(Duration::from_secs(seconds));
            let sent = world.network.seen.iter().filter(|(of, _)| *of == ssrc).count();
            (
                sent as f64 / (50.0 * seconds as f64),
                in_time(world.clients[bob].received(&track), Duration::from_millis(45)),
            )
        };
        assert_eq!(watch(&mut world, 4), (1.0, 1.0));
        world.network.link.loss = 0.3;
        world.run(Duration::from_secs(8));
        let (times, share) = watch(&mut world, 20);
        assert!(times > 2.9 && share > 0.95, "with video: {with_video}; sent {times} times, {share} in time");
        world.network.link.loss = 0.0;
        world.run(Duration::from_secs(30));
        assert_eq!(watch(&mut world, 4), (1.0, 1.0));
    }
}
