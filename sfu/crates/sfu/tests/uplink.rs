//! A publisher whose link carries less than it sends: what it is told, and what its subscribers see.

mod support;

use std::time::Duration;

use support::World;
use support::network::Bottleneck;
use tertulia_sfu::{Kind, TrackId};

const RIDS: &[&str] = &["q", "h", "f"];
const TURN: Duration = Duration::from_millis(100);
const QUEUE: Duration = Duration::from_millis(200);
/// With its headers, sound takes 40 kbit/s, the lower two layers 420, all three 830.
const WIDE_BPS: u64 = 5_000_000;
const NARROW_BPS: u64 = 600_000;

/// Ann, whose link this is, sends sound and a camera to Bob.
struct Meeting {
    world: World,
    ann: usize,
    bob: usize,
    sound: TrackId,
    camera: TrackId,
}

impl Meeting {
    fn new() -> Self {
        let mut world = World::new(1);
        let (ann, bob) = (world.join(1, 1), world.join(1, 1));
        let sound = world.publish(ann, Kind::Audio, &[]);
        let camera = world.publish(ann, Kind::Video, RIDS);
        world.subscribe(bob, &sound);
        world.subscribe(bob, &camera);
        let of = world.clients[ann].address;
        world.network.uplink = Some(Bottleneck::new(of, world.now, WIDE_BPS, QUEUE));
        let mut meeting = Self { world, ann, bob, sound, camera };
        meeting.run(Duration::from_secs(5));
        meeting
    }

    fn uplink(&mut self) -> &mut Bottleneck {
        self.world.network.uplink.as_mut().expect("made with the meeting")
    }

    fn limit_bps(&self) -> u64 {
        self.world.clients[self.ann].limit_bps.unwrap_or(u64::MAX)
    }

    /// Ann sends the layers for which she has room.
    fn run(&mut self, time: Duration) {
        let end = self.world.now + time;
        while self.world.now < end {
            self.world.run(TURN);
            let limit = self.limit_bps();
            self.world.clients[self.ann].sender(1).paused = [false, limit < 400_000, limit < 800_000];
        }
    }

    fn layer(&self) -> Option<u8> {
        self.world.clients[self.bob].received(&self.camera).last().map(|got| got.layer)
    }
}

#[test]
fn a_publisher_whose_link_is_full_sends_less_until_it_is_wide_again() {
    let mut meeting = Meeting::new();
    assert_eq!((meeting.layer(), meeting.world.clients[meeting.ann].limit_bps), (Some(2), None));
    meeting.uplink().rate_bps = NARROW_BPS;
    meeting.run(Duration::from_secs(4));
    let limit = meeting.limit_bps();
    assert!((300_000..NARROW_BPS).contains(&limit), "{limit}");
    let dropped = meeting.uplink().dropped;
    meeting.world.clients[meeting.bob].forget();
    meeting.run(Duration::from_secs(4));
    let now = meeting.world.now;
    assert_eq!((meeting.uplink().dropped, meeting.layer()), (dropped, Some(1)));
    assert!(meeting.uplink().wait(now) < Duration::from_millis(50), "the queue is empty");
    let heard = meeting.world.clients[meeting.bob].received(&meeting.sound).len();
    assert!((199..=201).contains(&heard), "{heard} frames of 20 ms in 4 s");

    meeting.uplink().rate_bps = WIDE_BPS;
    meeting.run(Duration::from_secs(10));
    assert_eq!(meeting.layer(), Some(2));
    assert!(meeting.limit_bps() > WIDE_BPS);
}
