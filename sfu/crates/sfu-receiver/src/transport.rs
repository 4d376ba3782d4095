//! The peer connection with the only safe way to use it, and the only place of this crate that drives str0m.
//!
//! drain-after-mutation: every mutation must be followed by polling until str0m returns its next deadline.
//! [`Transport::step`] does both and is the only mutable access.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::{Direction, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

/// Packets that a key frame may be split over: 1080p screens make large ones.
const LARGEST_FRAME_PACKETS: usize = 400;
/// How long a lost audio packet delays those after it: less than a recording waits for audio.
const AUDIO_REORDER_TIMEOUT: Duration = Duration::from_millis(100);
/// A connection that has failed is polled this often.
const FAILED_INTERVAL: Duration = Duration::from_secs(1);

/// A UDP datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Where it goes.
    pub destination: SocketAddr,
    /// Its payload.
    pub contents: Vec<u8>,
}

/// What steps have produced.
#[derive(Default)]
pub(crate) struct Drained {
    pub datagrams: Vec<Datagram>,
    pub events: Vec<Event>,
}

pub(crate) struct Transport {
    rtc: Rtc,
    deadline: Instant,
    has_failed: bool,
}

impl Transport {
    /// Fails for an address that no candidate can have.
    pub fn new(now: Instant, locals: &[SocketAddr]) -> Result<Self, String> {
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_reordering_size_video(LARGEST_FRAME_PACKETS)
            .set_reordering_timeout_audio(Some(AUDIO_REORDER_TIMEOUT))
            .build(now);
        for local in locals {
            rtc.add_local_candidate(Candidate::host(*local, "udp").map_err(|error| error.to_string())?);
        }
        Ok(Self { rtc, deadline: now, has_failed: false })
    }

    /// One mutation, then everything that follows from it.
    pub fn step<R>(&mut self, now: Instant, drained: &mut Drained, mutate: impl FnOnce(&mut Rtc) -> R) -> R {
        let result = mutate(&mut self.rtc);
        let handled = self.rtc.handle_input(Input::Timeout(now)).and_then(|()| self.drain(drained));
        if handled.is_err() {
            self.fail(now);
        }
        result
    }

    /// Let time pass.
    pub fn advance(&mut self, now: Instant, drained: &mut Drained) {
        self.step(now, drained, |_| ());
    }

    /// Take a datagram in. One that is neither STUN, DTLS nor RTP is dropped.
    pub fn receive(
        &mut self,
        now: Instant,
        drained: &mut Drained,
        (source, destination): (SocketAddr, SocketAddr),
        data: &[u8],
    ) {
        let Ok(receive) = Receive::new(Protocol::Udp, source, destination, data) else { return };
        if self.step(now, drained, |rtc| rtc.handle_input(Input::Receive(now, receive))).is_err() {
            self.fail(now);
        }
    }

    /// When [`Transport::advance`] is due.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// False once the connection is closed or has failed: it will not come back.
    pub fn is_alive(&self) -> bool {
        !self.has_failed && self.rtc.is_alive()
    }

    /// Whether a section has been negotiated.
    pub fn has_section(&self, mid: Mid) -> bool {
        self.rtc.media(mid).is_some()
    }

    /// Whether a section was answered as carrying nothing.
    pub fn is_inactive(&self, mid: Mid) -> bool {
        self.rtc.media(mid).is_some_and(|media| media.direction() == Direction::Inactive)
    }

    fn drain(&mut self, drained: &mut Drained) -> Result<(), RtcError> {
        loop {
            match self.rtc.poll_output()? {
                Output::Transmit(transmit) => drained
                    .datagrams
                    .push(Datagram { destination: transmit.destination, contents: transmit.contents.into() }),
                Output::Event(event) => drained.events.push(event),
                Output::Timeout(deadline) => {
                    self.deadline = deadline;
                    return Ok(());
                }
            }
        }
    }

    fn fail(&mut self, now: Instant) {
        self.rtc.disconnect();
        self.has_failed = true;
        self.deadline = now + FAILED_INTERVAL;
    }
}
