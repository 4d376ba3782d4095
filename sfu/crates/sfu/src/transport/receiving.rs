//! Media that is received on a connection: opened, mapped to sections and layers, and told of to its sender.
//!
//! str0m sees none of it. What it is asked for is what was negotiated.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use str0m::Rtc;

use super::arrival_log::ArrivalLog;
use super::backlog::Backlog;
use super::codec::ReceivedFormat;
use super::dependency::Structures;
use super::held_sound::HeldSound;
use super::incoming::{IncomingStreams, Role};
use super::nacks::Nacks;
use super::number_window::NumberWindow;
use super::packet::{Arrived, ReceivedPacket};
use super::received_header::{ExtensionIds, Header, Values};
use super::reception::{ReceivedStats, Reception};
use super::reception_reports;
use super::sending::Sending;
use crate::datagram::Datagram;
use crate::ids::{Mid, Ssrc};

/// What has come is told once in this time, with the next packet; the first time, sooner.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const FIRST_REPORT: Duration = Duration::from_millis(100);
/// Without a next packet it is told a little later.
const REPORT_SLACK: Duration = Duration::from_millis(250);

#[derive(Default)]
pub(super) struct Receiving {
    streams: IncomingStreams,
    ids: ExtensionIds,
    /// By payload types.
    formats: HashMap<u8, ReceivedFormat>,
    /// Of all streams, by the numbers with which they are sealed.
    windows: HashMap<Ssrc, NumberWindow>,
    receptions: HashMap<Ssrc, Reception>,
    arrivals: ArrivalLog,
    reported: Reported,
    structures: Structures,
    nacks: Nacks,
    backlog: Backlog,
    held: HeldSound,
    /// The payload that is being opened.
    opened: Vec<u8>,
}

/// What the sender was told, and what it has answered.
#[derive(Default)]
struct Reported {
    next_at: Option<Instant>,
    /// Whether something has come since.
    has_news: bool,
    /// The beginning of the time that is told.
    epoch: Option<Instant>,
    round_trip: Option<Duration>,
}

/// Why a packet is not looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Too many of streams that are not known.
    Untried,
    /// The client begins too many streams.
    TooManyStreams,
}

/// A packet that was opened.
struct Opened<'a> {
    header: &'a Header,
    values: Values<'a>,
    /// Beyond 16 bits.
    number: u64,
    format: ReceivedFormat,
    payload: &'a [u8],
}

impl Receiving {
    /// A session description of the client was accepted.
    pub fn negotiated(&mut self, sdp: &str) {
        self.ids.learn(sdp);
        self.formats.clear();
    }

    /// An accepted offer names these streams.
    pub fn declare(&mut self, rtc: &mut Rtc, sources: &[Ssrc]) {
        self.streams.declare(rtc, sources);
    }

    /// An RTP packet. None if there is nothing to forward, or not yet.
    pub fn receive(
        &mut self,
        now: Instant,
        rtc: &mut Rtc,
        sending: &mut Sending,
        data: &[u8],
    ) -> Result<Option<ReceivedPacket>, Refusal> {
        let Some(header) = Header::read(data) else { return Ok(None) };
        let (ssrc, known) = (header.ssrc, self.streams.role_of(header.ssrc));
        if known.is_none() && !self.streams.may_try(now) {
            return Err(Refusal::Untried);
        }
        let values = header.values(data, &self.ids);
        let format = self.format_of(rtc, header.payload_type);
        let is_repair = format.map(|format| format.is_repair);
        let Some(role) = known.or_else(|| self.streams.guess(rtc, ssrc, &values, is_repair)) else { return Ok(None) };
        let window = self.windows.get(&ssrc);
        let number = window.map_or(u64::from(header.sequence), |window| window.extended(header.sequence));
        if window.is_some_and(|window| !window.is_new(number)) {
            return Ok(None);
        }
        let mut opened = std::mem::take(&mut self.opened);
        let is_authentic = sending.open(&header, number, data, &mut opened).is_some();
        if is_authentic {
            self.backlog.received(now, data.len());
        }
        let outcome = if is_authentic { self.authentic(now, &header, number, known, role, &values) } else { Ok(()) };
        let payload = header.without_padding(&opened).filter(|_| is_authentic && outcome.is_ok());
        let packet = payload.zip(format).and_then(|(payload, format)| {
            self.media(now, role, Opened { header: &header, values, number, format, payload })
        });
        self.opened = opened;
        outcome.map(|()| packet)
    }

