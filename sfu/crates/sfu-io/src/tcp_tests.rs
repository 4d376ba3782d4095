//! Connections of clients as they should not be, over loopback and in virtual time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown};

use tertulia_framing::frame_header;
use tertulia_sfu::{Codecs, Command, Event, PeerId, Shard, ShardId};

use super::*;
use crate::tcp_listeners::listen_group;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sctp-port:5000\r\n\
    a=setup:actpass\r\na=ice-ufrag:them\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 \
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n";

/// Two workers' connections, of which the second has no listener.
struct Server {
    now: Instant,
    port: u16,
    config: ShardConfig,
    first: TcpConnections,
    second: TcpConnections,
    frames: Vec<(Path, Vec<u8>)>,
}

impl Server {
    fn new() -> Self {
        let ip = IpAddr::from(Ipv4Addr::LOCALHOST);
        let (port, mut listeners) = listen_group(&[ip], 0, 1).expect("a port");
        let address = SocketAddr::new(ip, port);
        let config = ShardConfig::new(&[address]).and_then(|config| config.with_tcp(&[address])).expect("addresses");
        let of = |shard, listeners| TcpConnections::new(shard, 2, config.clone(), listeners).expect("an event queue");
        let (first, second) = (of(0, listeners.pop().expect("one")), of(1, Vec::new()));
        Self { now: Instant::now(), port, config, first, second, frames: Vec::new() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("an option");
        stream
    }

    fn turn(&mut self) {
        let mut foreign = Vec::new();
        let frames = &mut self.frames;
        self.first.handle_ready(self.now, |arrival| match arrival {
            Arrival::Frame(path, data) => frames.push((path, data.to_vec())),
            Arrival::Foreign(owner, connection) => foreign.push((owner, connection)),
        });
        for (owner, connection) in foreign {
            assert_eq!(owner, 1);
            self.second.adopt(*connection, |arrival| match arrival {
                Arrival::Frame(path, data) => frames.push((path, data.to_vec())),
                Arrival::Foreign(..) => panic!("it is of this worker"),
            });
        }
    }

    fn turn_until(&mut self, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < Duration::from_secs(10));
            self.turn();
            std::thread::yield_now();
        }
    }

    /// A framed connectivity check for a peer of this worker, as anyone could write it who has seen the ufrag.
    fn check(&self, shard: u16) -> Vec<u8> {
        let (mut shard, peer) = (Shard::new(ShardId(shard), self.config.clone()), PeerId::from("PA_1"));
        shard.handle_command(self.now, Command::AddPeer { peer: peer.clone(), codecs: Codecs::ALL });
        shard.handle_command(self.now, Command::Offer { peer, offer_id: 1, sdp: OFFER.into() });
        let sdp = shard.output().events.iter().find_map(|event| match event {
            Event::Answered { sdp, .. } => Some(sdp.clone()),
            _ => None,
        });
        let sdp = sdp.expect("an answer");
        assert!(sdp.contains(" tcptype passive"), "{sdp}");
        let ufrag = sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("a ufrag");
        let mut name = format!("{ufrag}:them").into_bytes();
        let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        message.extend([0, 6, 0, name.len() as u8]);
        name.resize(name.len().next_multiple_of(4), 0);
        message.extend(name);
        message[3] = message.len() as u8 - 20;
        framed(&message)
    }
}

fn framed(data: &[u8]) -> Vec<u8> {
    [&frame_header(data.len()).expect("short")[..], data].concat()
}

