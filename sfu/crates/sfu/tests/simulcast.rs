//! Simulcast layers: which subscriber gets which, how changes look to it, and what is reported to the publisher.

mod support;

use std::time::Duration;

use support::World;
use support::received::Got;
use tertulia_sfu::{Event, Kind, Quality, SubscriptionSettings, TrackId};

const RIDS: &[&str] = &["q", "h", "f"];

/// Sequence numbers, media time and picture ids go on without a jump; layers change only on key frames.
fn assert_continuous(got: &[Got]) {
    for pair in got.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert_eq!(after.sequence, before.sequence + 1, "sequence: {pair:#?}");
        let passed = after.timestamp.wrapping_sub(before.timestamp);
        assert!(passed < 2 * 90_000, "media time: {pair:#?}");
        let pictures = after.picture_id.unwrap().wrapping_sub(before.picture_id.unwrap()) & 0x7fff;
        assert!(pictures <= 1, "picture ids: {pair:#?}");
        // a key frame of another layer may cut off the frame before it
        let frame_ends = before.marker || before.layer != after.layer;
        assert_eq!(pictures, u16::from(frame_ends), "one picture id for each frame: {pair:#?}");
        assert!(after.tl0.unwrap().wrapping_sub(before.tl0.unwrap()) <= 1, "TL0PICIDX: {pair:#?}");
        assert!(before.layer == after.layer || after.keyframe, "a layer begins with a key frame: {pair:#?}");
    }
}

fn layer(world: &World, client: usize, track: &TrackId) -> u8 {
    world.clients[client].received(track).last().unwrap().layer
}

fn quality(quality: Quality) -> SubscriptionSettings {
    SubscriptionSettings { quality: Some(quality), ..SubscriptionSettings::default() }
}

#[test]
fn each_subscriber_gets_what_it_asked_for() {
    let mut world = World::new(2);
    let alice = world.join(1, 1);
    let track = world.publish(alice, Kind::Video, RIDS);
    let settings = [quality(Quality::Low), quality(Quality::Medium), SubscriptionSettings::default()];
    for settings in settings {
        let member = world.join(1, 1);
        // before subscribing, as clients may
        world.configure(member, &track, settings);
        world.subscribe(member, &track);
    }
    world.run(Duration::from_secs(3));
    for (member, expected) in [(1, 0), (2, 1), (3, 2)] {
        assert_eq!(layer(&world, member, &track), expected);
        assert_continuous(world.clients[member].received(&track));
    }
}

/// How long after a sender has left its upper layers off a subscriber has a picture again; the requests for key frames of
/// the first so many ms are lost.
fn without_a_picture_ms(lost_ms: u64) -> u128 {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    assert_eq!(layer(&world, bob, &track), 2);
    world.clients[alice].sender(0).paused = [false, true, true];
    world.clients[bob].forget();
    let start = world.now;
    world.network.lossy = vec![world.clients[alice].address];
    world.network.link.loss = 1.0;
    world.run(Duration::from_millis(lost_ms));
    world.network.link.loss = 0.0;
    world.run(Duration::from_secs(3));
    let got = world.clients[bob].received(&track);
    assert_eq!(got.last().unwrap().layer, 0);
    (got.iter().find(|got| got.layer == 0).expect("the lowest layer").at - start).as_millis()
}

#[test]
fn a_picture_is_soon_there_again_when_its_layer_is_left_off() {
    let (usual, after_a_loss) = (without_a_picture_ms(0), without_a_picture_ms(850));
    assert!(usual < 850, "{usual} ms");
    assert!(after_a_loss < 1300, "{after_a_loss} ms");
}

#[test]
fn a_picture_is_there_again_while_the_next_layer_comes_and_goes() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    // no key frame of the middle layer gets there, but enough of it for it to be taken for live
    world.clients[alice].sender(0).paused = [false, false, true];
    world.clients[alice].sender(0).withheld = [false, true, false];
    world.clients[bob].forget();
    world.run(Duration::from_secs(2));
    let got = world.clients[bob].received(&track);
    assert_eq!(got.last().expect("a picture").layer, 0);
}