    fn format_of(&mut self, rtc: &Rtc, payload_type: u8) -> Option<ReceivedFormat> {
        if let Some(known) = self.formats.get(&payload_type) {
            return Some(*known);
        }
        let format = ReceivedFormat::find(rtc.codec_config(), payload_type)?;
        self.formats.insert(payload_type, format);
        Some(format)
    }

    /// A packet was opened, which says nothing yet of what is in it.
    fn authentic(
        &mut self,
        now: Instant,
        header: &Header,
        number: u64,
        known: Option<Role>,
        role: Role,
        values: &Values<'_>,
    ) -> Result<(), Refusal> {
        if known.is_none() && !self.streams.admit(now, header.ssrc, role) {
            return Err(Refusal::TooManyStreams);
        }
        self.windows.entry(header.ssrc).or_insert_with(|| NumberWindow::new(number)).received(number);
        if let Some(number) = values.transport_sequence {
            self.arrivals.received(now, number);
        }
        Ok(())
    }

    fn media(&mut self, now: Instant, role: Role, packet: Opened<'_>) -> Option<ReceivedPacket> {
        let ssrc = packet.header.ssrc;
        match role {
            Role::Media(_) if packet.format.is_repair => None,
            Role::Media(_) => self.arrived(now, ssrc, packet, false),
            Role::Repair(layer, of) => {
                let of = of.or_else(|| self.streams.newest_of(layer))?;
                // the original number comes first (RFC 4588 section 4); what is padding only has none
                let (number, payload) = packet.payload.split_first_chunk()?;
                let window = self.windows.get_mut(&of)?;
                let number = window.extended(u16::from_be_bytes(*number));
                if !window.is_new(number) {
                    return None;
                }
                window.received(number);
                self.arrived(now, of, Opened { number, payload, ..packet }, true)
            }
            Role::Probe => None,
        }
    }

    /// A packet of a stream of media, received for the first time.
    fn arrived(&mut self, now: Instant, ssrc: Ssrc, packet: Opened<'_>, is_resent: bool) -> Option<ReceivedPacket> {
        let Opened { header, values, number, format, payload } = packet;
        let is_resent = is_resent || self.nacks.was_asked_for(ssrc, number);
        let reception = self.receptions.entry(ssrc).or_insert_with(|| Reception::new(now, number, format.codec));
        reception.received(now, number, header.timestamp, is_resent);
        self.reported.has_news = true;
        self.reported.next_at.get_or_insert(now + FIRST_REPORT);
        let is_newest_sound = format.codec.is_sound() && self.nacks.is_newest(ssrc, number);
        let lost = self.nacks.received(now, ssrc, number);
        if lost > 0 {
            self.backlog.lost(now);
        }
        if is_newest_sound {
            self.nacks.mark_sound(ssrc);
            self.backlog.received_sound(now, ssrc, format.codec.clock_rate_hz(), header.timestamp);
        }
        self.nacks.set_link_full(self.backlog.is_there(now));
        if self.backlog.take_end() {
            self.nacks.forget_losses();
        }
        let mut extensions = values.forwarded;
        extensions.playout_delay = self.nacks.playout_bounds(extensions.playout_delay);
        let arrived = Arrived {
            ssrc,
            format,
            sequence: number,
            timestamp: header.timestamp,
            marker: header.marker,
            payload: payload.into(),
            extensions,
            dependencies: values.dependencies,
            sender_clock_us: reception.sender_clock_us(header.timestamp),
        };
        let received = ReceivedPacket::read(now, &mut self.structures, arrived);
        self.held.pass(now, self.nacks.sound_hold(), received)
    }

    /// The section of a stream of media, and its rid (RFC 8852).
    pub fn stream_of(&self, ssrc: Ssrc) -> Option<(Mid, Option<String>)> {
        let Role::Media((mid, rid)) = self.streams.role_of(ssrc)? else { return None };
        Some((Mid::from(&*mid), rid.map(|rid| rid.to_string())))
    }

