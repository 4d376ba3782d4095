//! Data channels: both ways, flow control, receivers that are slow or stuck.

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::World;
use tertulia_sfu::{Channel, Command, DataMessage, Event, Kind};

const CHUNK_BYTES: usize = 15_000;
const IN_FLIGHT_BYTES: usize = 512 * 1024;

#[test]
fn data_goes_both_ways() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    world.run_until(|world| world.count(|event| matches!(event, Event::DataOpen { .. })) == 6);
    let now = world.now;
    assert!(world.clients[alice].send(now, "_reliable", b"hello"));
    world.run_until(|world| {
        world.saw(|event| matches!(event, Event::DataReceived { channel: Channel::Reliable, payload, .. } if payload[..] == b"hello"[..]))
    });
    let peers = vec![world.peer(bob)];
    let payload = Arc::new(DataMessage::from(b"welcome".as_slice()));
    world.command(bob, Command::SendData { peers, channel: Channel::Lossy, payload });
    world.run_until(|world| world.clients[bob].data.contains(&("_lossy".to_owned(), b"welcome".to_vec())));
}

fn send_reliable(world: &mut World, client: usize, count: u8, bytes: usize) {
    for number in 0..count {
        let payload = Arc::new(DataMessage::new(vec![number; bytes], None));
        let peers = vec![world.peer(client)];
        world.command(client, Command::SendData { peers, channel: Channel::Reliable, payload });
    }
}

fn joined_with_channels(world: &mut World) -> usize {
    let client = world.join(1, 1);
    let peer = world.peer(client);
    let is_open = |event: &Event| matches!(event, Event::DataOpen { peer: of, .. } if *of == peer);
    world.run_until(|world| world.count(is_open) == 3);
    // the client learns it a moment later
    world.run(Duration::from_millis(100));
    client
}

/// What this client has sent, as far as it has been received, in order of arrival.
fn numbers_received(world: &World) -> Vec<u8> {
    let number = |event: &Event| match event {
        Event::DataReceived { payload, .. } => payload.first().copied(),
        _ => None,
    };
    world.events.iter().filter_map(number).collect()
}

/// Send as many chunks as the client's buffer takes, from this number on. Returns the next number.
fn send_chunks(world: &mut World, client: usize, mut next: u8, end: u8) -> u8 {
    let now = world.now;
    while next < end && world.clients[client].send(now, "_reliable", &[next; CHUNK_BYTES]) {
        next += 1;
    }
    next
}

fn forget_events(world: &mut World) {
    world.events.clear();
    world.clients.iter_mut().for_each(|client| client.read = 0);
}

#[test]
fn reliable_data_beyond_the_buffer_waits_and_arrives_in_order() {
    let mut world = World::new(1);
    let bob = joined_with_channels(&mut world);
    let start = world.now;
    send_reliable(&mut world, bob, 120, CHUNK_BYTES);
    world.run_until(|world| world.clients[bob].data.len() == 120);
    assert!(world.now - start < Duration::from_millis(800), "it is resumed by the tick alone");
    for (number, (label, payload)) in (0u8..).zip(&world.clients[bob].data) {
        assert_eq!((label.as_str(), payload.len(), payload[0]), ("_reliable", CHUNK_BYTES, number));
    }
}

#[test]
fn a_sender_waits_until_what_it_sent_is_taken() {
    let mut world = World::new(1);
    let alice = joined_with_channels(&mut world);
    let (mut next, mut received, mut rounds) = (0, Vec::new(), 0);
    while received.len() < 200 {
        // the events are kept: nothing is taken from the queue
        for _ in 0..100 {
            next = send_chunks(&mut world, alice, next, 200);
            world.run(Duration::from_millis(10));
        }
        let numbers = numbers_received(&world);
        assert!(numbers.len() * CHUNK_BYTES <= IN_FLIGHT_BYTES + 2 * CHUNK_BYTES, "{} messages", numbers.len());
        received.extend(numbers);
        forget_events(&mut world);
        rounds += 1;
        assert!(rounds < 60, "{} messages in a minute", received.len());
    }
    assert_eq!(received, (0..200).collect::<Vec<_>>(), "whole, and in order");
}

#[test]
fn a_sender_that_waits_still_sends_media_and_receives_data() {
    let mut world = World::new(1);
    let (alice, bob) = (joined_with_channels(&mut world), joined_with_channels(&mut world));
    let track = world.publish(alice, Kind::Video, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 5);
    let peer = world.peer(alice);
    world.command(alice, Command::HoldData { peer, time: Duration::from_secs(15) });
    let mut next = 0;
    send_reliable(&mut world, alice, 100, CHUNK_BYTES);
    for _ in 0..200 {
        next = send_chunks(&mut world, alice, next, 200);
        world.run(Duration::from_millis(10));
    }
    // its acknowledgements are not held back for long
    world.run_until(|world| world.clients[alice].data.len() == 100);
    assert!(numbers_received(&world).is_empty());
    world.run_until_receiving(bob, &track, 30);
    world.run_until(|world| !numbers_received(world).is_empty());
}

#[test]
fn a_peer_that_takes_no_data_loses_it_and_stays() {
    let mut world = World::new(1);
    let (alice, bob) = (joined_with_channels(&mut world), joined_with_channels(&mut world));
    let track = world.publish(alice, Kind::Video, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 5);
    let address = world.clients[bob].address;
    world.network.cut.push(address);
    send_reliable(&mut world, bob, 150, CHUNK_BYTES);
    world.run(Duration::from_secs(4));
    let is_lost = |event: &Event| matches!(event, Event::DataLost { .. });
    assert_eq!(world.count(is_lost), 0);
    world.run(Duration::from_secs(2));
    send_reliable(&mut world, bob, 100, CHUNK_BYTES);
    assert_eq!(world.count(is_lost), 1, "reported once");
    assert!(!world.saw(|event| matches!(event, Event::PeerFailed { .. })));
    world.network.cut.clear();
    let before = world.clients[bob].data.len();
    world.run_until(|world| world.clients[bob].data.len() > before);
    world.run(Duration::from_secs(5));
    send_reliable(&mut world, bob, 1, 77);
    world.run_until(|world| world.clients[bob].data.last().is_some_and(|(_, payload)| payload.len() == 77));
    world.run_until_receiving(bob, &track, 5);
}

#[test]
fn what_waits_for_a_peer_is_bounded() {
    let mut world = World::new(1);
    let bob = joined_with_channels(&mut world);
    let address = world.clients[bob].address;
    world.network.cut.push(address);
    let payload = Arc::new(DataMessage::new(vec![0; 60_000], None));
    for _ in 0..100 {
        let (peers, payload) = (vec![world.peer(bob)], payload.clone());
        world.command(bob, Command::SendData { peers, channel: Channel::Reliable, payload });
    }
    let waiting = (Arc::strong_count(&payload) - 1) * payload.len();
    assert!((2_000_000..3_300_000).contains(&waiting), "{waiting} bytes");
    world.run(Duration::from_millis(10));
    assert_eq!(world.count(|event| matches!(event, Event::DataLost { .. })), 1);
}
