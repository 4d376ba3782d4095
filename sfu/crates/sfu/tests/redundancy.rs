//! Redundant sound (RFC 2198): who can read it gets it as it came, others get plain sound.

mod support;

use std::time::Duration;

use support::World;
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
    world.has_red = false;
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
