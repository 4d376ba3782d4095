//! What is received on a connection: which streams, what of them is missing, and what str0m does not look at.

use std::time::Instant;

use str0m::Rtc;
use str0m::format::PayloadParams;
use str0m::rtp::RtpPacket;

use super::codec::CodecFormat;
use super::dependency::Structures;
use super::held_sound::HeldSound;
use super::incoming::IncomingStreams;
use super::late::{Header, Rounds, extended};
use super::nacks::Nacks;
use super::packet::{Arrived, ReceivedPacket};
use super::sending::Sending;
use super::transport_sequence::TransportSequence;
use crate::datagram::Datagram;
use crate::ids::Ssrc;

/// Packets that are farther behind the newest one are not looked at by str0m (100).
const STR0M_WINDOW: u64 = 90;

#[derive(Default)]
pub(super) struct Receiving {
    pub streams: IncomingStreams,
    pub sequence: TransportSequence,
    structures: Structures,
    nacks: Nacks,
    rounds: Rounds,
    held: HeldSound,
    /// The stream of the packet that str0m has opened last.
    opened: Option<Ssrc>,
}

impl Receiving {
    /// A packet that str0m has opened. None if it has to wait.
    pub fn media(&mut self, now: Instant, rtc: &mut Rtc, packet: RtpPacket) -> Option<ReceivedPacket> {
        self.sequence.received(packet.header.ext_vals.transport_cc);
        let arrived = Arrived::from(packet);
        self.opened = Some(arrived.ssrc);
        if self.nacks.received(now, arrived.ssrc, arrived.sequence) {
            // what is missing is for us to ask for
            if let Some(stream) = rtc.direct_api().stream_rx(&arrived.ssrc.0.into()) {
                stream.suppress_nack(true);
            }
            if CodecFormat::find(rtc.codec_config(), arrived.payload_type).is_some_and(|(codec, _)| codec.is_sound()) {
                self.nacks.mark_sound(arrived.ssrc);
            }
        }
        let received = self.read(now, rtc, arrived);
        self.held.pass(now, self.nacks.sound_hold(), received)
    }

    /// The stream of the packet that str0m has opened since this was asked the last time.
    pub fn take_opened(&mut self) -> Option<Ssrc> {
        self.opened.take()
    }

    /// See to a packet of a known stream: `of` is the stream of the packet that str0m has made of it. If that is none it
    /// may have come too late for str0m, but not for us.
    pub fn late(
        &mut self,
        now: Instant,
        rtc: &mut Rtc,
        sending: &mut Sending,
        (ssrc, of): (Ssrc, Option<Ssrc>),
        data: &[u8],
    ) -> Option<ReceivedPacket> {
        if of.is_some_and(|of| of != ssrc) {
            self.rounds.seen(ssrc, Header::read(data)?.sequence);
        }
        if of.is_some() || !self.nacks.is_behind(STR0M_WINDOW) {
            return None;
        }
        let arrived = self.open(rtc, sending, ssrc, data)?;
        self.nacks.received(now, arrived.ssrc, arrived.sequence);
        let received = self.read(now, rtc, arrived);
        self.held.pass(now, self.nacks.sound_hold(), received)
    }

    /// Open a packet that is missing.
    fn open(&mut self, rtc: &mut Rtc, sending: &mut Sending, ssrc: Ssrc, data: &[u8]) -> Option<Arrived> {
        let header = Header::read(data)?;
        let mapped = self.streams.mapped(rtc);
        let stream = mapped.iter().find(|stream| stream.ssrc() == ssrc || stream.is_resent_by(ssrc))?;
        let (newest, payload_type) = (self.nacks.newest(stream.ssrc())?, header.payload_type);
        let is_resent = stream.ssrc() != ssrc;
        let index =
            if is_resent { self.rounds.extended(ssrc, header.sequence) } else { extended(header.sequence, newest) };
        let opened = sending.open(&header, index, data)?;
        let mut payload = header.without_padding(&opened)?;
        let (mut sequence, mut params) = (index, None);
        if is_resent {
            self.rounds.seen(ssrc, header.sequence);
            // the original number comes first (RFC 4588 section 4)
            let (number, original) = payload.split_first_chunk()?;
            (payload, sequence) = (original, extended(u16::from_be_bytes(*number), newest));
            let is_of = |params: &&PayloadParams| params.resend().is_some_and(|pt| *pt == payload_type);
            params = rtc.codec_config().iter().find(is_of);
        }
        let params = params.or_else(|| rtc.codec_config().iter().find(|params| *params.pt() == payload_type))?;
        if !self.nacks.is_missing(stream.ssrc(), sequence) {
            return None;
        }
        let (extensions, dependencies) = header.extensions(data, rtc.media(stream.section())?.remote_extmap());
        Some(Arrived {
            ssrc: stream.ssrc(),
            payload_type: params.pt(),
            sequence,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: payload.into(),
            extensions,
            dependencies,
            sender_clock_us: None,
        })
    }

    fn read(&mut self, now: Instant, rtc: &Rtc, mut arrived: Arrived) -> ReceivedPacket {
        let playout_delay = &mut arrived.extensions.playout_delay;
        *playout_delay = self.nacks.playout_bounds(*playout_delay);
        ReceivedPacket::read(now, rtc.codec_config(), &mut self.structures, arrived)
    }

    /// When [`Receiving::ask`] or [`Receiving::take_held`] is due.
    pub fn next_at(&self) -> Option<Instant> {
        [self.nacks.next_at(), self.held.next_at()].into_iter().flatten().min()
    }

    /// The next packet that has waited long enough.
    pub fn take_held(&mut self, now: Instant) -> Option<ReceivedPacket> {
        self.held.take(now)
    }

    /// Ask for packets that are missing.
    pub fn ask(&mut self, now: Instant, sending: &mut Sending) -> Option<Datagram> {
        let compound = self.nacks.ask(now);
        if compound.is_empty() { None } else { sending.feedback(compound) }
    }
}
