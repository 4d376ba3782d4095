//! Bad networks, bad input, peers that leave.

mod support;

use std::collections::HashSet;
use std::time::Duration;

use support::network::Link;
use support::received::Got;
use support::{STEP, World};
use tertulia_sfu::{Command, Event, Kind, PeerId, Quality, SubscriptionSettings};

fn lossy(loss: f64, seed: u64) -> Link {
    Link { delay: Duration::from_millis(20), jitter: Duration::from_millis(15), loss, seed }
}

/// Sorted by sequence number, as by a jitter buffer.
fn in_order(got: &[Got]) -> Vec<Got> {
    let mut sorted = got.to_vec();
    sorted.sort_by_key(|got| got.sequence);
    sorted
}

#[test]
fn losses_are_repaired_in_both_directions() {
    for seed in 1..=5 {
        let mut world = World::with_link(2, Link { loss: 0.0, ..lossy(0.0, seed) });
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, &[]);
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(1));
        world.network.link.loss = 0.05;
        world.clients[bob].forget();
        world.run(Duration::from_secs(10));
        world.network.link.loss = 0.0;
        world.run(Duration::from_secs(1));
        let got = in_order(world.clients[bob].received(&track));
        assert!(got.windows(2).all(|pair| pair[1].sequence != pair[0].sequence), "seed {seed}: a packet came twice");
        let (first, last) = (got[0].sequence, got[got.len() - 1].sequence);
        let missing = (last - first + 1) as usize - got.len();
        // 5 % on each of two hops without repair would be 30 of 300
        assert!(missing <= 4, "seed {seed}: {missing} of {} are missing", got.len());
        for pair in got.windows(2).filter(|pair| pair[1].sequence == pair[0].sequence + 1) {
            assert_eq!(pair[1].frame, pair[0].frame + 1, "seed {seed}: wrong order {pair:#?}");
            assert!(pair[1].timestamp.wrapping_sub(pair[0].timestamp) < 90_000);
            assert_eq!(pair[1].picture_id.unwrap(), (pair[0].picture_id.unwrap() + 1) & 0x7fff);
        }
    }
}

#[test]
fn thirty_percent_of_loss_to_a_subscriber_are_repaired() {
    for seed in 1..=3 {
        let link = Link { delay: Duration::from_millis(50), jitter: Duration::ZERO, loss: 0.0, seed };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(3));
        world.network.lossy = vec![world.clients[bob].address];
        world.network.link.loss = 0.3;
        world.clients[bob].forget();
        world.run(Duration::from_secs(10));
        world.network.link.loss = 0.0;
        world.run(Duration::from_secs(1));
        let got = in_order(world.clients[bob].received(&track));
        let sent = (got[got.len() - 1].sequence - got[0].sequence + 1) as usize;
        let missing = sent - got.len();
        assert!(missing * 100 <= sent, "seed {seed}: {missing} of {sent} are missing");
    }
}

/// Far beyond what the transport looks at: its packets come after a hundred newer ones.
#[test]
fn thirty_percent_of_loss_from_a_far_publisher_are_repaired() {
    for seed in 1..=3 {
        let link = Link { delay: Duration::from_millis(200), jitter: Duration::ZERO, loss: 0.0, seed };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
        world.subscribe(bob, &track);
        world.run(Duration::from_secs(4));
        world.clients[alice].resend_without_limit();
        world.network.lossy = vec![world.clients[alice].address, "192.0.2.1:7882".parse().unwrap()];
        world.network.link.loss = 0.3;
        // the transport of the test's own clients looks at no later packets either: what is sent to Bob is counted
        world.network.watched = Some(world.clients[bob].address);
        world.run(Duration::from_secs(15));
        world.network.link.loss = 0.0;
        world.run(Duration::from_secs(3));
        let media = world.network.seen[0].0;
        let seen = world.network.seen.iter().filter(|(ssrc, _)| *ssrc == media).map(|(_, number)| *number);
        let numbers: Vec<u16> = seen.collect();
        let distinct = numbers.iter().collect::<HashSet<_>>().len();
        assert_eq!(distinct, numbers.len(), "seed {seed}: a packet was sent twice");
        let sent = usize::from(numbers[numbers.len() - 1].wrapping_sub(numbers[0])) + 1;
        assert!(sent > 1200, "seed {seed}: {sent}");
        assert!((sent - distinct) * 100 <= sent, "seed {seed}: {distinct} of {sent}");
    }
}

