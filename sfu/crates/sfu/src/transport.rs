//! One peer connection, with the only safe way to use it.
//!
//! drain-after-mutation: the library under it holds one received packet at a time, so every mutation must be followed
//! by polling until it names its next deadline. [`Transport::step`] does both and is the only access.

use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::{ExtensionValues, RtpWrite, Ssrc, Vp8Patch};
use str0m::{Event, IceCreds, Input, Output, Rtc, RtcError};

use crate::config::ShardConfig;
use crate::message::Packet;

/// Deadlines nearer than this wait for company: each one walks every stream of the connection.
const TIMER_SLACK: Duration = Duration::from_millis(2);

/// A media packet as one subscriber shall see it.
pub(crate) struct Outgoing<'a> {
    pub ssrc: Ssrc,
    pub payload_type: str0m::media::Pt,
    pub sequence: u64,
    pub timestamp: u32,
    pub vp8: Option<Vp8Patch>,
    pub packet: &'a Packet,
}

/// Where forwarded media leaves: packets are collected, and sealed and sent at the end of a receive batch.
pub(crate) trait Egress {
    /// False if there is no such stream.
    fn send(&mut self, packet: Outgoing<'_>) -> bool;
}

pub(crate) struct Transport {
    rtc: Rtc,
    deadline: Instant,
}

/// What a step brought out.
#[derive(Default)]
pub(crate) struct Drained {
    pub events: Vec<Event>,
    pub datagrams: Vec<Transmit>,
}

impl Transport {
    pub fn new(now: Instant, config: &ShardConfig, credentials: IceCreds) -> Self {
        let mut rtc = config.rtc_config(credentials).build(now);
        for candidate in config.candidates() {
            rtc.add_local_candidate(candidate.clone());
        }
        Self { rtc, deadline: now }
    }

    /// One mutation, then everything that follows from it.
    pub fn step<R>(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        mutate: impl FnOnce(&mut Rtc) -> Result<R, RtcError>,
    ) -> Result<R, RtcError> {
        let result = mutate(&mut self.rtc)?;
        self.drain(now, drained)?;
        Ok(result)
    }

    pub fn receive(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        (source, destination): (std::net::SocketAddr, std::net::SocketAddr),
        data: &[u8],
    ) -> Result<(), RtcError> {
        // what cannot be parsed is not the peer's fault: anybody can send it
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, data) else { return Ok(()) };
        self.step(now, drained, |rtc| rtc.handle_input(Input::Receive(now, receive)))
    }

    /// Let time pass; also what sends the packets collected by [`Egress::send`].
    pub fn advance(&mut self, now: Instant, drained: &mut Drained) -> Result<(), RtcError> {
        self.step(now, drained, |rtc| rtc.handle_input(Input::Timeout(now)))
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    pub fn rtc(&self) -> &Rtc {
        &self.rtc
    }

    /// Where a received stream belongs. Reading only; the mutable access is the library's.
    pub fn stream_of(&mut self, ssrc: Ssrc) -> Option<(str0m::media::Mid, Option<str0m::media::Rid>)> {
        self.rtc.direct_api().stream_rx(&ssrc).map(|stream| (stream.mid(), stream.rid()))
    }

    fn drain(&mut self, now: Instant, drained: &mut Drained) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(datagram) => drained.datagrams.push(datagram),
                Output::Event(event) => drained.events.push(event),
                Output::Timeout(deadline) => {
                    self.deadline = deadline.max(now + TIMER_SLACK);
                    return Ok(());
                }
            }
        }
    }
}

impl Egress for Transport {
    fn send(&mut self, out: Outgoing<'_>) -> bool {
        let packet = out.packet;
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx(&out.ssrc) else { return false };
        let mut extensions = ExtensionValues {
            audio_level: packet.audio_level,
            voice_activity: packet.voice_activity,
            video_orientation: packet.orientation,
            ..ExtensionValues::default()
        };
        if let Some((min, max)) = packet.playout_delay {
            extensions.play_delay_min = Some(min);
            extensions.play_delay_max = Some(max);
        }
        let mut write =
            RtpWrite::new(out.payload_type, out.sequence.into(), out.timestamp, packet.arrival, packet.payload.clone())
                .marker(packet.marker)
                .ext_vals(extensions)
                .nackable(true);
        if let Some(patch) = out.vp8 {
            write = write.vp8_patch(patch);
        }
        stream.write_rtp(write);
        true
    }
}
