//! On which worker a new peer is.
//!
//! What peers send each other costs a wake-up and a copy where it crosses workers: so those of one room stay together, and
//! rooms stay on one worker while it has time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tertulia_sfu::{PeerId, ShardId};

/// A worker this busy gets no new rooms while others have time, and one this busy no more peers of its rooms.
const ENOUGH_PERMILLE: f64 = 500.0;
const FULL_PERMILLE: f64 = 750.0;
/// What a new peer is expected to take until it can be measured, how much more for each other member of its room whom it
/// sends to or receives from, and how long that is.
const PEER_PERMILLE: f64 = 2.0;
const PAIR_PERMILLE: f64 = 0.6;
const UNMEASURED: Duration = Duration::from_secs(3);

/// All peers, and where they are.
#[derive(Default)]
pub(crate) struct Placement {
    peers: HashMap<PeerId, Placed>,
    rooms: HashMap<Arc<str>, Room>,
    /// Peers of each worker.
    load: Vec<usize>,
    /// Those whose work cannot be measured yet.
    young: Vec<(Instant, PeerId)>,
}

struct Placed {
    shard: ShardId,
    room: Arc<str>,
    role: Role,
}

/// Whether a peer is all of a participant, or its first one, or a second one that only receives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Member,
    Second,
}

struct Room {
    /// Where its last peer went.
    newest: ShardId,
    /// Participants with their first peer on each worker.
    members: Vec<usize>,
}

impl Placement {
    pub fn new(workers: usize) -> Self {
        Self { load: vec![0; workers], ..Self::default() }
    }

    pub fn shard_of(&self, peer: &PeerId) -> Option<ShardId> {
        self.peers.get(peer).map(|placed| placed.shard)
    }

    /// The peers of a worker.
    pub fn peers_of(&self, shard: ShardId) -> impl Iterator<Item = &PeerId> {
        self.peers.iter().filter(move |(_, placed)| placed.shard == shard).map(|(peer, _)| peer)
    }

    /// The worker of a peer; a new one is placed. `busy_permille`: how busy each is.
    pub fn place(&mut self, now: Instant, peer: &PeerId, (room, role): (&str, Role), busy_permille: &[u64]) -> ShardId {
        if let Some(placed) = self.peers.get(peer) {
            return placed.shard;
        }
        self.young.retain(|(at, _)| now.saturating_duration_since(*at) < UNMEASURED);
        let expected = self.expected(busy_permille);
        let has_time = |shard: &usize, limit: f64| expected.get(*shard).is_some_and(|permille| *permille < limit);
        let beside = self.rooms.get(room).map(|room| usize::from(room.newest.0));
        let first = (0..self.load.len()).find(|shard| has_time(shard, ENOUGH_PERMILLE));
        let free = beside.filter(|shard| has_time(shard, FULL_PERMILLE)).or(first);
        let least = || {
            let busy = expected.iter().zip(&self.load).enumerate();
            busy.min_by(|(_, one), (_, other)| one.0.total_cmp(other.0).then(one.1.cmp(other.1)))
                .map(|(shard, _)| shard)
        };
        let shard = ShardId(free.or_else(least).unwrap_or_default() as u16);
        self.add(now, peer, (room, role), shard);
        shard
    }

    /// How busy each worker will be.
    fn expected(&self, busy_permille: &[u64]) -> Vec<f64> {
        let mut young: HashMap<&str, Vec<usize>> = HashMap::new();
        for placed in self.young.iter().filter_map(|(_, peer)| self.peers.get(peer)) {
            let of_room = young.entry(&placed.room).or_insert_with(|| vec![0; self.load.len()]);
            of_room.get_mut(usize::from(placed.shard.0)).into_iter().for_each(|count| *count += 1);
        }
        let mut expected: Vec<f64> =
            (0..self.load.len()).map(|shard| busy_permille.get(shard).copied().unwrap_or_default() as f64).collect();
        for (room, young) in young {
            let Some(members) = self.rooms.get(room).map(|room| &room.members) else { continue };
            let (all, new): (usize, usize) = (members.iter().sum(), young.iter().sum());
            for ((expected, members), young) in expected.iter_mut().zip(members).zip(young) {
                // new ones get from all, and the others from new ones
                let pairs = young * all + members.saturating_sub(young) * new;
                *expected += PEER_PERMILLE * young as f64 + PAIR_PERMILLE * pairs as f64;
            }
        }
        expected
    }