fn is_closed(mut stream: &TcpStream) -> bool {
    !matches!(stream.read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[test]
fn a_connection_goes_to_the_worker_whose_peer_its_first_frame_names() {
    let mut server = Server::new();
    let checks = [server.check(0), server.check(1)];
    for (check, own) in checks.iter().zip([1, 0]) {
        let mut client = server.connect();
        // in portions, and with more behind it
        client.write_all(&check[..5]).expect("open");
        server.turn_until(|server| server.first.connections.len() == 1);
        client.write_all(&[&check[5..], &framed(b"more")].concat()).expect("open");
        server.turn_until(|server| server.frames.len() == 2);
        assert_eq!((server.first.connections.len(), server.second.connections.len()), (own, 1 - own));
        let frames: Vec<_> = server.frames.drain(..).collect();
        assert_eq!((&frames[0].1[..], &frames[1].1[..]), (&check[2..], &b"more"[..]));
        let path = frames[0].0;
        assert_eq!(path, Path::tcp(([127, 0, 0, 1], server.port).into(), client.local_addr().expect("bound")));
        // an answer comes back on it
        let datagram = Datagram { path, is_video: false, contents: b"answer".to_vec() };
        let of = if own == 1 { &mut server.first } else { &mut server.second };
        of.send(server.now, [datagram].into_iter());
        let mut answer = [0; 8];
        client.read_exact(&mut answer).expect("the answer");
        assert_eq!(&answer, b"\0\x06answer");
        assert!(of.unproven.is_empty());
        client.shutdown(Shutdown::Both).expect("open");
        if own == 1 {
            server.turn_until(|server| server.first.connections.is_empty());
        }
    }
}

#[test]
fn what_is_no_client_is_closed_at_once() {
    let mut server = Server::new();
    let too_long = [server.check(0), vec![255, 255, 0]].concat();
    let inputs = [b"GET / HTTP/1.1\r\n\r\n".to_vec(), framed(b"no check"), framed(&[]), vec![8, 1], too_long];
    for (input, refused) in inputs.iter().zip(1..) {
        let mut client = server.connect();
        client.write_all(input).expect("open");
        server.turn_until(|server| server.first.counts().refused == refused);
        assert!(is_closed(&client) && server.first.connections.is_empty(), "{input:?}");
    }
    assert!(server.first.unproven.is_empty() && server.first.keys.is_empty());
}

#[test]
fn connections_that_are_not_answered_are_few_and_end() {
    let mut server = Server::new();
    let clients: Vec<_> = (0..MAX_UNPROVEN_OF_ADDRESS + 10).map(|_| server.connect()).collect();
    server.turn_until(|server| server.first.counts().refused == 10);
    assert_eq!(server.first.connections.len(), MAX_UNPROVEN_OF_ADDRESS);
    server.now += MAX_UNPROVEN_TIME - Duration::from_millis(1);
    server.first.sweep(server.now);
    assert_eq!(server.first.connections.len(), MAX_UNPROVEN_OF_ADDRESS);
    server.now += SWEEP_EVERY;
    server.first.sweep(server.now);
    assert!(server.first.connections.is_empty() && server.first.unproven.is_empty());
    assert!(clients.iter().all(is_closed));
    // others come in again
    let _client = server.connect();
    server.turn_until(|server| server.first.connections.len() == 1);
}

#[test]
fn a_client_that_reads_nothing_keeps_nobody_waiting() {
    let mut server = Server::new();
    let (mut slow, mut quick) = (server.connect(), server.connect());
    let check = server.check(0);
    slow.write_all(&check).expect("open");
    server.turn_until(|server| server.frames.len() == 1);
    quick.write_all(&check).expect("open");
    server.turn_until(|server| server.frames.len() == 2);
    let [to_slow, to_quick] = [server.frames[0].0, server.frames[1].0];
    let began = Instant::now();
    for number in 0..20_000u32 {
        let to = |path, size, is_video| Datagram { path, is_video, contents: vec![number as u8; size] };
        let mut datagrams = vec![to(to_slow, 1200, true)];
        if number % 100 == 0 {
            datagrams.push(to(to_quick, 100, false));
        }
        server.first.send(server.now, datagrams.into_iter());
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    quick.read_exact(&mut vec![0; 200 * 102]).expect("all of it");
    let dropped = server.first.counts().dropped;
    assert!(dropped > 10_000, "{dropped} of 20,000");
    // it goes on from there, and the frames are whole
    let mut bytes = 0;
    while server.first.connections.values().any(|connection| connection.is_blocked) {
        let mut header = [0; 2];
        slow.read_exact(&mut header).expect("a frame");
        assert_eq!(header, 1200u16.to_be_bytes());
        slow.read_exact(&mut [0; 1200]).expect("a frame");
        bytes += 1200;
        server.turn();
    }
    assert!(bytes > 100_000, "{bytes}");
    // who is not answered any more is closed
    server.now += MAX_SILENCE;
    server.first.sweep(server.now);
    assert!(server.first.connections.is_empty());
}