    /// A compound of reports that is authentic.
    pub fn read_reports(&mut self, now: Instant, compound: &[u8]) {
        for (ssrc, clock) in reception_reports::sender_clocks(compound) {
            if let Some(reception) = self.receptions.get_mut(&ssrc) {
                reception.sender_reported(now, clock);
            }
        }
        for (asked, delay) in reception_reports::reference_answers(compound) {
            let Some(epoch) = self.reported.epoch else { continue };
            let units = (ntp_since(now, epoch) >> 16) as u32;
            let round_trip = units.wrapping_sub(asked).wrapping_sub(delay);
            // one that came too soon to be measured is none
            self.reported.round_trip = (round_trip.cast_signed() >= 0).then(|| of_units(round_trip));
        }
    }

    // ── time ──

    /// When [`Receiving::advance`] or [`Receiving::take_held`] is due.
    pub fn next_at(&self) -> Option<Instant> {
        let report_at = self.reported.next_at.filter(|_| self.reported.has_news).map(|at| at + REPORT_SLACK);
        [self.nacks.next_at(), self.held.next_at(), self.arrivals.next_at(), report_at].into_iter().flatten().min()
    }

    /// The next packet that has waited long enough.
    pub fn take_held(&mut self, now: Instant) -> Option<ReceivedPacket> {
        self.held.take(now)
    }

    /// Ask for packets that are missing, and tell of what has come, as far as that is due.
    pub fn advance(&mut self, now: Instant, sending: &mut Sending, datagrams: &mut Vec<Datagram>) {
        let compound = self.nacks.ask(now);
        if !compound.is_empty() {
            datagrams.extend(sending.feedback(compound));
        }
        self.tell(now, sending, datagrams);
    }

    /// Tell the client of what has come, as far as that is due.
    pub fn tell(&mut self, now: Instant, sending: &mut Sending, datagrams: &mut Vec<Datagram>) {
        if self.arrivals.is_due(now) {
            datagrams.extend(sending.feedback(self.arrivals.take(now, self.streams.any(), self.backlog.is_there(now))));
        }
        if self.backlog.take_change() {
            datagrams.extend(self.limit().and_then(|compound| sending.feedback(compound)));
        }
        if self.reported.has_news && self.reported.next_at.is_some_and(|at| at <= now) {
            self.reported.next_at = Some(now + REPORT_INTERVAL);
            self.reported.has_news = false;
            let epoch = *self.reported.epoch.get_or_insert(now);
            let blocks: Vec<_> =
                self.receptions.iter_mut().filter_map(|(ssrc, reception)| reception.report(now, *ssrc)).collect();
            for blocks in blocks.chunks(reception_reports::MAX_BLOCKS) {
                let mut compound = Vec::new();
                reception_reports::push_reception(blocks, &mut compound);
                reception_reports::push_reference_time(ntp_since(now, epoch), &mut compound);
                datagrams.extend(sending.feedback(compound));
            }
            // it may have been lost
            datagrams.extend(self.limit().and_then(|compound| sending.feedback(compound)));
        }
    }

    /// What the client may send, if it was ever told.
    fn limit(&self) -> Option<Vec<u8>> {
        let mut compound = Vec::new();
        reception_reports::push_limit(self.streams.any(), self.backlog.limit()?, &mut compound);
        Some(compound)
    }

    /// Ask the client for a key frame of a stream.
    pub fn request_keyframe(&self, ssrc: Ssrc, sending: &mut Sending) -> Option<Datagram> {
        let mut compound = Vec::new();
        reception_reports::push_keyframe_request(ssrc, &mut compound);
        sending.feedback(compound)
    }

    /// What was received since the last time, and the round trip.
    pub fn take_stats(&mut self) -> (ReceivedStats, Option<Duration>) {
        let mut stats = ReceivedStats::default();
        self.receptions.values_mut().for_each(|reception| reception.add_to(&mut stats));
        (stats, self.reported.round_trip)
    }
}

/// The time since `epoch` as NTP has it: 32 bits of seconds, 32 of their fractions.
fn ntp_since(now: Instant, epoch: Instant) -> u64 {
    ((now.saturating_duration_since(epoch).as_micros() << 32) / 1_000_000) as u64
}

/// A time of so many 65,536ths of a second.
fn of_units(units: u32) -> Duration {
    Duration::from_micros((u64::from(units) * 1_000_000) >> 16)
}