/// Most key frames come in another order than they were sent in, and of some the first packet is lost and asked for again.
#[test]
fn a_late_first_packet_of_a_key_frame_spoils_nothing_of_it() {
    // also when the worker was late, so that they come in one batch
    for (seed, reads_every) in (1..=8).flat_map(|seed| [(seed, STEP), (seed, 50 * STEP)]) {
        let link = Link { delay: Duration::from_millis(20), jitter: Duration::from_millis(60), loss: 0.0, seed };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        world.reads_every = reads_every;
        let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
        world.network.lossy = vec!["192.0.2.1:7882".parse().unwrap()];
        world.run(Duration::from_secs(1));
        world.clients[alice].resend_without_limit();
        world.subscribe(bob, &track);
        for wanted in [Quality::High, Quality::Medium, Quality::High, Quality::Medium, Quality::High] {
            let settings = SubscriptionSettings { quality: Some(wanted), ..SubscriptionSettings::default() };
            world.configure(bob, &track, settings);
            world.network.link.loss = 0.1;
            world.run(Duration::from_secs(2));
            world.network.link.loss = 0.0;
            world.run(Duration::from_secs(1));
        }
        let got = in_order(world.clients[bob].received(&track));
        let switches = got.windows(2).filter(|pair| pair[0].layer != pair[1].layer).count();
        assert!(switches >= 4, "seed {seed}: {switches} switches");
        for pair in got.windows(2).filter(|pair| pair[0].layer != pair[1].layer) {
            assert!(pair[1].keyframe, "seed {seed}: {pair:#?}");
        }
        for keyframe in got.iter().filter(|got| got.keyframe) {
            let packets = got.iter().filter(|it| (it.layer, it.frame) == (keyframe.layer, keyframe.frame)).count();
            assert_eq!(packets, usize::from(keyframe.layer) + 1, "seed {seed}: a key frame lacks packets");
        }
    }
}

#[test]
fn loss_on_the_way_to_a_client_is_told() {
    let mut world = World::with_link(1, Link { seed: 7, ..Link::default() });
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    world.network.lossy = vec![world.clients[bob].address];
    // this client tells what is missing after repair
    world.network.link.loss = 0.7;
    world.run(Duration::from_secs(12));
    assert!(worst_loss(&world, bob) > 0.1);
}

/// The greatest share of lost packets that was told of a client's link.
fn worst_loss(world: &World, client: usize) -> f64 {
    let told = world.events.iter().filter_map(|event| match event {
        Event::LinkQuality { peer, loss, .. } if *peer == world.peer(client) => Some(*loss),
        _ => None,
    });
    told.fold(0.0, f64::max)
}

#[test]
fn what_a_publisher_loses_is_not_told_of_those_who_receive_it() {
    let mut world = World::with_link(1, Link { seed: 7, ..Link::default() });
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(3));
    world.network.lossy = vec!["192.0.2.1:7882".parse().unwrap()];
    world.network.link.loss = 0.7;
    world.run(Duration::from_secs(12));
    let (publisher, subscriber) = (worst_loss(&world, alice), worst_loss(&world, bob));
    assert!(publisher > 0.1, "of the publisher {publisher} is told");
    assert!(subscriber < 0.05, "of the subscriber {subscriber} is told");
}

