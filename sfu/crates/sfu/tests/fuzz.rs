//! Mutations of a kept corpus (`sfu/fuzz/corpus`) and of real traffic, given to everything that clients and strangers
//! reach: datagrams, offers, media. `FUZZ_SECONDS`: how long each, 2 without it; `FUZZ_SEED` repeats a run.

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use str0m::rtp::ExtensionValues;
use support::World;
use tertulia_sfu::{Codecs, Command, Event, Kind, TrackId};

/// Worth trying wherever a number may stand.
const NUMBERS: [u8; 10] = [0, 1, 2, 4, 0x10, 0x7f, 0x80, 0xbe, 0xde, 0xff];
/// No input is longer; the worker cuts datagrams at 2,048 bytes.
const MAX_BYTES: usize = 2048;

struct Fuzzer {
    seed: u64,
    state: u64,
    corpus: Vec<Vec<u8>>,
    until: Instant,
    rounds: u64,
}

impl Fuzzer {
    fn new(folders: &[&str]) -> Self {
        let setting = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_nanos() as u64);
        let seed = setting("FUZZ_SEED").unwrap_or(clock) | 1;
        let until = Instant::now() + Duration::from_secs(setting("FUZZ_SECONDS").unwrap_or(2));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
        let mut corpus = Vec::new();
        for folder in folders {
            let mut names: Vec<_> =
                fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
            names.sort();
            corpus.extend(names.iter().map(|name| fs::read(name).unwrap()));
        }
        println!("FUZZ_SEED={seed} repeats this run of {folders:?}");
        Self { seed, state: seed, corpus, until, rounds: 0 }
    }

    fn random(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % below.max(1)
    }

    fn goes_on(&mut self) -> bool {
        self.rounds += 1;
        Instant::now() < self.until
    }

    /// An input of the corpus with some changes.
    fn input(&mut self) -> Vec<u8> {
        let pick = self.random(self.corpus.len());
        let mut input = self.corpus[pick].clone();
        for _ in 0..self.random(6) {
            self.change(&mut input);
        }
        input.truncate(MAX_BYTES.max(self.corpus[pick].len()));
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random(input.len());
        let number = NUMBERS[self.random(NUMBERS.len())];
        match self.random(7) {
            0 if !input.is_empty() => input[at] ^= 1 << self.random(8),
            1 if !input.is_empty() => input[at] = number,
            2 => input.insert(at, number),
            3 => input.truncate(at),
            4 => {
                let length = self.random(16).min(input.len() - at);
                input.drain(at..at + length);
            }
            5 => {
                let end = at + self.random(64).min(input.len() - at);
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            _ => {
                let other = self.random(self.corpus.len());
                let from = self.random(self.corpus[other].len());
                input.truncate(at);
                input.extend_from_slice(&self.corpus[other][from..]);
            }
        }
    }

    /// Ordinary participants have not noticed, and no handling of a peer has failed for a defect.
    fn check(&self, world: &mut World, bob: usize, track: &TrackId, last: &[u8]) {
        let defect = world
            .events
            .iter()
            .any(|event| matches!(event, Event::PeerFailed { reason, .. } if reason.contains("fault")));
        assert!(!defect, "FUZZ_SEED={}: a defect after round {}: {last:02x?}", self.seed, self.rounds);
        world.clients[bob].forget();
        world.run(Duration::from_millis(200));
        let got = world.clients[bob].received(track).len();
        assert!(got >= 8, "FUZZ_SEED={}: {got} of 10 packets after round {}", self.seed, self.rounds);
        // what is behind us is not looked at again
        world.events.clear();
        world.clients.iter_mut().for_each(|client| client.read = 0);
    }
}

/// Two who talk, and one whom the inputs come from.
fn meeting() -> (World, [usize; 3], TrackId) {
    let mut world = World::new(2);
    let people = [world.join(1, 1), world.join(1, 1), world.join(1, 1)];
    let track = world.publish(people[0], Kind::Audio, &[]);
    world.subscribe(people[1], &track);
    world.run_until_receiving(people[1], &track, 10);
    (world, people, track)
}

#[test]
fn datagrams() {
    let mut fuzzer = Fuzzer::new(&["stun", "rtp", "rtcp", "dtls"]);
    let (mut world, [_, bob, mallory], track) = meeting();
    fuzzer.corpus.extend(world.captured.clone());
    let stranger: SocketAddr = "203.0.113.9:9".parse().unwrap();
    while fuzzer.goes_on() {
        let mut last = Vec::new();
        for _ in 0..200 {
            last = fuzzer.input();
            let source = if fuzzer.random(2) == 0 { stranger } else { world.clients[mallory].address };
            let socket = fuzzer.random(world.shards.len());
            world.inject(socket, source, &last);
            world.now += Duration::from_micros(100);
        }
        fuzzer.check(&mut world, bob, &track, &last);
    }
}

