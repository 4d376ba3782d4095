//! A stream that carries all spatial layers (VP9, AV1): what each subscriber gets of it.

mod support;

use std::time::Duration;

use support::World;
use support::received::Got;
use tertulia_sfu::{Event, Kind, Quality, SubscriptionSettings, TrackId};

fn publish_svc(world: &mut World, client: usize, mime_type: &str) -> TrackId {
    let track = world.announce(client, Kind::Video, &["q", "h", "f"]);
    let sender = world.clients[client].sender(0);
    // the layers are announced, but only one stream carries them
    sender.rids.clear();
    sender.encodings.truncate(1);
    sender.is_svc = true;
    sender.is_av1 = mime_type == "video/AV1";
    let started = track.clone();
    world.run_until(|world| {
        world.saw(|event| match event {
            Event::TrackStarted { track, mime_type: of, .. } => *track == started && *of == mime_type,
            _ => false,
        })
    });
    track
}

fn wants(quality: Quality) -> SubscriptionSettings {
    SubscriptionSettings { quality: Some(quality), ..SubscriptionSettings::default() }
}

/// The layers of the newest frames, without gaps in the sequence.
fn layers(world: &World, client: usize, track: &TrackId) -> Vec<u8> {
    let got = world.clients[client].received(track);
    let newest: Vec<&Got> = got.iter().rev().take(30).collect();
    assert!(newest.windows(2).all(|pair| pair[0].sequence == pair[1].sequence + 1), "a gap");
    let last_frame = newest.first().map(|got| got.frame);
    let whole: Vec<&&Got> = newest.iter().filter(|got| Some(got.frame) != last_frame).collect();
    let highest = whole.iter().map(|got| got.layer).max();
    assert!(whole.iter().all(|got| got.marker == (Some(got.layer) == highest)), "the marker ends each frame");
    let mut layers: Vec<u8> = whole.iter().map(|got| got.layer).collect();
    layers.sort_unstable();
    layers.dedup();
    layers
}

#[test]
fn each_subscriber_gets_the_layers_up_to_the_one_it_wants() {
    for codec in ["video/VP9", "video/AV1"] {
        let mut world = World::new(2);
        let alice = world.join(1, 1);
        let members: Vec<usize> = Quality::ALL.iter().map(|_| world.join(1, 1)).collect();
        let track = publish_svc(&mut world, alice, codec);
        for (member, quality) in members.iter().zip(Quality::ALL) {
            world.configure(*member, &track, wants(quality));
            world.subscribe(*member, &track);
        }
        world.run(Duration::from_secs(3));
        for (member, expected) in members.iter().zip([vec![0], vec![0, 1], vec![0, 1, 2]]) {
            assert_eq!(layers(&world, *member, &track), expected, "{codec}");
            let got = world.clients[*member].received(&track);
            assert!(got.iter().all(|got| got.dependencies.is_some() == (codec == "video/AV1")), "{codec}");
        }
    }
}

#[test]
fn layers_are_left_off_at_once_and_come_back_with_a_key_frame() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = publish_svc(&mut world, alice, "video/VP9");
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    assert_eq!(layers(&world, bob, &track), [0, 1, 2]);
    let asked = world.clients[alice].sender(0).keyframes_asked;
    world.configure(bob, &track, wants(Quality::Low));
    world.run(Duration::from_millis(1500));
    assert_eq!(layers(&world, bob, &track), [0]);
    assert_eq!(world.clients[alice].sender(0).keyframes_asked, asked, "no key frame is needed for less");
    world.configure(bob, &track, wants(Quality::High));
    world.run(Duration::from_secs(2));
    assert_eq!(layers(&world, bob, &track), [0, 1, 2]);
    world.run(Duration::from_secs(5));
    let asked = world.clients[alice].sender(0).keyframes_asked - asked;
    assert!((1..=2).contains(&asked), "{asked} key frames were asked for");
}

#[test]
fn a_narrow_link_gets_fewer_layers() {
    let mut world = World::new(1);
    world.abilities.tells_arrivals = false;
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = publish_svc(&mut world, alice, "video/VP9");
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    for _ in 0..20 {
        let now = world.now;
        world.clients[bob].send_estimate(now, &track, 280_000);
        world.run(Duration::from_millis(500));
    }
    assert_eq!(layers(&world, bob, &track), [0, 1], "125 kbit/s each");
}