#[test]
fn what_a_peer_sends_and_receives_is_reported() {
    let mut world = World::with_link(1, Link { seed: 7, ..Link::default() });
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
    world.subscribe(bob, &track);
    world.run(Duration::from_secs(11));
    let (publisher, subscriber) = (world.peer(alice), world.peer(bob));
    assert!(world.saw(|event| match event {
        Event::PeerReport { peer, published, protocol, remote, .. } =>
            *peer == publisher
                && *published == [(track.clone(), Quality::ALL.to_vec())]
                && *protocol == "udp"
                && !remote.is_empty(),
        _ => false,
    }));
    assert!(world.saw(|event| match event {
        Event::PeerReport { peer, subscribed, published, sent_loss, .. } =>
            *peer == subscriber
                && *subscribed == [(track.clone(), Some(Quality::High), Some(Quality::High))]
                && published.is_empty()
                && *sent_loss == Some(0.0),
        _ => false,
    }));
}

#[test]
fn what_is_resent_late_does_not_move_the_clock_of_sender_reports() {
    for seed in 1..=5 {
        let link = Link { delay: Duration::from_millis(80), ..lossy(0.1, seed) };
        let mut world = World::with_link(1, link);
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
        world.subscribe(bob, &track);
        // until it gets the layer that it stays with
        world.run(Duration::from_secs(10));
        world.clients[bob].forget();
        world.run(Duration::from_secs(40));
        let reports: Vec<(f64, u32)> =
            world.clients[bob].received(&track).iter().filter_map(|got| got.report).collect();
        let (began, first) = reports[0];
        let of_media = |rtp: u32| f64::from(rtp.wrapping_sub(first).cast_signed()) / 90_000.0;
        let offsets: Vec<f64> = reports.iter().map(|(at, rtp)| at - began - of_media(*rtp)).collect();
        let (low, high) = offsets.iter().fold((0.0f64, 0.0f64), |(low, high), at| (low.min(*at), high.max(*at)));
        assert!(offsets.len() > 100 && high - low < 0.05, "seed {seed}: {low} to {high} s");
    }
}

#[test]
fn layers_are_switched_on_a_lossy_link() {
    for seed in 1..=5 {
        let mut world = World::with_link(1, lossy(0.03, seed));
        let (alice, bob) = (world.join(1, 1), world.join(1, 1));
        let track = world.publish(alice, Kind::Video, &["q", "h", "f"]);
        world.subscribe(bob, &track);
        for quality in [Quality::High, Quality::Low, Quality::Medium, Quality::High] {
            world.configure(
                bob,
                &track,
                SubscriptionSettings { quality: Some(quality), ..SubscriptionSettings::default() },
            );
            world.run(Duration::from_secs(5));
            let got = in_order(world.clients[bob].received(&track));
            assert_eq!(got.last().unwrap().layer, quality as u8, "seed {seed}");
        }
        let got = in_order(world.clients[bob].received(&track));
        for pair in got.windows(2).filter(|pair| pair[1].sequence == pair[0].sequence + 1) {
            let (before, after) = (&pair[0], &pair[1]);
            assert!(after.timestamp.wrapping_sub(before.timestamp) < 3 * 90_000, "seed {seed}: {pair:#?}");
            assert!(before.layer == after.layer || after.keyframe, "seed {seed}: {pair:#?}");
            assert!((after.picture_id.unwrap().wrapping_sub(before.picture_id.unwrap()) & 0x7fff) <= 30, "seed {seed}");
        }
    }
}