#[test]
fn offers() {
    let mut fuzzer = Fuzzer::new(&["sdp"]);
    let (mut world, [_, bob, mallory], track) = meeting();
    fuzzer.corpus.push(world.clients[mallory].offers[0].clone().into_bytes());
    while fuzzer.goes_on() {
        // offers build on each other: each peer gets several
        let peer = tertulia_sfu::PeerId::from(format!("PA_fuzz{}", fuzzer.rounds));
        world.shards[0].handle_command(world.now, Command::AddPeer { peer: peer.clone(), codecs: Codecs::ALL });
        let mut last = Vec::new();
        for offer_id in 0..8 {
            last = fuzzer.input();
            let sdp = String::from_utf8_lossy(&last).into_owned();
            world.shards[0].handle_command(world.now, Command::Offer { peer: peer.clone(), offer_id, sdp });
            let answered = world.shards[0].output().events.iter().any(|event| {
                matches!(event, Event::Answered { .. } | Event::NegotiationFailed { .. } | Event::PeerFailed { .. })
            });
            let events: Vec<_> = world.shards[0].output().events.drain(..).collect();
            let defect = events
                .iter()
                .any(|event| matches!(event, Event::PeerFailed { reason, .. } if reason.contains("fault")));
            assert!(!defect, "FUZZ_SEED={}: {}", fuzzer.seed, String::from_utf8_lossy(&last));
            if !answered {
                break;
            }
        }
        world.shards[0].handle_command(world.now, Command::RemovePeer { peer });
        fuzzer.check(&mut world, bob, &track, &last);
    }
}

#[test]
fn answers() {
    let mut fuzzer = Fuzzer::new(&["sdp"]);
    let (mut world, [_, bob, _], track) = meeting();
    world.withholds_answers = true;
    // what a client answers to the first offer
    let client = world.enter_subscriber(true);
    world.run(Duration::from_millis(20));
    let offer = world.events.iter().find_map(|event| match event {
        Event::Offered { sdp, .. } => Some(sdp.clone()),
        _ => None,
    });
    let now = world.now;
    let answer = world.clients[client].answer(now, &offer.unwrap());
    fuzzer.corpus = vec![answer.into_bytes()];
    while fuzzer.goes_on() {
        let peer = tertulia_sfu::PeerId::from(format!("PA_fuzz{}", fuzzer.rounds));
        world.shards[0]
            .handle_command(now, Command::AddSubscriber { peer: peer.clone(), channels: true, codecs: Codecs::ALL });
        let source = world.source(&track);
        world.shards[0].handle_command(now, Command::Subscribe { peer: peer.clone(), source });
        let mut last = Vec::new();
        for _ in 0..4 {
            world.shards[0].flush(world.now);
            last = fuzzer.input();
            let sdp = String::from_utf8_lossy(&last).into_owned();
            world.shards[0].handle_command(world.now, Command::Answer { peer: peer.clone(), offer_id: 0, sdp });
            let defect = |event: &Event| matches!(event, Event::PeerFailed { reason, .. } if reason.contains("fault"));
            let is_defect = world.shards[0].output().events.drain(..).any(|event| defect(&event));
            assert!(!is_defect, "FUZZ_SEED={}: {}", fuzzer.seed, String::from_utf8_lossy(&last));
        }
        world.shards[0].handle_command(world.now, Command::RemovePeer { peer });
        fuzzer.check(&mut world, bob, &track, &last);
    }
}

#[test]
fn media() {
    let mut fuzzer = Fuzzer::new(&["payload"]);
    let (mut world, [_, bob, mallory], track) = meeting();
    let videos = [world.publish(mallory, Kind::Video, &["q", "h", "f"]), world.publish(mallory, Kind::Audio, &[])];
    for video in &videos {
        world.subscribe(bob, video);
    }
    world.run(Duration::from_secs(1));
    while fuzzer.goes_on() {
        let mut last = Vec::new();
        for _ in 0..50 {
            last = fuzzer.input();
            last.truncate(1100);
            let (sender, now) = (fuzzer.random(2), world.now);
            world.clients[mallory].raw_codec = fuzzer.random(12);
            let extensions = ExtensionValues {
                audio_level: Some(fuzzer.random(256) as u8 as i8),
                video_orientation: Some((fuzzer.random(4) as u8).into()),
                rid: (fuzzer.random(2) == 0).then(|| ["q", "x", "longerid"][fuzzer.random(3)].into()),
                mid: (fuzzer.random(8) == 0).then(|| "99".into()),
                ..ExtensionValues::default()
            };
            // mostly the next ones, sometimes far away
            let jump = if fuzzer.random(10) == 0 { fuzzer.random(1 << 20) } else { 0 };
            let sequence = 100_000 + fuzzer.rounds * 50 + jump as u64;
            let ssrc = (fuzzer.random(50) == 0).then(|| 1000 + fuzzer.random(64) as u32);
            world.clients[mallory].send_raw(now, sender, ssrc, extensions, sequence, last.clone());
        }
        fuzzer.check(&mut world, bob, &track, &last);
    }
}
