//! What strangers and hostile participants send, at the level of datagrams.

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use support::World;
use tertulia_sfu::{Event, Kind, TrackId};

/// The local ufrag of a client's connection as the server's answers tell it.
fn ufrag(world: &World, client: usize) -> String {
    let answer = world.clients[client].answers.last().expect("an answer");
    let line = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    line.expect("a ufrag").to_owned()
}

/// A binding request as one who does not know the password can write it.
fn unauthenticated_check(ufrag: &str) -> Vec<u8> {
    let name = format!("{ufrag}:them");
    let mut message = vec![0x00, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    for (kind, value) in [(0x0006u16, name.as_bytes()), (0x0024, &[0, 0, 1, 0]), (0x0008, &[7; 20])] {
        message.extend(kind.to_be_bytes());
        message.extend((value.len() as u16).to_be_bytes());
        message.extend(value);
        message.resize(message.len().next_multiple_of(4), 0);
    }
    let length = (message.len() - 20) as u16;
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

fn meeting(shards: u16) -> (World, [usize; 3], TrackId) {
    let mut world = World::new(shards);
    let people = [world.join(1, 1), world.join(1, 1), world.join(1, 1)];
    let track = world.publish(people[0], Kind::Audio, &[]);
    world.subscribe(people[1], &track);
    world.run_until_receiving(people[1], &track, 10);
    world.clients[people[1]].forget();
    (world, people, track)
}

#[test]
fn spoofed_checks_cost_nobody_a_packet() {
    for shards in [1, 2] {
        let (mut world, [alice, bob, _], track) = meeting(shards);
        let names = [ufrag(&world, alice), ufrag(&world, bob), "0000".into(), "0001ffff".into(), "x".into()];
        for round in 0..2000u32 {
            for forged in 0..50u32 {
                let number = round * 50 + forged;
                let source = SocketAddr::from(([11, (number >> 16) as u8, (number >> 8) as u8, number as u8], 9));
                let check = unauthenticated_check(&names[number as usize % names.len()]);
                let socket = number as usize % world.shards.len();
                world.inject(socket, source, &check);
            }
            world.run(Duration::from_millis(1));
        }
        let got = world.clients[bob].received(&track).len();
        assert!((99..=101).contains(&got), "{got} of 100 packets in 2 s, {shards} workers");
        let passed: u64 = world.shards.iter().map(|shard| shard.counters().datagrams_in).sum();
        let dropped: u64 = world.shards.iter().map(|shard| shard.counters().drop_unknown_source).sum();
        assert!(dropped > 97_000 && passed > 100_000, "{dropped} of {passed}");
    }
}

#[test]
fn a_participant_cannot_take_another_ones_address() {
    for shards in [1, 2, 3] {
        let (mut world, [alice, bob, mallory], track) = meeting(shards);
        world.spoofing = Some((mallory, world.clients[alice].address));
        world.clients[mallory].restart_ice();
        world.run(Duration::from_secs(15));
        let got = world.clients[bob].received(&track).len();
        assert!((745..=755).contains(&got), "{got} of 750 packets in 15 s, {shards} workers");
        assert!(!world.saw(|event| matches!(event, Event::PeerDisconnected { .. } | Event::PeerFailed { .. })));
    }
}

#[test]
fn a_client_connects_though_its_candidates_are_not_kept() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    assert!(world.clients[alice].offers[0].contains("a=candidate:"), "the client tells them; nothing is kept of them");
    world.publish(alice, Kind::Audio, &[]);
}

#[test]
fn a_publisher_of_endless_streams_is_ended_and_nobody_else_notices() {
    let (mut world, [_, bob, mallory], track) = meeting(1);
    world.publish(mallory, Kind::Audio, &[]);
    world.clients[bob].forget();
    let ended = |event: &Event| matches!(event, Event::PeerFailed { reason, .. } if reason.starts_with("too many streams, from 198.51.100.3:"));
    let began = world.now;
    for round in 1.. {
        let now = world.now;
        for number in 0..20 {
            world.clients[mallory].send_stream(now, 0, round * 10_000 + number);
        }
        world.run(Duration::from_millis(20));
        if world.saw(ended) {
            break;
        }
        assert!(world.now - began < Duration::from_secs(5), "{:?}", world.shards[0].counters());
    }
    let expected = (world.now - began).as_millis() as usize / 20;
    let got = world.clients[bob].received(&track).len();
    assert!(got + 2 >= expected, "{got} of {expected} packets");
}

#[test]
fn packets_that_are_not_authentic_take_no_section_away() {
    let (mut world, [alice, bob, _], track) = meeting(1);
    let (address, answer) = (world.clients[alice].address, world.clients[alice].answers.last().expect("one").clone());
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("a=extmap:")?.strip_suffix(" urn:ietf:params:rtp-hdrext:sdes:mid"));
    let id: u8 = id.expect("the mid is negotiated").parse().expect("a number");
    let mid = world.clients[alice].senders[0].mid.expect("a section").to_string();
    let mut extension = vec![id << 4 | (mid.len() as u8 - 1)];
    extension.extend(mid.bytes());
    extension.resize(extension.len().next_multiple_of(4), 0);
    for round in 0..200u32 {
        let mut forged = vec![0x90, 111, 0, 1, 0, 0, 0, 0];
        forged.extend((0x5000_0000 + round).to_be_bytes());
        forged.extend([0xbe, 0xde, 0, (extension.len() / 4) as u8]);
        forged.extend(&extension);
        forged.extend([7; 80]);
        world.inject(0, address, &forged);
        world.run(Duration::from_millis(10));
    }
    let got = world.clients[bob].received(&track).len();
    assert!((99..=101).contains(&got), "{got} of 100 packets in 2 s");
}

#[test]
fn a_flood_of_media_ends_its_publisher_alone() {
    let (mut world, [_, bob, mallory], track) = meeting(1);
    let flood = world.publish(mallory, Kind::Audio, &[]);
    world.subscribe(bob, &flood);
    world.run(Duration::from_millis(100));
    world.clients[bob].forget();
    let ended = |event: &Event| matches!(event, Event::PeerFailed { reason, .. } if reason.starts_with("more media than is forwarded, from 198.51.100.3:"));
    let began = world.now;
    while !world.saw(ended) {
        assert!(world.now - began < Duration::from_secs(10), "{:?}", world.shards[0].counters());
        world.clients[mallory].flood(world.now, 0, 19);
        world.run(Duration::from_millis(1));
    }
    let counters = world.shards[0].counters();
    assert!(counters.drop_flood >= 20_000, "{counters:?}");
    let expected = (world.now - began).as_millis() as usize / 20;
    let got = world.clients[bob].received(&track).len();
    assert!(got + 2 >= expected, "{got} of {expected} packets");
}

#[test]
fn a_flood_of_garbage_from_a_clients_address_is_not_looked_at() {
    let (mut world, [alice, bob, mallory], track) = meeting(1);
    let address = world.clients[mallory].address;
    let before = world.shards[0].counters().drop_flood;
    for number in 0..50_000u32 {
        let garbage: Vec<u8> =
            (0..64).map(|byte| if byte < 2 { 200 - 72 * (number % 2) as u8 } else { byte as u8 }).collect();
        world.inject(0, address, &garbage);
    }
    assert!(world.shards[0].counters().drop_flood - before > 30_000);
    world.clients[bob].forget();
    world.run(Duration::from_secs(1));
    assert!(world.clients[bob].received(&track).len() >= 49);
    let _ = alice;
}
