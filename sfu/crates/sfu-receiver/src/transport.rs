//! The peer connection with the only safe way to use it, and the only place of this crate that drives str0m.
//!
//! drain-after-mutation: every mutation must be followed by polling until str0m returns its next deadline.
//! [`Transport::step`] does both and is the only mutable access.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::media::{Direction, Mid};
use str0m::net::{Protocol as NetProtocol, Receive, TcpType, Transmit};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcError};

use crate::path::{Datagram, Path, Protocol};

/// Packets that a key frame may be split over: 1080p screens make large ones.
const LARGEST_FRAME_PACKETS: usize = 400;
/// How long a lost audio packet delays those after it: less than a recording waits for audio.
const AUDIO_REORDER_TIMEOUT: Duration = Duration::from_millis(100);
/// A connection that has failed is polled this often.
const FAILED_INTERVAL: Duration = Duration::from_secs(1);
/// What a candidate says that only opens connections (RFC 6544 section 4.5).
const ACTIVE_PORT: u16 = 9;

/// What steps have produced.
#[derive(Default)]
pub(crate) struct Drained {
    pub datagrams: Vec<Datagram>,
    pub events: Vec<Event>,
}

pub(crate) struct Transport {
    rtc: Rtc,
    locals: Vec<SocketAddr>,
    deadline: Instant,
    has_failed: bool,
}

/// Without transport-wide sequence numbers: a recorder on a busy machine reads late, and must not be sent less for it.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    for (id, extension) in ExtensionMap::standard().iter() {
        if *extension != Extension::TransportSequenceNumber {
            map.set(id, extension.clone());
        }
    }
    map
}

impl Transport {
    /// Fails for an address that no candidate can have.
    pub fn new(now: Instant, locals: &[SocketAddr]) -> Result<Self, String> {
        let mut rtc = Rtc::builder()
            .set_extension_map(extensions())
            .clear_codecs()
            .enable_opus(true, true)
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
        Ok(Self { rtc, locals: locals.to_vec(), deadline: now, has_failed: false })
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

    /// Try the media server's TCP ports too. One candidate for each family: the system knows from which address a server
    /// is reached, and each candidate is a connection to each of the server's.
    pub fn add_tcp_candidates(&mut self, now: Instant, drained: &mut Drained) {
        let of_family = |is_ipv4: bool| self.locals.iter().find(|local| local.is_ipv4() == is_ipv4);
        let addresses: Vec<_> = [true, false].into_iter().filter_map(of_family).map(|local| local.ip()).collect();
        self.step(now, drained, |rtc| {
            for address in addresses {
                let builder = Candidate::builder().tcp().host(SocketAddr::new(address, ACTIVE_PORT));
                // an address that no candidate can have has failed as one for UDP
                if let Ok(candidate) = builder.tcptype(TcpType::Active).build() {
                    rtc.add_local_candidate(candidate);
                }
            }
        });
    }

    /// Take a datagram in. One that is neither STUN, DTLS nor RTP is dropped.
    pub fn receive(&mut self, now: Instant, drained: &mut Drained, path: Path, data: &[u8]) {
        let protocol = match path.protocol {
            Protocol::Udp => NetProtocol::Udp,
            Protocol::Tcp => NetProtocol::Tcp,
        };
        let Ok(receive) = Receive::new(protocol, path.remote, path.local, data) else { return };
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
                Output::Transmit(transmit) => drained.datagrams.push(datagram(transmit)),
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

fn datagram(transmit: Transmit) -> Datagram {
    let protocol = if transmit.proto == NetProtocol::Udp { Protocol::Udp } else { Protocol::Tcp };
    let path = Path { protocol, local: transmit.source, remote: transmit.destination };
    Datagram { path, contents: transmit.contents.into() }
}