    fn add(&mut self, now: Instant, peer: &PeerId, (room, role): (&str, Role), shard: ShardId) {
        let index = usize::from(shard.0);
        let name = self.rooms.get_key_value(room).map_or_else(|| Arc::from(room), |(name, _)| name.clone());
        let new = || Room { newest: shard, members: vec![0; self.load.len()] };
        let of_room = self.rooms.entry(name.clone()).or_insert_with(new);
        of_room.newest = shard;
        self.load.get_mut(index).into_iter().for_each(|count| *count += 1);
        if role == Role::Member {
            of_room.members.get_mut(index).into_iter().for_each(|count| *count += 1);
            self.young.push((now, peer.clone()));
        }
        self.peers.insert(peer.clone(), Placed { shard, room: name, role });
    }

    /// False if there is no such peer.
    pub fn remove(&mut self, peer: &PeerId) -> bool {
        let Some(Placed { shard, room, role }) = self.peers.remove(peer) else { return false };
        let index = usize::from(shard.0);
        let of_room = self.rooms.get_mut(&room).filter(|_| role == Role::Member);
        let members = of_room.and_then(|room| room.members.get_mut(index));
        members.into_iter().chain(self.load.get_mut(index)).for_each(|count| *count = count.saturating_sub(1));
        if self.rooms.get(&room).is_some_and(|room| room.members.iter().all(|count| *count == 0)) {
            self.rooms.remove(&room);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        placement: Placement,
        now: Instant,
        peers: usize,
    }

    impl World {
        fn new() -> Self {
            Self { placement: Placement::new(2), now: Instant::now(), peers: 0 }
        }

        /// The workers of new peers.
        fn join(&mut self, room: &str, count: usize, busy: &[u64]) -> Vec<u16> {
            let place = |_| {
                self.peers += 1;
                let peer = PeerId::from(format!("PA_{}", self.peers));
                self.placement.place(self.now, &peer, (room, Role::Member), busy).0
            };
            (0..count).map(place).collect()
        }
    }

    #[test]
    fn small_rooms_are_on_one_worker_and_so_are_many_of_them() {
        let mut world = World::new();
        for room in 0..15 {
            assert_eq!(world.join(&format!("room {room}"), 4, &[0, 0]), [0; 4], "{room}");
        }
        world.now += UNMEASURED;
        assert_eq!(world.join("another", 2, &[510, 0]), [1, 1], "as measured");
        assert_eq!(world.join("room 3", 2, &[510, 0]), [0, 0], "beside its members");
        assert_eq!(world.join("room 3", 1, &[750, 0]), [1], "unless there is no time");
        assert_eq!(world.join("room 3", 1, &[100, 0]), [1], "where its newest member is");
        assert_eq!(world.join("a third one", 1, &[900, 700]), [1], "the one that has more time");
        let again = world.placement.place(world.now, &PeerId::from("PA_1"), ("room 0", Role::Member), &[900, 0]);
        assert_eq!(again, ShardId(0), "it stays");
    }

    #[test]
    fn a_large_room_that_comes_at_once_is_spread() {
        let mut world = World::new();
        let workers = world.join("room", 60, &[0, 0]);
        assert_eq!(workers.iter().filter(|shard| **shard == 0).count(), 34);
        assert!(workers.is_sorted());
        // one that grows slowly is spread as measured
        let mut world = World::new();
        for busy in [0, 100, 200, 300, 400, 500, 600] {
            assert_eq!(world.join("room", 4, &[busy, 0]), [0; 4], "{busy}");
            world.now += UNMEASURED;
        }
        assert_eq!(world.join("room", 4, &[750, 0]), [1; 4]);
    }

    #[test]
    fn second_peers_are_beside_the_first_ones() {
        let mut world = World::new();
        for number in 0..20 {
            world.join("room", 1, &[0, 0]);
            let second = PeerId::from(format!("PA_{number}/second"));
            let shard = world.placement.place(world.now, &second, ("room", Role::Second), &[0, 0]);
            assert_eq!(shard, ShardId(0), "{number}");
        }
        assert_eq!(world.placement.load, [40, 0]);
    }

    #[test]
    fn who_leaves_is_forgotten() {
        let mut world = World::new();
        world.join("room", 60, &[0, 0]);
        for number in 1..=60 {
            assert!(world.placement.remove(&PeerId::from(format!("PA_{number}"))));
            assert!(!world.placement.remove(&PeerId::from(format!("PA_{number}"))));
        }
        let placement = &world.placement;
        assert!(placement.peers.is_empty() && placement.rooms.is_empty() && placement.load == [0, 0]);
        assert_eq!(world.join("room", 4, &[0, 0]), [0; 4]);
        assert_eq!(world.placement.peers_of(ShardId(0)).count(), 4);
    }
}