#[test]
fn garbage_disturbs_no_peer() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Audio, &[]);
    world.subscribe(bob, &track);
    world.run_until_receiving(bob, &track, 10);
    let known = world.clients[alice].address;
    let unknown = "203.0.113.9:9".parse().unwrap();
    for round in 0..3000usize {
        let length = round % 300;
        let mut data: Vec<u8> = (0..length).map(|_| (world.network.random() * 256.0) as u8).collect();
        // every kind of first byte: STUN, DTLS, RTP, RTCP, none of them
        if let Some(first) = data.first_mut() {
            *first = [0, 1, 20, 22, 63, 128, 144, 200, 255][round % 9];
        }
        let source = if round % 2 == 0 { known } else { unknown };
        for shard in 0..world.shards.len() {
            world.inject(shard, source, &data);
        }
        world.run(Duration::from_millis(1));
    }
    world.clients[bob].forget();
    world.run_until_receiving(bob, &track, 50);
    assert!(!world.saw(|event| matches!(event, Event::PeerFailed { .. })));
}

#[test]
fn a_bad_offer_is_refused_with_a_reason_and_a_good_one_still_works() {
    let mut world = World::new(1);
    let alice = world.join(1, 1);
    let good = world.clients[alice].offers.last().unwrap().clone();
    let bad = [
        "".to_owned(),
        "v=0\r\n".to_owned(),
        "not even SDP".to_owned(),
        good.replace("a=mid:", "a=dim:"),
        good.replace("a=ice-ufrag", "a=ufrag"),
        "m=video 9 x y\r\n".repeat(5000),
        "x".repeat(1_000_000),
    ];
    for (index, sdp) in (100..).zip(bad) {
        let peer = world.peer(alice);
        let shard = &mut world.shards[0];
        shard.handle_command(world.now, Command::Offer { peer, offer_id: index, sdp });
        let refused = shard.output().events.drain(..).any(
            |event| matches!(event, Event::NegotiationFailed { offer_id, reason, .. } if offer_id == index && !reason.is_empty()),
        );
        assert!(refused, "offer {index}");
    }
    world.publish(alice, Kind::Audio, &[]);
}

#[test]
fn unknown_peers_are_ignored() {
    let mut world = World::new(1);
    let unknown = PeerId::from("PA_unknown");
    let commands = [
        Command::RemovePeer { peer: unknown.clone() },
        Command::Offer { peer: unknown.clone(), offer_id: 1, sdp: String::new() },
        Command::WithdrawTrack { peer: unknown.clone(), track: "TR_x".into() },
        Command::Unsubscribe { peer: unknown.clone(), track: "TR_x".into() },
        Command::ConfigureSubscription {
            peer: unknown,
            track: "TR_x".into(),
            settings: SubscriptionSettings::default(),
        },
    ];
    for command in commands {
        world.shards[0].handle_command(world.now, command);
    }
    assert!(world.shards[0].output().events.is_empty());
}

#[test]
fn a_track_that_is_gone_cannot_be_subscribed_to() {
    let mut world = World::new(2);
    let (alice, bob) = (world.join(1, 1), world.join(1, 1));
    let track = world.publish(alice, Kind::Audio, &[]);
    let peer = world.peer(alice);
    world.command(alice, Command::WithdrawTrack { peer, track: track.clone() });
    world.subscribe(bob, &track);
    world.run_until(|world| {
        world.saw(|event| matches!(event, Event::SubscriptionFailed { track: of, .. } if *of == track))
    });
}

#[test]
fn a_leaving_peer_takes_its_tracks_along_and_nothing_else() {
    let mut world = World::new(2);
    let (alice, bob, carol) = (world.join(1, 1), world.join(2, 2), world.join(2, 2));
    let (gone, stays) = (world.publish(alice, Kind::Audio, &[]), world.publish(carol, Kind::Audio, &[]));
    for track in [&gone, &stays] {
        world.subscribe(bob, track);
        world.run_until_receiving(bob, track, 5);
    }
    let peer = world.peer(alice);
    world.command(alice, Command::RemovePeer { peer });
    world.run(Duration::from_millis(500));
    world.clients[bob].forget();
    world.run(Duration::from_millis(500));
    assert!(world.clients[bob].received(&gone).is_empty());
    assert!(world.clients[bob].received(&stays).len() > 20);
}
