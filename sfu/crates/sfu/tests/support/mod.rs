//! A whole meeting in virtual time: real peer connections as clients, our shards as the server, and a network with
//! seeded delay, loss and reordering between them. No socket, no thread, no sleep.
#![allow(dead_code, reason = "every test file uses its own part")]

pub mod client;
pub mod dependency;
pub mod network;
pub mod received;
pub mod sender;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tertulia_sfu::{
    Codecs, Command, Event, Kind, LayerSpec, Message, OpusOptions, Path, PeerId, Quality, Shard, ShardConfig, ShardId,
    Source, SubscriptionSettings, TrackId, TrackSpec,
};

use client::{Abilities, Client};
use network::{Link, Network};

pub const STEP: Duration = Duration::from_millis(1);

pub struct World {
    pub now: Instant,
    pub shards: Vec<Shard>,
    pub clients: Vec<Client>,
    pub network: Network,
    pub events: Vec<Event>,
    /// Everything that this client sends arrives from this address too.
    pub spoofing: Option<(usize, SocketAddr)>,
    /// Offers of the server stay unanswered.
    pub withholds_answers: bool,
    /// What is announced from now on shows screens.
    pub announces_screens: bool,
    /// Of clients that join.
    pub abilities: Abilities,
    /// Some of what clients have sent last.
    pub captured: Vec<Vec<u8>>,
    /// What has come is read only this often, all at once.
    pub reads_every: Duration,
    read_at: Instant,
    server: SocketAddr,
    tracks: Vec<Source>,
}

impl World {
    pub fn new(shards: u16) -> Self {
        Self::with_link(shards, Link::default())
    }

    pub fn with_link(shards: u16, link: Link) -> Self {
        let server: SocketAddr = "192.0.2.1:7882".parse().unwrap();
        let config = ShardConfig::new(&[server]).unwrap();
        let now = Instant::now();
        Self {
            now,
            shards: (0..shards).map(|id| Shard::new(ShardId(id), config.clone())).collect(),
            clients: Vec::new(),
            network: Network::new(link),
            events: Vec::new(),
            spoofing: None,
            withholds_answers: false,
            announces_screens: false,
            abilities: Abilities { has_red: true, tells_arrivals: true },
            captured: Vec::new(),
            reads_every: STEP,
            read_at: now,
            server,
            tracks: Vec::new(),
        }
    }

    fn shard_of(&self, client: usize) -> usize {
        client % self.shards.len()
    }

    /// Which socket of the port's group the kernel would choose: on purpose not the owner's.
    fn socket_of(&self, client: usize) -> usize {
        (client / 2) % self.shards.len()
    }

    pub fn command(&mut self, client: usize, command: Command) {
        let shard = self.shard_of(client);
        self.shards[shard].handle_command(self.now, command);
    }

    /// A datagram at the server, from anywhere.
    pub fn inject(&mut self, socket: usize, source: SocketAddr, data: &[u8]) {
        self.shards[socket].handle_datagram(self.now, Path::udp(self.server, source), data);
    }

    pub fn peer(&self, client: usize) -> PeerId {
        self.clients[client].id.clone()
    }

    /// Join with placeholders for receiving and wait until connected.
    pub fn join(&mut self, audio_sections: usize, video_sections: usize) -> usize {
        let index = self.enter(audio_sections, video_sections);
        let peer = self.peer(index);
        self.run_until(|world| world.saw(|event| *event == Event::PeerConnected { peer: peer.clone() }));
        index
    }

    /// Join without waiting.
    pub fn enter(&mut self, audio_sections: usize, video_sections: usize) -> usize {
        let index = self.clients.len();
        let address = format!("198.51.100.{}:{}", index + 1, 4000 + index).parse().unwrap();
        self.clients.push(Client::new(index, self.now, address, (audio_sections, video_sections), self.abilities));
        self.command(
            index,
            Command::AddPeer { peer: PeerId::from(format!("PA_{index}").as_str()), codecs: Codecs::ALL },
        );
        self.clients[index].offer_wanted = true;
        index
    }

