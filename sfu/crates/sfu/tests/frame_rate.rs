//! Frames per second: who shows a video small, or in the background, gets fewer of its temporal layers.

mod support;

use std::time::Duration;

use support::World;
use support::network::Link;
use support::received::Got;
use tertulia_sfu::{Kind, SubscriptionSettings, TrackId};

fn publish(world: &mut World, client: usize) -> TrackId {
    let track = world.announce(client, Kind::Video, &["q", "h", "f"]);
    world.clients[client].sender(0).has_temporal_layers = true;
    world.run(Duration::from_secs(1));
    track
}

fn suffices(fps: Option<u32>) -> SubscriptionSettings {
    SubscriptionSettings { fps, ..SubscriptionSettings::default() }
}

/// Frames that were received in some seconds.
fn frames(world: &mut World, client: usize, track: &TrackId, time: Duration) -> usize {
    let from = world.clients[client].received(track).len();
    world.run(time);
    let mut frames: Vec<u32> = world.clients[client].received(track)[from..].iter().map(|got| got.frame).collect();
    frames.dedup();
    frames.len()
}

/// Nothing of what was left off is missed: neither packets nor pictures, nor what a frame needs.
fn assert_decodable(got: &[Got]) {
    for pair in got.windows(2) {
        let [before, after] = pair else { unreachable!() };
        assert_eq!(after.sequence, before.sequence + 1, "sequence: {pair:#?}");
        let pictures = after.picture_id.unwrap().wrapping_sub(before.picture_id.unwrap()) & 0x7fff;
        let is_next = before.frame != after.frame || before.layer != after.layer;
        assert_eq!(pictures, u16::from(is_next), "picture ids: {pair:#?}");
    }
    let mut open = 2;
    let mut last: Option<&Got> = None;
    for got in got {
        let is_left_off = last.is_some_and(|last| got.layer == last.layer && got.frame > last.frame + 1);
        if got.keyframe {
            open = 2;
        } else if is_left_off {
            open = open.min(missing(last.map_or(0, |last| last.frame) + 1..got.frame).saturating_sub(1));
        }
        if got.temporal_layer > open {
            assert!(got.is_sync && got.temporal_layer == open + 1, "it needs what was left off: {got:#?}");
            open = got.temporal_layer;
        }
        last = Some(got);
    }
}

/// The lowest temporal layer of these frames.
fn missing(frames: std::ops::Range<u32>) -> u8 {
    frames
        .map(|frame| {
            if frame % 4 == 0 {
                0
            } else if frame % 2 == 0 {
                1
            } else {
                2
            }
        })
        .min()
        .unwrap_or(2)
}

#[test]
fn as_many_frames_are_sent_as_suffice() {
    let mut world = World::new(2);
    let alice = world.join(1, 1);
    let track = publish(&mut world, alice);
    for (wanted, expected) in [(Some(7), 14..=17), (Some(15), 28..=33), (Some(30), 58..=62), (None, 58..=62)] {
        let member = world.join(1, 1);
        world.configure(member, &track, suffices(wanted));
        world.subscribe(member, &track);
        world.run(Duration::from_secs(3));
        let frames = frames(&mut world, member, &track, Duration::from_secs(2));
        assert!(expected.contains(&frames), "{frames} frames in 2 s, where {wanted:?} fps suffice");
        assert_decodable(world.clients[member].received(&track));
    }
}

#[test]
fn layers_are_left_off_and_come_back_without_a_key_frame() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = publish(&mut world, alice);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    let asked = world.clients[alice].sender(0).keyframes_asked;
    for (wanted, expected) in [(Some(7), 14..=17), (None, 58..=62), (Some(15), 28..=33), (Some(30), 58..=62)] {
        world.configure(bob, &track, suffices(wanted));
        world.run(Duration::from_millis(500));
        let frames = frames(&mut world, bob, &track, Duration::from_secs(2));
        assert!(expected.contains(&frames), "{frames} frames in 2 s, where {wanted:?} fps suffice");
    }
    assert_eq!(world.clients[alice].sender(0).keyframes_asked, asked);
    assert_decodable(world.clients[bob].received(&track));
}

#[test]
fn each_frame_keeps_its_picture_id_on_a_lossy_link() {
    for seed in 1..=5 {
        let link = Link { loss: 0.05, seed, ..Link::default() };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = publish(&mut world, alice);
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(3));
        world.configure(bob, &track, suffices(Some(15)));
        world.run(Duration::from_secs(1));
        world.clients[bob].forget();
        world.run(Duration::from_secs(5));
        let mut got: Vec<&Got> = world.clients[bob].received(&track).iter().collect();
        got.sort_by_key(|got| got.sequence);
        for pair in got.windows(2) {
            let pictures = pair[1].picture_id.unwrap().wrapping_sub(pair[0].picture_id.unwrap()) & 0x7fff;
            assert_eq!(pictures == 0, pair[0].frame == pair[1].frame, "seed {seed}: {pair:#?}");
            assert!(pictures <= 8, "seed {seed}: {pair:#?}");
        }
    }
}
