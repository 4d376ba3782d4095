//! One synthetic peer: a thread, a UDP socket and a peer connection.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use quinn_udp::{RecvMeta, UdpSocketState};
use serde_json::{Value, json};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

use crate::clip::Clip;
use crate::counters::{Counters, Streams};

const AUDIO_INTERVAL: Duration = Duration::from_millis(20);
const VIDEO_CLOCK_HZ: u64 = 90_000;
/// As much as the kernel puts together.
const BUFFER_BYTES: usize = 65_536;
/// The longest wait for the answer: before it nothing arrives.
const LONGEST_WAIT: Duration = Duration::from_millis(50);

pub enum Request {
    Offer { publish: Option<Clip>, audio: u64, video: u64, reading: Reading, reply: Sender<Value> },
    Answer { sdp: String, reply: Sender<Value> },
}

/// When a peer reads what has arrived.
#[derive(Clone, Copy, Default)]
pub struct Reading {
    /// How often, once it is connected. None: at once.
    pub every: Option<Duration>,
    /// It notes how long synthetic packets were on their way.
    pub is_timed: bool,
}

/// Start a peer's thread, which ends when nobody can ask it any more. Fails if there is no UDP socket. `streams`: what it
/// receives. `tells_arrivals`: it sends transport-wide feedback. `loss`: the share of its datagrams that is lost.
pub fn start(
    counters: Arc<Counters>,
    streams: Arc<Streams>,
    tells_arrivals: bool,
    loss: f64,
) -> io::Result<Sender<Request>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let (sender, requests) = mpsc::channel();
    let mut peer = Peer::new(socket, counters, streams, tells_arrivals, loss)?;
    thread::spawn(move || {
        if let Err(error) = peer.run(&requests) {
            eprintln!("a synthetic peer stopped: {error}");
        }
        peer.counters.connected.fetch_sub(u64::from(peer.connected), Relaxed);
    });
    Ok(sender)
}

struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    counters: Arc<Counters>,
    streams: Arc<Streams>,
    loss: f64,
    random: Rng,
    pending: Option<SdpPendingOffer>,
    source: Option<Source>,
    connected: bool,
    reading: Reading,
    /// Once it reads everything that has arrived.
    bulk: Option<UdpSocketState>,
}

/// What a publisher sends, and when next.
struct Source {
    audio: Mid,
    video: Mid,
    clip: Clip,
    next_audio: Instant,
    next_frame: Instant,
    audio_packets: u64,
    video_packets: u64,
    frames: u64,
    key_frame: bool,
}

impl Peer {
    fn new(
        socket: UdpSocket,
        counters: Arc<Counters>,
        streams: Arc<Streams>,
        tells_arrivals: bool,
        loss: f64,
    ) -> io::Result<Self> {
        let mut extensions = ExtensionMap::empty();
        for (id, extension) in ExtensionMap::standard().iter() {
            if tells_arrivals || *extension != Extension::TransportSequenceNumber {
                extensions.set(id, extension.clone());
            }
        }
        let mut rtc = Rtc::builder()
            .set_extension_map(extensions)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .build(Instant::now());
        let candidate = Candidate::host(socket.local_addr()?, "udp").map_err(io::Error::other)?;
        rtc.add_local_candidate(candidate);
        Ok(Self {
            rtc,
            random: Rng::with_seed(socket.local_addr()?.port().into()),
            socket,
            counters,
            streams,
            loss,
            pending: None,
            source: None,
            connected: false,
            reading: Reading::default(),
            bulk: None,
        })
    }

    fn run(&mut self, requests: &Receiver<Request>) -> Result<(), RtcError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let mut deadline = self.drain()?;
            match requests.recv_timeout(self.patience()) {
                Ok(request) => {
                    self.serve(request)?;
                    continue;
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(()),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if self.reading.every.is_some() && self.connected {
                self.receive_all(&mut buffer)?;
                continue;
            }
            if let Some(next) = self.publish(Instant::now())? {
                deadline = deadline.min(next);
            }
            let wait = deadline.saturating_duration_since(Instant::now()).min(LONGEST_WAIT);
            self.receive(wait.max(Duration::from_millis(1)), &mut buffer)?;
        }
    }

