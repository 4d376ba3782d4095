//! Subscribers whose link or machine is too slow, and who estimate themselves what they can receive (REMB): what they are
//! sent, and when pictures are paused.

mod support;

use std::time::Duration;

use support::World;
use support::network::{Bottleneck, CELLULAR, Link};
use tertulia_sfu::{Event, Kind, TrackId};

const HALF_SECOND: Duration = Duration::from_millis(500);
/// More than everything that is sent here takes.
const FAST_BPS: u64 = 5_000_000;
/// The lowest layer takes 130 kbit/s, the best one 400.
const RIDS: &[&str] = &["q", "h", "f"];

/// Ann sends sound and a camera, and Bob, whose link this is, receives both.
struct Meeting {
    world: World,
    bob: usize,
    sound: TrackId,
    camera: TrackId,
    estimate_bps: u64,
    /// How long datagrams waited in front of Bob, and what had been delivered, at the last estimate.
    waited: Duration,
    delivered_bytes: u64,
}

impl Meeting {
    fn new(rate_bps: u64, longest_wait: Duration) -> Self {
        let mut world = World::with_link(1, Link { seed: 3, ..Link::default() });
        world.abilities.tells_arrivals = false;
        let (ann, bob) = (world.join(1, 1), world.join(1, 1));
        let sound = world.publish(ann, Kind::Audio, &[]);
        let camera = world.publish(ann, Kind::Video, RIDS);
        world.subscribe(bob, &sound);
        world.subscribe(bob, &camera);
        world.run(Duration::from_secs(12));
        let to = world.clients[bob].address;
        world.network.bottleneck = Some(Bottleneck::new(to, world.now, rate_bps, longest_wait));
        Self { world, bob, sound, camera, estimate_bps: FAST_BPS, waited: Duration::ZERO, delivered_bytes: 0 }
    }

    fn bottleneck(&mut self) -> &mut Bottleneck {
        self.world.network.bottleneck.as_mut().expect("made with the meeting")
    }

    /// What a browser estimates (draft-ietf-rmcat-gcc): less than what arrives while the queue grows, more otherwise.
    fn run(&mut self, time: Duration) {
        let end = self.world.now + time;
        while self.world.now < end {
            self.world.run(HALF_SECOND);
            let now = self.world.now;
            let (waited, bytes) = (self.bottleneck().wait(now), self.bottleneck().delivered_bytes);
            let received_bps = (bytes - self.delivered_bytes) * 16;
            // a queue that is full does not grow either
            let is_growing = waited > self.waited + Duration::from_millis(10) || waited > Duration::from_millis(150);
            self.estimate_bps = if is_growing {
                self.estimate_bps.min(received_bps * 85 / 100)
            } else {
                (self.estimate_bps * 108 / 100).min(received_bps * 3 / 2 + 10_000)
            };
            (self.waited, self.delivered_bytes) = (waited, bytes);
            self.world.clients[self.bob].send_estimate(now, &self.camera, self.estimate_bps);
        }
    }

    fn layer(&self) -> Option<u8> {
        self.world.clients[self.bob].received(&self.camera).last().map(|got| got.layer)
    }

    fn pauses(&self) -> usize {
        self.world.count(|event| matches!(event, Event::StreamPaused { paused: true, .. }))
    }

    /// The share of the packets of `time` that arrive.
    fn arriving(&mut self, track: &TrackId, per_second: f64, time: Duration) -> f64 {
        self.world.clients[self.bob].forget();
        self.run(time);
        self.world.clients[self.bob].received(track).len() as f64 / (per_second * time.as_secs_f64())
    }

    fn sound_arriving(&mut self, time: Duration) -> f64 {
        let sound = self.sound.clone();
        self.arriving(&sound, 50.0, time)
    }
}

#[test]
fn a_bottleneck_takes_layers_but_no_pictures() {
    let mut meeting = Meeting::new(280_000, Duration::from_secs(2));
    meeting.run(Duration::from_secs(15));
    assert_eq!(meeting.layer(), Some(0), "what fits");
    assert!(meeting.sound_arriving(Duration::from_secs(10)) > 0.95);
    assert_eq!(meeting.pauses(), 0);
    meeting.bottleneck().rate_bps = FAST_BPS;
    meeting.run(Duration::from_secs(70));
    assert_eq!(meeting.layer(), Some(2), "the link is wide again");
}