#[test]
fn no_key_frame_is_asked_of_a_layer_that_is_left_off() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    // the one below is left off, too, before its key frame was there
    world.clients[alice].sender(0).paused = [false, false, true];
    world.network.lossy = vec![world.clients[alice].address];
    world.network.link.loss = 1.0;
    world.run(Duration::from_millis(750));
    world.clients[alice].sender(0).paused = [false, true, true];
    world.network.link.loss = 0.0;
    world.run(Duration::from_secs(3));
    assert_eq!(layer(&world, bob, &track), 0);
    let asked = world.clients[alice].sender(0).keyframes_asked;
    world.run(Duration::from_secs(5));
    assert_eq!(world.clients[alice].sender(0).keyframes_asked, asked);
}

#[test]
fn a_height_means_the_smallest_layer_that_suffices() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    for (height, expected) in [(150, 0), (190, 0), (300, 1), (400, 1), (700, 2), (5000, 2)] {
        world.configure(bob, &track, SubscriptionSettings { height: Some(height), ..SubscriptionSettings::default() });
        world.run(Duration::from_secs(2));
        assert_eq!(layer(&world, bob, &track), expected, "for {height} pixels");
    }
    assert_continuous(world.clients[bob].received(&track));
}

#[test]
fn the_first_key_frame_of_a_camera_is_shown_to_those_who_wait_for_it() {
    for shards in [1, 2] {
        let mut world = World::new(shards);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.announce(alice, Kind::Video, RIDS);
        world.clients[alice].sender(0).paused = [true; 3];
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(2));
        assert!(world.clients[bob].received(&track).is_empty());
        world.clients[alice].sender(0).paused = [false; 3];
        world.run(Duration::from_millis(300));
        let got = world.clients[bob].received(&track);
        assert!(got[0].keyframe, "{:?}", got[0]);
        assert_eq!(got[0].frame, 0);
        assert_continuous(got);
    }
}

#[test]
fn a_layer_that_comes_back_is_shown_from_its_first_key_frame_on() {
    for shards in [1, 2] {
        let mut world = World::new(shards);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, RIDS);
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(3));
        world.clients[alice].sender(0).paused = [false, true, true];
        world.run(Duration::from_secs(3));
        assert_eq!(layer(&world, bob, &track), 0);
        let sender = world.clients[alice].sender(0);
        let asked = sender.keyframes_asked;
        sender.paused = [false; 3];
        sender.encodings.iter_mut().skip(1).for_each(|encoding| encoding.keyframe = true);
        let first = sender.encodings[2].frame;
        world.run(Duration::from_millis(300));
        let got = world.clients[bob].received(&track);
        let shown = got.iter().rev().take_while(|got| got.layer == 2).last().expect("the layer");
        assert_eq!(shown.frame, first);
        assert_eq!(world.clients[alice].sender(0).keyframes_asked, asked);
        assert_continuous(world.clients[bob].received(&track));
    }
}

#[test]
fn switching_layers_is_seamless() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    for wanted in [Quality::High, Quality::Low, Quality::Medium, Quality::High, Quality::Low, Quality::High] {
        world.configure(bob, &track, quality(wanted));
        world.run(Duration::from_millis(2500));
        assert_eq!(layer(&world, bob, &track), wanted as u8);
    }
    assert_continuous(world.clients[bob].received(&track));
}

#[test]
fn a_layer_that_stops_is_replaced_and_used_again_later() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(2));
    assert_eq!(layer(&world, bob, &track), 2);
    world.clients[alice].sender(0).paused[2] = true;
    world.run(Duration::from_secs(3));
    assert_eq!(layer(&world, bob, &track), 1, "the best of the rest");
    world.clients[alice].sender(0).paused[2] = false;
    world.run(Duration::from_secs(3));
    assert_eq!(layer(&world, bob, &track), 2);
    assert_continuous(world.clients[bob].received(&track));
}

