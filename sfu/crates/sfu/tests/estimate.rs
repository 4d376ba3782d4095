//! Subscribers that tell when packets arrive: what they are sent when their link becomes narrow, wide, lossy or longer, or
//! their machine slow.

mod support;

use std::time::Duration;

use support::World;
use support::network::{Bottleneck, CELLULAR, Link};
use tertulia_sfu::{Event, Kind, TrackId};

const TENTH: Duration = Duration::from_millis(100);
/// More than everything that is sent here takes.
const WIDE_BPS: u64 = 4_000_000;
const QUEUE: Duration = Duration::from_millis(200);
/// The lowest layer takes 130 kbit/s, the next one 260, the best one 400; sound 45.
const RIDS: &[&str] = &["q", "h", "f"];

/// Ann sends sound and a camera, and Bob, whose link this is, receives both.
struct Meeting {
    world: World,
    bob: usize,
    sound: TrackId,
    camera: TrackId,
}

impl Meeting {
    fn new(link: Link) -> Self {
        let mut world = World::with_link(1, link);
        let (ann, bob) = (world.join(1, 1), world.join(1, 1));
        let sound = world.publish(ann, Kind::Audio, &[]);
        let camera = world.publish(ann, Kind::Video, RIDS);
        world.subscribe(bob, &sound);
        world.subscribe(bob, &camera);
        world.run(Duration::from_secs(12));
        let to = world.clients[bob].address;
        world.network.bottleneck = Some(Bottleneck::new(to, world.now, WIDE_BPS, QUEUE));
        Self { world, bob, sound, camera }
    }

    fn link(&mut self) -> &mut Bottleneck {
        self.world.network.bottleneck.as_mut().expect("made with the meeting")
    }

    fn layer(&self) -> Option<u8> {
        self.world.clients[self.bob].received(&self.camera).last().map(|got| got.layer)
    }

    /// The layer at the end of each tenth of a second.
    fn run(&mut self, time: Duration) -> Vec<Option<u8>> {
        let tenths = time.as_millis() / TENTH.as_millis();
        let mut layers = Vec::new();
        for _ in 0..tenths {
            self.world.run(TENTH);
            layers.push(self.layer());
        }
        layers
    }

    /// How long it takes until Bob gets this layer.
    fn until(&mut self, layer: u8) -> Duration {
        let start = self.world.now;
        let (bob, camera) = (self.bob, self.camera.clone());
        self.world.run_until(|world| world.clients[bob].received(&camera).last().is_some_and(|got| got.layer == layer));
        self.world.now - start
    }

    fn pauses(&self) -> usize {
        self.world.count(|event| matches!(event, Event::StreamPaused { paused: true, .. }))
    }

    /// The share of the sound, and the frames a second, that arrive.
    fn arriving(&mut self, time: Duration) -> (f64, f64) {
        self.world.clients[self.bob].forget();
        self.world.run(time);
        let client = &self.world.clients[self.bob];
        let frames = client.received(&self.camera).iter().filter(|got| got.marker).count();
        let sound = client.received(&self.sound).len() as f64 / 50.0;
        (sound / time.as_secs_f64(), frames as f64 / time.as_secs_f64())
    }
}