#[test]
fn a_link_too_narrow_for_any_picture_carries_sound() {
    for (rate_bps, longest_wait) in [(100_000, Duration::from_secs(8)), (100_000, Duration::from_millis(200))] {
        let mut meeting = Meeting::new(rate_bps, longest_wait);
        meeting.run(Duration::from_secs(25));
        assert!(meeting.pauses() > 0, "pictures give way with a queue of {longest_wait:?}");
        // now and then they are tried again
        let arriving = meeting.sound_arriving(Duration::from_secs(60));
        assert!(arriving > 0.85, "queue of {longest_wait:?}: {arriving}");
        meeting.bottleneck().rate_bps = FAST_BPS;
        // failed tries have made the next one rare
        meeting.run(Duration::from_secs(240));
        assert_eq!(meeting.layer(), Some(2), "queue of {longest_wait:?}: the link is wide again");
    }
}

#[test]
fn a_receiver_short_of_cpu_keeps_the_lowest_layer() {
    let mut meeting = Meeting::new(FAST_BPS, Duration::from_secs(2));
    meeting.bottleneck().reads_every = Duration::from_millis(180);
    for _ in 0..120 {
        // what arrives late looks like a queue to its estimator, each time again
        let (now, camera) = (meeting.world.now, meeting.camera.clone());
        meeting.world.clients[meeting.bob].send_estimate(now, &camera, 10_000);
        meeting.world.run(HALF_SECOND);
    }
    assert_eq!((meeting.pauses(), meeting.layer()), (0, Some(0)));
    meeting.world.clients[meeting.bob].forget();
    meeting.world.run(Duration::from_secs(2));
    assert!(meeting.world.clients[meeting.bob].received(&meeting.camera).len() >= 55, "every frame");
    meeting.bottleneck().reads_every = Duration::ZERO;
    meeting.estimate_bps = 300_000;
    meeting.run(Duration::from_secs(20));
    assert_eq!(meeting.layer(), Some(2), "soon after it has time again");
}

#[test]
fn what_a_competing_flow_takes_and_gives_back_is_used_again() {
    let mut meeting = Meeting::new(FAST_BPS, Duration::from_millis(300));
    for _ in 0..2 {
        meeting.bottleneck().rate_bps = 330_000;
        meeting.run(Duration::from_secs(20));
        assert!(meeting.layer() < Some(2));
        meeting.bottleneck().rate_bps = FAST_BPS;
        meeting.run(Duration::from_secs(40));
        assert_eq!(meeting.layer(), Some(2));
    }
    assert_eq!(meeting.pauses(), 0);
    assert!(meeting.sound_arriving(Duration::from_secs(5)) > 0.95);
}

#[test]
fn a_cellular_link_keeps_sound_and_pictures() {
    let mut meeting = Meeting::new(FAST_BPS, Duration::from_millis(800));
    let (mut arrived, mut frames) = (0.0, 0);
    for rate_kbps in CELLULAR {
        meeting.bottleneck().rate_bps = rate_kbps * 1000;
        arrived += meeting.sound_arriving(Duration::from_secs(3)) / CELLULAR.len() as f64;
        let camera = meeting.camera.clone();
        frames += meeting.world.clients[meeting.bob].received(&camera).iter().filter(|got| got.marker).count();
    }
    assert_eq!(meeting.pauses(), 0);
    assert!(arrived > 0.9, "{arrived} of the sound");
    assert!(frames > 60 * 20, "{frames} frames of 1800");
    meeting.bottleneck().rate_bps = FAST_BPS;
    meeting.run(Duration::from_secs(60));
    assert_eq!(meeting.layer(), Some(2));
}

/// Ten microphones and a camera, and a client that could receive 500 kbit/s: the camera takes 400.
#[test]
fn silent_microphones_reserve_nothing_and_pauses_in_speech_change_nothing() {
    let mut world = World::new(1);
    world.abilities.tells_arrivals = false;
    let (ann, bob) = (world.join(1, 1), world.join(1, 1));
    let camera = world.publish(ann, Kind::Video, RIDS);
    world.subscribe(bob, &camera);
    for _ in 0..10 {
        let sound = world.publish(ann, Kind::Audio, &[]);
        world.subscribe(bob, &sound);
    }
    let run = |world: &mut World, seconds: u64, is_speaking: bool, estimate_bps: u64| {
        for sender in world.clients[ann].senders.iter_mut().filter(|sender| sender.kind == Kind::Audio) {
            sender.is_silent = !is_speaking;
        }
        for _ in 0..seconds * 2 {
            let now = world.now;
            world.clients[bob].send_estimate(now, &camera, estimate_bps);
            world.run(HALF_SECOND);
        }
        world.clients[bob].received(&camera).last().map(|got| got.layer)
    };
    run(&mut world, 14, false, 5_000_000);
    assert_eq!(run(&mut world, 10, false, 500_000), Some(2));
    let speaking = run(&mut world, 6, true, 500_000);
    assert!(speaking < Some(2), "sound needs some of it");
    assert_eq!(run(&mut world, 4, false, 500_000), speaking, "a pause");
    assert_eq!(run(&mut world, 30, false, 500_000), Some(2), "silence");
}