    /// Join with a connection on which the server makes the offers.
    pub fn enter_subscriber(&mut self, channels: bool) -> usize {
        let index = self.clients.len();
        let address = format!("198.51.100.{}:{}", index + 1, 4000 + index).parse().unwrap();
        self.clients.push(Client::new(index, self.now, address, (0, 0), self.abilities));
        let peer = self.peer(index);
        self.command(index, Command::AddSubscriber { peer, channels, codecs: Codecs::ALL });
        index
    }

    /// Publish and wait for the first packet to have arrived.
    pub fn publish(&mut self, client: usize, kind: Kind, rids: &[&str]) -> TrackId {
        let track = self.announce(client, kind, rids);
        self.run_until(|world| {
            world.saw(|event| matches!(event, Event::TrackStarted { track: of, .. } if *of == track))
        });
        track
    }

    pub fn announce(&mut self, client: usize, kind: Kind, rids: &[&str]) -> TrackId {
        let prefix = if kind == Kind::Audio { 'A' } else { 'V' };
        let track = TrackId::from(format!("TR_{prefix}{client}_{}", self.tracks.len()).as_str());
        let cid = self.clients[client].publish(kind, rids);
        let layers = match rids.len() {
            0 if kind == Kind::Video => vec![LayerSpec { quality: Quality::High, width: 1280, height: 720 }],
            0 => vec![],
            count => Quality::ALL
                .into_iter()
                .zip([(320, 180), (640, 360), (1280, 720)])
                .take(count)
                .map(|(quality, (width, height))| LayerSpec { quality, width, height })
                .collect(),
        };
        let peer = self.peer(client);
        let source =
            Source { track: track.clone(), publisher: peer.clone(), shard: ShardId(self.shard_of(client) as u16) };
        self.tracks.push(source);
        self.command(
            client,
            Command::ExpectTrack {
                peer,
                track: track.clone(),
                spec: TrackSpec {
                    kind,
                    cids: vec![cid],
                    layers,
                    codec: None,
                    opus: OpusOptions::default(),
                    is_screen: self.announces_screens,
                },
            },
        );
        self.clients[client].offer_wanted = true;
        track
    }

    pub fn source(&self, track: &TrackId) -> Source {
        self.tracks.iter().find(|source| source.track == *track).unwrap().clone()
    }

    pub fn subscribe(&mut self, client: usize, track: &TrackId) {
        let (peer, source) = (self.peer(client), self.source(track));
        self.command(client, Command::Subscribe { peer, source });
    }

    pub fn unsubscribe(&mut self, client: usize, track: &TrackId) {
        let peer = self.peer(client);
        self.command(client, Command::Unsubscribe { peer, track: track.clone() });
    }

    pub fn configure(&mut self, client: usize, track: &TrackId, settings: SubscriptionSettings) {
        let peer = self.peer(client);
        self.command(client, Command::ConfigureSubscription { peer, track: track.clone(), settings });
    }

    pub fn saw(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(wanted)
    }

    pub fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    /// At most 30 s of virtual time.
    pub fn run_until(&mut self, done: impl Fn(&World) -> bool) {
        let end = self.now + Duration::from_secs(30);
        while !done(self) {
            assert!(
                self.now < end,
                "the condition was not met within 30 s; events: {:#?} {:?}",
                tail(&self.events),
                self.shards[0].counters()
            );
            self.step();
        }
    }

    pub fn run_until_receiving(&mut self, client: usize, track: &TrackId, packets: usize) {
        let (client, track) = (client, track.clone());
        let before = self.clients[client].received(&track).len();
        self.run_until(|world| world.clients[client].received(&track).len() >= before + packets);
    }