#[test]
fn higher_demand_is_reported_at_once_and_lower_demand_after_5_s() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    let peer = world.peer(alice);
    let wanted = |quality| Event::QualityWanted { peer: peer.clone(), track: track.clone(), quality };
    world.run_until(|world| world.saw(|event| *event == wanted(None)));
    world.configure(bob, &track, quality(Quality::Medium));
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 1);
    assert!(world.saw(|event| *event == wanted(Some(Quality::Medium))), "before anything can flow");

    world.configure(bob, &track, quality(Quality::High));
    world.run(Duration::from_millis(200));
    assert!(world.saw(|event| *event == wanted(Some(Quality::High))));
    world.configure(bob, &track, quality(Quality::Low));
    world.run(Duration::from_secs(4));
    assert!(!world.saw(|event| *event == wanted(Some(Quality::Low))), "too early");
    world.run(Duration::from_secs(2));
    assert!(world.saw(|event| *event == wanted(Some(Quality::Low))));
    world.configure(bob, &track, SubscriptionSettings { enabled: false, ..SubscriptionSettings::default() });
    let before = world.count(|event| *event == wanted(None));
    world.run(Duration::from_secs(6));
    assert_eq!(world.count(|event| *event == wanted(None)), before + 1);
}

#[test]
fn a_disabled_subscription_is_silent_and_resumes_with_a_key_frame() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(2));
    world.configure(bob, &track, SubscriptionSettings { enabled: false, ..SubscriptionSettings::default() });
    world.run(Duration::from_millis(100));
    let before = world.clients[bob].received(&track).len();
    world.run(Duration::from_secs(1));
    assert_eq!(world.clients[bob].received(&track).len(), before);
    world.configure(bob, &track, SubscriptionSettings::default());
    world.run(Duration::from_secs(2));
    assert!(world.clients[bob].received(&track)[before].keyframe);
    assert_continuous(world.clients[bob].received(&track));
}

#[test]
fn key_frame_requests_are_throttled() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let track = world.publish(alice, Kind::Video, &[]);
    let members: Vec<usize> = (0..5).map(|_| world.join(1, 1)).collect();
    for member in &members {
        world.subscribe(*member, &track);
    }
    world.run(Duration::from_secs(3));
    let before = world.clients[alice].senders[0].keyframes_asked;
    for _ in 0..100 {
        for member in &members {
            let now = world.now;
            world.clients[*member].ask_keyframe(now, &track);
        }
        world.run(Duration::from_millis(30));
    }
    let asked = world.clients[alice].senders[0].keyframes_asked - before;
    assert!((3..=8).contains(&asked), "{asked} requests in 3 s");
}

#[test]
fn the_first_frame_does_not_wait_for_the_best_layer() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.run(Duration::from_secs(1));
    world.clients[alice].sender(0).withheld = [false, true, true];
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(1));
    assert_eq!(layer(&world, bob, &track), 0, "only the lowest layer has made a key frame so far");
    world.clients[alice].sender(0).withheld = [false; 3];
    world.run(Duration::from_secs(2));
    assert_eq!(layer(&world, bob, &track), 2);
    assert_continuous(world.clients[bob].received(&track));
}

#[test]
fn a_narrow_link_gets_lower_layers_and_recovers() {
    let mut world = World::new(2);
    world.abilities.tells_arrivals = false;
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, RIDS);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    assert_eq!(layer(&world, bob, &track), 2);
    for _ in 0..12 {
        let now = world.now;
        world.clients[bob].send_estimate(now, &track, 200_000);
        world.run(Duration::from_millis(500));
    }
    assert!(layer(&world, bob, &track) < 2, "the link does not carry the best layer");
    for _ in 0..120 {
        let now = world.now;
        world.clients[bob].send_estimate(now, &track, 5_000_000);
        world.run(Duration::from_millis(500));
    }
    assert_eq!(layer(&world, bob, &track), 2, "the link is fine again");
    assert_continuous(world.clients[bob].received(&track));
}
