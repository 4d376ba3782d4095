//! A defect in the handling of one peer costs that peer, and nobody else.

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::World;

use super::Shard;
use crate::command::Command;
use crate::event::Event;
use crate::fault::{self, Fault};
use crate::ids::{PeerId, PeerKey, ShardId, TrackId};
use crate::media::Kind;
use crate::transport::{Codecs, ShardConfig};

#[test]
fn a_panic_in_one_peers_step_removes_that_peer_alone() {
    let config = ShardConfig::new(&["192.0.2.1:1".parse().expect("an address")]).expect("a configuration");
    let (now, mut shard) = (Instant::now(), Shard::new(ShardId(0), config));
    for peer in ["PA_faulty", "PA_other"] {
        shard.handle_command(now, Command::AddPeer { peer: peer.into(), codecs: Codecs::ALL });
    }
    let faulty = PeerId::from("PA_faulty");
    let key = shard.peers.key_of(&faulty).expect("was added");
    let outcome: Option<()> = shard.peers.step(key, &mut shard.outbox, |_, _| panic!("on purpose"));
    assert!(outcome.is_none());
    shard.settle(now);
    assert!(shard.peers.key_of(&faulty).is_none());
    assert!(matches!(&shard.output().events[..], [Event::PeerFailed { peer, .. }] if *peer == faulty));
    assert!(shard.peers.key_of(&"PA_other".into()).is_some());
    shard.handle_timeout(now + Duration::from_secs(1));
    shard.flush(now + Duration::from_secs(1));
}

/// Two publishers, two subscribers of both, all on one worker.
struct Meeting {
    world: World,
    publishers: [usize; 2],
    subscribers: [usize; 2],
    tracks: [TrackId; 2],
}

impl Meeting {
    fn new() -> Self {
        let mut world = World::new(1);
        let publishers = [world.join(2, 2), world.join(2, 2)];
        let subscribers = [world.join(2, 2), world.join(2, 2)];
        let tracks = publishers.map(|publisher| world.publish(publisher, Kind::Audio, &[]));
        for subscriber in subscribers {
            for track in &tracks {
                world.subscribe(subscriber, track);
                world.run_until_receiving(subscriber, track, 5);
            }
        }
        Self { world, publishers, subscribers, tracks }
    }

    fn key(&self, client: usize) -> PeerKey {
        let peer = self.world.peer(client);
        self.world.shards[0].peers.key_of(&peer).expect("a peer")
    }

    fn count(&self, subscriber: usize, track: usize) -> usize {
        self.world.clients[subscriber].received(&self.tracks[track]).len()
    }

    /// After a second, `client` alone is gone.
    fn assert_lost(&mut self, client: usize) {
        for subscriber in self.subscribers {
            self.world.clients[subscriber].forget();
        }
        self.world.run(Duration::from_secs(1));
        let peer = self.world.peer(client);
        let failed = |event: &Event| matches!(event, Event::PeerFailed { .. });
        assert_eq!(self.world.count(failed), 1);
        assert!(self.world.saw(|event| matches!(event, Event::PeerFailed { peer: of, .. } if *of == peer)));
        for subscriber in self.subscribers.into_iter().filter(|subscriber| *subscriber != client) {
            for track in (0..2).filter(|track| self.publishers[*track] != client) {
                let got = self.count(subscriber, track);
                assert!((49..=51).contains(&got), "{got} of 50 packets of {track}");
            }
        }
    }
}

#[test]
fn a_defect_in_rewriting_costs_one_subscriber_and_the_others_not_even_the_packet() {
    for victim in [0, 1] {
        let mut meeting = Meeting::new();
        let subscriber = meeting.subscribers[victim];
        fault::arm(Fault::Rewriting(meeting.key(subscriber)));
        meeting.assert_lost(subscriber);
    }
}

#[test]
fn a_defect_in_receiving_costs_one_publisher() {
    let mut meeting = Meeting::new();
    let publisher = meeting.publishers[1];
    fault::arm(Fault::Receiving(meeting.key(publisher)));
    meeting.assert_lost(publisher);
}

#[test]
fn a_defect_in_the_tick_costs_the_peer_that_was_looked_at() {
    let mut meeting = Meeting::new();
    let publisher = meeting.publishers[0];
    fault::arm(Fault::Ticking(meeting.key(publisher)));
    meeting.assert_lost(publisher);
}

#[test]
fn a_defect_in_negotiating_costs_the_peer_that_offers() {
    let mut meeting = Meeting::new();
    let subscriber = meeting.subscribers[0];
    fault::arm(Fault::Negotiating(meeting.key(subscriber)));
    meeting.world.clients[subscriber].add_sections(1, 0);
    meeting.assert_lost(subscriber);
}