    /// How long to wait for requests before the socket is read.
    fn patience(&self) -> Duration {
        match (self.reading.every, self.connected, &self.pending) {
            (Some(interval), true, _) => interval,
            (Some(_), false, Some(_)) => LONGEST_WAIT,
            _ => Duration::ZERO,
        }
    }

    /// Take everything that has arrived, several datagrams at once where the kernel has them together (UDP_GRO): as a
    /// network card does that segments, which spares the sender's kernel that work.
    fn receive_all(&mut self, buffer: &mut [u8]) -> Result<(), RtcError> {
        if self.bulk.is_none() {
            self.bulk = UdpSocketState::new((&self.socket).into()).ok();
        }
        let mut meta = [RecvMeta::default()];
        while let Some(bulk) = &self.bulk
            && bulk.recv((&self.socket).into(), &mut [IoSliceMut::new(buffer)], &mut meta).is_ok()
        {
            let [RecvMeta { addr, len, stride, .. }] = meta;
            for datagram in buffer.get(..len).unwrap_or_default().chunks(stride.max(1)) {
                self.take(datagram, addr)?;
                self.drain()?;
            }
        }
        self.rtc.handle_input(Input::Timeout(Instant::now()))
    }

    fn drain(&mut self) -> Result<Instant, RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(_) if self.is_lost() => {}
                Output::Transmit(datagram) => {
                    // a full socket buffer is loss, as on any network
                    let _ = self.socket.send_to(&datagram.contents, datagram.destination);
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    self.counters.received.fetch_add(1, Relaxed);
                    self.streams.add(*packet.header.ssrc);
                    if self.reading.is_timed {
                        self.counters.note_delay(&packet.payload);
                    }
                }
                Output::Event(Event::KeyframeRequest(_)) => {
                    if let Some(source) = &mut self.source {
                        source.key_frame = true;
                    }
                }
                Output::Event(Event::Connected) => {
                    self.connected = true;
                    self.counters.connected.fetch_add(1, Relaxed);
                }
                Output::Event(_) => {}
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        self.random.f64() < self.loss
    }

    fn serve(&mut self, request: Request) -> Result<(), RtcError> {
        let (reply, answer) = match request {
            Request::Offer { publish, audio, video, reading, reply } => {
                self.reading = reading;
                (reply, self.offer(publish, audio, video))
            }
            Request::Answer { sdp, reply } => (reply, self.accept(&sdp)?),
        };
        let _ = reply.send(answer);
        Ok(())
    }

    fn offer(&mut self, publish: Option<Clip>, audio: u64, video: u64) -> Value {
        let first = self.pending.is_none() && !self.connected;
        let mut changes = self.rtc.sdp_api();
        if first {
            for label in ["_lossy", "_reliable"] {
                changes.add_channel(label.to_owned());
            }
        }
        for (kind, count) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
            for _ in 0..count {
                changes.add_media(kind, Direction::RecvOnly, None, None, None);
            }
        }
        if let (Some(clip), None) = (publish, &self.source) {
            let mut add = |kind, cid: &str| {
                changes.add_media(kind, Direction::SendOnly, Some("load".into()), Some(cid.to_owned()), None)
            };
            let now = Instant::now();
            self.source = Some(Source {
                audio: add(MediaKind::Audio, "load-audio"),
                video: add(MediaKind::Video, "load-video"),
                clip,
                next_audio: now,
                next_frame: now,
                audio_packets: 0,
                video_packets: 0,
                frames: 0,
                key_frame: true,
            });
        }
        match changes.apply() {
            Some((offer, pending)) => {
                self.pending = Some(pending);
                json!({ "offer": offer.to_sdp_string() })
            }
            None => json!({ "error": "nothing to offer" }),
        }
    }

    fn accept(&mut self, sdp: &str) -> Result<Value, RtcError> {
        let (Some(pending), Ok(answer)) = (self.pending.take(), SdpAnswer::from_sdp_string(sdp)) else {
            return Ok(json!({ "error": "no offer is pending, or this is not an answer" }));
        };
        self.rtc.sdp_api().accept_answer(pending, answer)?;
        Ok(json!({ "ok": true }))
    }

    /// Send what is due. Returns when something is due again.
    fn publish(&mut self, now: Instant) -> Result<Option<Instant>, RtcError> {
        if !self.connected || self.source.is_none() {
            return Ok(None);
        }
        let is_due = |next: fn(&Source) -> Instant| self.source.as_ref().is_some_and(|source| now >= next(source));
        let (audio, frame) = (is_due(|source| source.next_audio), is_due(|source| source.next_frame));
        if audio {
            self.send_audio(now)?;
        }
        if frame {
            self.send_frame(now)?;
        }
        if audio || frame {
            // otherwise str0m sends it when something else happens
            self.rtc.handle_input(Input::Timeout(now))?;
            self.drain()?;
        }
        Ok(self.source.as_ref().map(|source| source.next_audio.min(source.next_frame)))
    }

    fn send_audio(&mut self, now: Instant) -> Result<(), RtcError> {
        let Some(source) = &mut self.source else { return Ok(()) };
        source.next_audio += AUDIO_INTERVAL;
        let (mid, n) = (source.audio, source.audio_packets);
        source.audio_packets += 1;
        let audio = source.clip.audio(n);
        let levels = ExtensionValues { audio_level: Some(-20), voice_activity: Some(true), ..Default::default() };
        self.write(mid, Codec::Opus, n, n * 960, true, audio, levels, now)
    }

    fn send_frame(&mut self, now: Instant) -> Result<(), RtcError> {
        let Some(source) = &mut self.source else { return Ok(()) };
        source.next_frame += source.clip.frame_interval;
        let (mid, frame) = (source.video, source.frames);
        source.frames += 1;
        let time = (source.clip.frame_interval * frame as u32).as_micros() as u64 * VIDEO_CLOCK_HZ / 1_000_000;
        let parts = source.clip.frame(frame, std::mem::take(&mut source.key_frame));
        let first = source.video_packets;
        source.video_packets += parts.len() as u64;
        let end = source.video_packets;
        for (seq, part) in (first..).zip(parts) {
            self.write(mid, Codec::Vp8, seq, time, seq + 1 == end, part, ExtensionValues::default(), now)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one RTP packet has that many parts")]
    fn write(
        &mut self,
        mid: Mid,
        codec: Codec,
        seq: u64,
        time: u64,
        marker: bool,
        mut payload: Vec<u8>,
        ext_vals: ExtensionValues,
        now: Instant,
    ) -> Result<(), RtcError> {
        let payload_type = self
            .rtc
            .media(mid)
            .and_then(|media| media.remote_pts().iter().copied().find(|pt| self.is_codec(*pt, codec)));
        if self.source.as_ref().is_some_and(|source| source.clip.is_synthetic()) {
            self.counters.stamp(&mut payload);
        }
        let mut api = self.rtc.direct_api();
        if let (Some(pt), Some(stream)) = (payload_type, api.stream_tx_by_mid(mid, None)) {
            let packet = RtpWrite::new(pt, seq.into(), time as u32, now, payload)
                .marker(marker)
                .nackable(codec == Codec::Vp8)
                .ext_vals(ext_vals);
            stream.write_rtp(packet);
            self.counters.sent.fetch_add(1, Relaxed);
        }
        self.drain().map(|_| ())
    }

    fn is_codec(&self, pt: str0m::media::Pt, codec: Codec) -> bool {
        self.rtc.codec_config().params().iter().any(|params| params.pt() == pt && params.spec().codec == codec)
    }

    fn receive(&mut self, wait: Duration, buffer: &mut [u8]) -> Result<(), RtcError> {
        // without a timeout the loop would not do its own work in time
        let _ = self.socket.set_read_timeout(Some(wait));
        match self.socket.recv_from(buffer) {
            Ok((length, source)) => self.take(buffer.get(..length).unwrap_or_default(), source),
            Err(_) => self.rtc.handle_input(Input::Timeout(Instant::now())),
        }
    }

    fn take(&mut self, datagram: &[u8], source: SocketAddr) -> Result<(), RtcError> {
        if self.is_lost() {
            return Ok(());
        }
        let (Ok(contents), Ok(destination)) = (datagram.try_into(), self.socket.local_addr()) else { return Ok(()) };
        let received = Receive { proto: Protocol::Udp, source, destination, contents };
        self.rtc.handle_input(Input::Receive(Instant::now(), received))
    }
}