    fn step(&mut self) {
        self.now += STEP;
        self.signal();
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            client.produce(self.now);
            for data in client.take_datagrams() {
                let source = client.address;
                if self.captured.len() < 256 {
                    self.captured.push(data.clone());
                }
                if let Some((_, spoofed)) = self.spoofing.filter(|(spoofing, _)| *spoofing == index) {
                    self.network.send(self.now, spoofed, self.server, data.clone());
                }
                self.network.send(self.now, source, self.server, data);
            }
        }
        let is_due = self.now >= self.read_at + self.reads_every;
        let arrived = if is_due { self.network.due(self.now) } else { Vec::new() };
        self.read_at = if is_due { self.now } else { self.read_at };
        for (source, destination, data) in arrived {
            if destination == self.server {
                let client = self.clients.iter().position(|client| client.address == source);
                let socket = client.map_or(0, |client| self.socket_of(client));
                let path = Path::udp(destination, source);
                self.shards[socket].handle_datagram(self.now, path, &data);
            } else if let Some(client) = self.clients.iter_mut().find(|client| client.address == destination) {
                client.receive(self.now, self.server, &data);
            }
        }
        self.settle();
    }

    /// What the worker threads do at the end of a batch.
    fn settle(&mut self) {
        for _ in 0..4 {
            let mut messages: Vec<(ShardId, Message)> = Vec::new();
            for shard in &mut self.shards {
                shard.handle_timeout_if_due(self.now);
                shard.flush(self.now);
                let output = shard.output();
                for datagram in output.datagrams.drain(..) {
                    let Path { local, remote, .. } = datagram.path;
                    self.network.send(self.now, local, remote, datagram.contents);
                }
                self.events.append(&mut output.events);
                messages.append(&mut output.messages);
            }
            for (shard, message) in messages {
                self.shards[usize::from(shard.0)].handle_message(self.now, message);
            }
        }
    }

    /// What signalling does: offers, answers, and more sections on request.
    fn signal(&mut self) {
        for index in 0..self.clients.len() {
            if let Some((offer_id, sdp)) = self.clients[index].make_offer(self.now) {
                let peer = self.peer(index);
                self.command(index, Command::Offer { peer, offer_id, sdp });
            }
        }
        self.settle();
        let unread: Vec<Event> =
            self.events[self.clients.iter().map(|client| client.read).max().unwrap_or(0)..].to_vec();
        for event in unread {
            match &event {
                Event::Answered { peer, sdp, tracks, .. } => {
                    let client = self.clients.iter_mut().find(|client| client.id == *peer).unwrap();
                    client.answered(self.now, sdp, tracks);
                }
                Event::Offered { peer, offer_id, sdp } if !self.withholds_answers => {
                    let index = self.clients.iter().position(|client| client.id == *peer).unwrap();
                    let sdp = self.clients[index].answer(self.now, sdp);
                    self.command(index, Command::Answer { peer: peer.clone(), offer_id: *offer_id, sdp });
                }
                Event::SectionsNeeded { peer, audio, video } => {
                    let client = self.clients.iter_mut().find(|client| client.id == *peer).unwrap();
                    client.add_sections(*audio as usize, *video as usize);
                }
                Event::NegotiationFailed { reason, .. } => panic!("negotiation failed: {reason}"),
                _ => {}
            }
        }
        let read = self.events.len();
        for client in &mut self.clients {
            client.read = read;
        }
    }
}

trait Due {
    fn handle_timeout_if_due(&mut self, now: Instant);
}

impl Due for Shard {
    fn handle_timeout_if_due(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.handle_timeout(now);
        }
    }
}

/// The newest events, without their descriptions.
fn tail(events: &[Event]) -> Vec<String> {
    let short = |event: &Event| match event {
        Event::Answered { peer, offer_id, tracks, .. } => format!("Answered {peer} {offer_id} {tracks:?}"),
        other => format!("{other:?}"),
    };
    events[events.len().saturating_sub(20)..].iter().map(short).collect()
}
