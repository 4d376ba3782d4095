//! Whose datagram it is, in virtual time.

use super::*;
use crate::transport::IceCredentials;

const RTP: &[u8] = &[0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];

/// A binding request with nothing but a user name, as a stranger can write it.
fn check(ufrag: &str) -> Vec<u8> {
    let name = format!("{ufrag}:them");
    let mut attribute = vec![0x00, 0x06];
    attribute.extend(u16::try_from(name.len()).expect("short").to_be_bytes());
    attribute.extend(name.bytes());
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    let mut message = vec![0x00, 0x01];
    message.extend(u16::try_from(attribute.len()).expect("short").to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    message.extend(attribute);
    message
}

fn address(number: usize) -> Path {
    let remote = SocketAddr::from(([10, (number >> 16) as u8, (number >> 8) as u8, number as u8], 5000));
    Path::udp(([192, 0, 2, 1], 7882).into(), remote)
}

/// Two workers and a peer of each, with the ufrags that their clients know.
struct Workers {
    now: Instant,
    first: Demux,
    second: Demux,
    ufrags: [String; 2],
}

impl Workers {
    fn new() -> Self {
        let key = UfragKey::default();
        let (mut first, mut second) = (Demux::new(ShardId(0), key.clone()), Demux::new(ShardId(1), key.clone()));
        let ufrags = [0, 1].map(|shard| IceCredentials::generate(ShardId(shard), &key).ufrag);
        first.add_ufrag(ufrags[0].clone(), 7);
        second.add_ufrag(ufrags[1].clone(), 8);
        Self { now: Instant::now(), first, second, ufrags }
    }

    /// The peer of the second worker proves an address that arrives at the first one.
    fn bind_across(&mut self, address: Path) {
        self.second.bind(self.now, address, 8, ShardId(0));
        self.deliver();
    }

    fn deliver(&mut self) {
        for (_, message) in self.second.notices.drain(..) {
            match message {
                Message::PathBound { path, owner } => self.first.on_bound(self.now, path, owner),
                Message::PathReleased { path, owner } => self.first.on_released(path, owner),
                _ => {}
            }
        }
    }
}

#[test]
fn checks_that_are_not_answered_bind_nothing_and_evict_nothing() {
    let mut workers = Workers::new();
    let (here, across) = (address(1), address(2));
    workers.first.bind(workers.now, here, 7, ShardId(0));
    workers.bind_across(across);
    let ufrags = workers.ufrags.clone();
    for number in 0..200_000 {
        workers.first.owner(workers.now, address(100 + number), &check(&ufrags[number % 2]));
    }
    assert_eq!(workers.first.bindings.len(), 2);
    assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Here(7));
    assert_eq!(workers.first.owner(workers.now, across, RTP), Owner::Shard(ShardId(1)));
    assert_eq!(workers.first.owner(workers.now, address(100), RTP), Owner::Unknown);
}

#[test]
fn nobody_gets_an_address_that_another_one_uses() {
    let mut workers = Workers::new();
    let (here, across) = (address(1), address(2));
    workers.first.bind(workers.now, here, 7, ShardId(0));
    workers.bind_across(across);
    let ufrags = workers.ufrags.clone();
    // the checks of a participant who writes another one's address as source are not even looked at
    assert_eq!(workers.first.owner(workers.now, here, &check(&ufrags[1])), Owner::Unknown);
    assert_eq!(workers.first.owner(workers.now, across, &check(&ufrags[0])), Owner::Unknown);
    // and could not bind it if they were
    workers.first.bind(workers.now, across, 7, ShardId(0));
    workers.bind_across(here);
    assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Here(7));
    assert_eq!(workers.first.owner(workers.now, across, RTP), Owner::Shard(ShardId(1)));
    // an address that has become silent is free
    workers.now += HELD;
    assert_eq!(workers.first.owner(workers.now, here, &check(&ufrags[1])), Owner::Shard(ShardId(1)));
    workers.bind_across(here);
    assert_eq!(workers.first.owner(workers.now, here, RTP), Owner::Shard(ShardId(1)));
}

#[test]
fn only_ufrags_that_a_worker_has_made_are_passed_on() {
    let mut workers = Workers::new();
    let [_, other] = workers.ufrags.clone();
    assert_eq!(workers.first.owner(workers.now, address(1), &check(&other)), Owner::Shard(ShardId(1)));
    for forged in ["0001".to_owned(), format!("{}x", other), format!("0001{}", &other[5..]), "ä€ä€ä€ä€ä€".into()]
    {
        assert_eq!(workers.first.owner(workers.now, address(1), &check(&forged)), Owner::Unknown, "{forged}");
    }
}

#[test]
fn a_ufrag_that_many_addresses_use_is_answered_in_portions() {
    let mut workers = Workers::new();
    let ufrags = workers.ufrags.clone();
    let mut admitted = |ufrag: &str| {
        let checks = (0..1000).map(|number| workers.first.owner(workers.now, address(number), &check(ufrag)));
        checks.filter(|owner| *owner != Owner::Unknown).count()
    };
    assert!((10..100).contains(&admitted(&ufrags[0])));
    assert!((10..100).contains(&admitted(&ufrags[1])), "another participant's checks are counted alone");
}

#[test]
fn a_peer_holds_few_addresses_and_its_end_releases_them() {
    let mut workers = Workers::new();
    for number in 0..1000 {
        workers.now += Duration::from_millis(1);
        workers.bind_across(address(number));
    }
    assert_eq!((workers.second.bindings.len(), workers.first.bindings.len()), (MAX_PATHS, MAX_PATHS));
    assert_eq!(workers.first.owner(workers.now, address(999), RTP), Owner::Shard(ShardId(1)));
    let known = workers.ufrags[1].clone();
    assert_eq!(workers.second.owner(workers.now, address(5000), &check(&known)), Owner::Unknown, "too many");
    workers.second.remove(8);
    workers.deliver();
    assert!(workers.second.bindings.is_empty() && workers.first.bindings.is_empty());
    assert!(workers.second.by_ufrag.is_empty() && workers.second.routes.is_empty());
}

#[test]
fn old_ufrags_and_addresses_of_a_lost_worker_are_forgotten() {
    let mut workers = Workers::new();
    for restart in 0..50 {
        workers.second.add_ufrag(format!("{restart}"), 8);
    }
    assert_eq!(workers.second.by_ufrag.len(), MAX_UFRAGS);
    workers.bind_across(address(1));
    workers.first.sweep(workers.now + FORGOTTEN);
    assert!(workers.first.bindings.is_empty());
}
