//! Connections on which the server makes the offers: the second one of a participant.

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::World;
use tertulia_sfu::{Channel, Command, DataMessage, Event, Kind, TrackId};

fn offers(world: &World, client: usize) -> usize {
    let peer = world.peer(client);
    world.count(|event| matches!(event, Event::Offered { peer: of, .. } if *of == peer))
}

/// A publisher with a camera and a microphone, and one who subscribes to both.
fn meeting() -> (World, usize, usize, [TrackId; 2]) {
    let mut world = World::new(2);
    let alice = world.join(1, 1);
    let tracks = [world.publish(alice, Kind::Video, &["q", "h", "f"]), world.publish(alice, Kind::Audio, &[])];
    let bob = world.enter_subscriber(true);
    for track in &tracks {
        world.subscribe(bob, track);
    }
    for track in &tracks {
        world.run_until_receiving(bob, track, 20);
    }
    (world, alice, bob, tracks)
}

#[test]
fn the_server_offers_channels_and_tracks() {
    let (mut world, _, bob, tracks) = meeting();
    world.run_until(|world| world.count(|event| matches!(event, Event::DataOpen { .. })) == 6);
    let peers = vec![world.peer(bob)];
    for channel in Channel::ALL {
        let payload = Arc::new(DataMessage::from(channel.label().as_bytes()));
        world.command(bob, Command::SendData { peers: peers.clone(), channel, payload });
    }
    world.run_until(|world| world.clients[bob].data.len() == 3);
    let offer = world.clients[bob].offers.last().unwrap();
    let identity = format!("a=msid:PA_0|{} {}", tracks[0], tracks[0]);
    for wanted in [&*identity, "a=ice-lite", "a=setup:actpass", "goog-remb", " transport-cc", "transport-wide-cc"] {
        assert!(offer.contains(wanted), "{wanted} in {offer}");
    }
    assert!(offers(&world, bob) <= 3, "changes are offered together");
}

#[test]
fn without_channels_nothing_is_offered_before_a_track() {
    let mut world = World::new(1);
    let (alice, bob) = (world.join(1, 1), world.enter_subscriber(false));
    world.run(Duration::from_millis(500));
    assert_eq!(offers(&world, bob), 0);
    let track = world.publish(alice, Kind::Audio, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 20);
}

#[test]
fn a_section_is_shown_empty_and_used_again() {
    let (mut world, alice, bob, [camera, _]) = meeting();
    world.unsubscribe(bob, &camera);
    world.run(Duration::from_millis(500));
    assert!(world.clients[bob].offers.last().unwrap().contains("a=inactive"));
    let screen = world.publish(alice, Kind::Video, &[]);
    world.subscribe(bob, &screen);
    world.run_until_receiving(bob, &screen, 20);
    let offer = world.clients[bob].offers.last().unwrap();
    assert_eq!(offer.matches("m=video").count(), 1, "{offer}");
    world.subscribe(bob, &camera);
    world.run_until_receiving(bob, &camera, 20);
}

#[test]
fn ice_is_restarted() {
    let (mut world, _, bob, [camera, _]) = meeting();
    let ufrag = |world: &World| {
        let offer = world.clients[bob].offers.last().unwrap();
        offer.lines().find(|line| line.starts_with("a=ice-ufrag:")).unwrap().to_owned()
    };
    let before = ufrag(&world);
    // the client has another address now
    world.clients[bob].move_to("198.51.100.200:9000".parse().unwrap());
    let peer = world.peer(bob);
    world.command(bob, Command::RestartIce { peer });
    world.run_until(|world| ufrag(world) != before);
    world.clients[bob].forget();
    world.run_until_receiving(bob, &camera, 20);
}

#[test]
fn an_offer_without_an_answer_is_repeated_before_a_restart() {
    let (mut world, alice, bob, _) = meeting();
    world.withholds_answers = true;
    let track = world.publish(alice, Kind::Video, &[]);
    world.subscribe(bob, &track);
    world.run(Duration::from_millis(300));
    let count = offers(&world, bob);
    let peer = world.peer(bob);
    // an answer to another offer changes nothing
    world.command(bob, Command::Answer { peer: peer.clone(), offer_id: 99, sdp: "v=0".into() });
    world.withholds_answers = false;
    world.command(bob, Command::RestartIce { peer });
    world.run_until_receiving(bob, &track, 20);
    assert_eq!(offers(&world, bob), count + 2, "the same one, then the restart");
}

#[test]
fn an_answer_that_does_not_fit_is_refused() {
    for sdp in ["", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"] {
        let mut world = World::new(1);
        world.withholds_answers = true;
        let bob = world.enter_subscriber(true);
        world.run(Duration::from_millis(20));
        let peer = world.peer(bob);
        world.command(bob, Command::Answer { peer, offer_id: 1, sdp: sdp.into() });
        assert!(
            matches!(world.shards[0].output().events.last(), Some(Event::NegotiationFailed { offer_id: 1, .. })),
            "{sdp}"
        );
    }
}