fn changes(layers: &[Option<u8>]) -> usize {
    layers.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[test]
fn a_link_that_becomes_narrow_and_wide_again() {
    for rtt_ms in [20, 300] {
        let mut meeting = Meeting::new(Link { delay: Duration::from_millis(rtt_ms / 2), ..Link::default() });
        meeting.link().rate_bps = 250_000;
        let after = meeting.until(0);
        assert!(after < Duration::from_millis(900 + 2 * rtt_ms), "smaller after {after:?}");
        meeting.run(Duration::from_secs(3));
        let layers = meeting.run(Duration::from_secs(20));
        assert!(changes(&layers) <= 2, "steady: {layers:?}");
        let (sound, fps) = meeting.arriving(Duration::from_secs(10));
        assert!(sound > 0.98 && fps > 29.0, "{sound} of the sound, {fps} frames a second");
        meeting.link().rate_bps = WIDE_BPS;
        let after = meeting.until(2);
        assert!(after < Duration::from_secs(5), "full again after {after:?} at {rtt_ms} ms");
        assert_eq!(changes(&meeting.run(Duration::from_secs(20))), 0);
        assert_eq!(meeting.pauses(), 0);
    }
}

#[test]
fn a_queue_of_seconds_is_not_filled() {
    let mut meeting = Meeting::new(Link::default());
    meeting.link().longest_wait = Duration::from_secs(3);
    meeting.link().rate_bps = 250_000;
    meeting.run(Duration::from_secs(2));
    let now = meeting.world.now;
    let waits = meeting.link().wait(now);
    assert!(waits < Duration::from_millis(100), "{waits:?}");
    assert_eq!(meeting.layer(), Some(0));
}

#[test]
fn a_machine_that_reads_late_keeps_the_best_picture() {
    let mut meeting = Meeting::new(Link::default());
    meeting.link().reads_every = Duration::from_millis(180);
    let layers = meeting.run(Duration::from_secs(30));
    assert_eq!(changes(&layers), 0, "{layers:?}");
    let (sound, fps) = meeting.arriving(Duration::from_secs(5));
    assert!(sound > 0.98 && fps > 29.0, "{sound} of the sound, {fps} frames a second");
}

#[test]
fn loss_without_a_queue_takes_nothing() {
    for loss in [0.1, 0.3] {
        let mut meeting = Meeting::new(Link { seed: 5, ..Link::default() });
        meeting.world.network.link.loss = loss;
        meeting.world.network.lossy = vec![meeting.world.clients[meeting.bob].address];
        let layers = meeting.run(Duration::from_secs(30));
        assert_eq!(changes(&layers), 0, "{loss}: {layers:?}");
    }
}

#[test]
fn another_way_that_takes_longer_is_no_queue() {
    let mut meeting = Meeting::new(Link::default());
    meeting.world.network.link.delay += Duration::from_millis(80);
    let layers = meeting.run(Duration::from_secs(20));
    assert_eq!(layers.last(), Some(&Some(2)));
    assert!(changes(&layers) <= 2, "{layers:?}");
}

#[test]
fn another_way_that_takes_longer_and_loses_is_no_queue_either() {
    for seed in 1..=5 {
        let mut meeting = Meeting::new(Link { seed, ..Link::default() });
        meeting.world.network.lossy = vec![meeting.world.clients[meeting.bob].address];
        meeting.world.network.link.delay += Duration::from_millis(140);
        meeting.world.network.link.loss = 0.3;
        meeting.run(Duration::from_secs(6));
        let layers = meeting.run(Duration::from_secs(20));
        assert!(layers.iter().all(|layer| *layer == Some(2)), "seed {seed}: {layers:?}");
    }
}

#[test]
fn a_link_that_was_gone_is_as_wide_as_before() {
    let mut meeting = Meeting::new(Link::default());
    let address = meeting.world.clients[meeting.bob].address;
    meeting.world.network.cut.push(address);
    meeting.run(Duration::from_secs(3));
    meeting.world.network.cut.clear();
    meeting.world.run(Duration::from_millis(500));
    let layers = meeting.run(Duration::from_secs(10));
    assert!(layers.iter().all(|layer| *layer == Some(2)), "{layers:?}");
}

#[test]
fn a_link_too_narrow_for_any_picture_carries_sound() {
    let mut meeting = Meeting::new(Link::default());
    meeting.link().rate_bps = 100_000;
    meeting.run(Duration::from_secs(25));
    assert!(meeting.pauses() > 0);
    let (sound, _) = meeting.arriving(Duration::from_secs(30));
    assert!(sound > 0.95, "{sound} of the sound");
    meeting.link().rate_bps = WIDE_BPS;
    let after = meeting.until(2);
    assert!(after < Duration::from_secs(35), "{after:?}");
}

#[test]
fn a_cellular_link_keeps_sound_and_pictures() {
    let mut meeting = Meeting::new(Link { jitter: Duration::from_millis(8), ..Link::default() });
    meeting.link().longest_wait = Duration::from_millis(800);
    let (mut sound, mut frames) = (0.0, 0.0);
    for rate_kbps in CELLULAR {
        meeting.link().rate_bps = rate_kbps * 1000;
        let arriving = meeting.arriving(Duration::from_secs(3));
        (sound, frames) = (sound + arriving.0 / CELLULAR.len() as f64, frames + arriving.1 / CELLULAR.len() as f64);
    }
    assert_eq!(meeting.pauses(), 0);
    assert!(sound > 0.97 && frames > 25.0, "{sound} of the sound, {frames} frames a second");
    meeting.link().rate_bps = WIDE_BPS;
    assert!(meeting.until(2) < Duration::from_secs(20));
}

#[test]
fn what_a_competing_flow_takes_and_gives_back_is_used_again() {
    let mut meeting = Meeting::new(Link::default());
    for _ in 0..3 {
        meeting.link().rate_bps = 330_000;
        meeting.run(Duration::from_secs(10));
        assert!(meeting.layer() < Some(2));
        meeting.link().rate_bps = WIDE_BPS;
        meeting.run(Duration::from_secs(10));
        assert_eq!(meeting.layer(), Some(2));
    }
    assert_eq!(meeting.pauses(), 0);
}

#[test]
fn who_was_away_has_pictures_soon_without_asking() {
    let mut meeting = Meeting::new(Link::default());
    let address = meeting.world.clients[meeting.bob].address;
    meeting.world.network.cut.push(address);
    meeting.run(Duration::from_secs(5));
    let asked = meeting.world.clients[0].senders[1].keyframes_asked;
    meeting.world.network.cut.clear();
    let (bob, camera) = (meeting.bob, meeting.camera.clone());
    meeting.world.clients[bob].forget();
    meeting.world.run_until(|world| !world.clients[bob].received(&camera).is_empty());
    let first = &meeting.world.clients[bob].received(&camera)[0];
    assert!(first.keyframe, "nothing else is of use: {first:?}");
    assert!(meeting.world.clients[0].senders[1].keyframes_asked > asked);
}

/// Cameras of two who do not speak and of one who does, and a screen, over a link that carries one of them large.
#[test]
fn the_screen_is_large_first_and_then_the_speaker() {
    let mut world = World::new(1);
    let (bob, [ann, eve, joe]) = (world.join(1, 4), [(); 3].map(|()| world.join(1, 2)));
    let cameras = [ann, eve, joe].map(|publisher| {
        let sound = world.publish(publisher, Kind::Audio, &[]);
        world.clients[publisher].sender(0).level = if publisher == eve { -10 } else { -60 };
        let camera = world.publish(publisher, Kind::Video, RIDS);
        world.subscribe(bob, &sound);
        world.subscribe(bob, &camera);
        camera
    });
    world.run(Duration::from_secs(12));
    let (to, now) = (world.clients[bob].address, world.now);
    world.network.bottleneck = Some(Bottleneck::new(to, now, 800_000, QUEUE));
    world.run(Duration::from_secs(15));
    let layers = |world: &World, tracks: &[TrackId]| -> Vec<u8> {
        tracks.iter().map(|track| world.clients[bob].received(track).last().expect("pictures").layer).collect()
    };
    let [of_ann, of_eve, of_joe] = layers(&world, &cameras)[..] else { unreachable!() };
    assert!(of_eve > of_ann && of_eve > of_joe, "{:?}", (of_ann, of_eve, of_joe));
    world.network.bottleneck.as_mut().expect("made above").rate_bps = 920_000;
    world.announces_screens = true;
    let screen = world.publish(joe, Kind::Video, RIDS);
    world.subscribe(bob, &screen);
    world.run(Duration::from_secs(15));
    let now = layers(&world, &[cameras[0].clone(), cameras[1].clone(), cameras[2].clone(), screen]);
    assert!(now[..3].iter().all(|camera| *camera < now[3]), "{now:?}");
}
