//! Everything of a connection that is sealed: media as it is forwarded, retransmissions, reports.
//!
//! str0m negotiates, shakes hands, and writes sender reports; media never passes through it. What it would send of RTP
//! and RTCP is not sealed ([`super::crypto`]), and reaches the network through [`Sending::report`] only.

use std::time::{Duration, Instant};

use super::batch::Batch;
use super::drained::{Drained, TransportEvent};
use super::handshake::KeySlot;
use super::pacer::Pacer;
use super::packet::Written;
use super::padding::Padding;
use super::received_header::Header;
use super::repetition::Repetition;
use super::reports::{self, Feedback};
use super::rtp_header::send_time;
use super::sent_packets::SentPackets;
use super::srtp::{Opener, Sealer, with_keys};
use super::streams::{OutgoingStreams, OutletKey};
use crate::datagram::{Buffers, Datagram, Path};

/// A connectivity check from elsewhere may move the connection some time after it: str0m is asked at once, after the
/// first of these times, after four times that, and so on up to the last.
const FIRST_ASKED_AGAIN: Duration = Duration::from_millis(4);
const LAST_ASKED_AGAIN: Duration = Duration::from_secs(1);

/// Seals and sends, once there are keys.
pub(super) struct Sending {
    keys: KeySlot,
    keyed: Option<Keyed>,
    /// Where str0m sends by ICE's last choice.
    path: Option<Path>,
    doubt: Option<Doubt>,
    queue: Vec<Queued>,
    /// By transport-wide sequence numbers.
    sent: SentPackets,
    padding: Option<Padding>,
    pacer: Pacer,
    repetition: Repetition,
}

/// What waits to be sealed: whether it is sound, its stream, and the packet.
type Queued = (bool, OutletKey, Written);

/// That choice may change.
#[derive(Clone, Copy)]
struct Doubt {
    ask_at: Instant,
    /// How long after that again.
    wait: Duration,
}

struct Keyed {
    sealer: Sealer,
    opener: Opener,
}

impl Sending {
    /// `keys`: where the connection's will be.
    pub fn new(keys: KeySlot) -> Self {
        Self {
            keys,
            keyed: None,
            path: None,
            doubt: None,
            queue: Vec::new(),
            sent: SentPackets::default(),
            padding: None,
            pacer: Pacer::default(),
            repetition: Repetition::default(),
        }
    }

    /// None before the handshake is over.
    fn keyed(&mut self) -> Option<&mut Keyed> {
        if self.keyed.is_none() {
            let keys = self.keys.take()?;
            let (sealer, opener) = with_keys(keys)?;
            self.keyed = Some(Keyed { sealer, opener });
        }
        self.keyed.as_mut()
    }

    #[cfg(test)]
    pub fn rtp_overhead(&mut self) -> usize {
        self.keyed().map_or(0, |keyed| keyed.sealer.rtp_overhead())
    }

    /// Where ICE's choice leads.
    pub fn set_path(&mut self, path: Path) {
        self.path = Some(path);
    }

    /// A connectivity check came: if from elsewhere, ICE may choose that.
    pub fn checked(&mut self, now: Instant, from: Path) {
        if self.path.is_some_and(|path| path.remote != from.remote || path.protocol != from.protocol) {
            self.doubt = Some(Doubt { ask_at: now, wait: FIRST_ASKED_AGAIN });
        }
    }

    /// When str0m has to be asked where it would send, or something is due that waits.
    pub fn next_at(&self) -> Option<Instant> {
        let ask_at = self.doubt.map(|doubt| doubt.ask_at);
        [ask_at, self.padding.as_ref().map(Padding::due), self.pacer.due()].into_iter().flatten().min()
    }

    /// Whether str0m has to be asked now; once.
    pub fn has_to_ask(&mut self, now: Instant) -> bool {
        let Some(Doubt { ask_at, wait }) = self.doubt.filter(|doubt| doubt.ask_at <= now) else { return false };
        self.doubt = (wait <= LAST_ASKED_AGAIN).then_some(Doubt { ask_at: ask_at + wait, wait: 4 * wait });
        true
    }

    /// Send with the next [`Sending::flush`].
    pub fn queue(&mut self, is_sound: bool, outlet: OutletKey, packet: Written) {
        self.queue.push((is_sound, outlet, packet));
    }

    /// Seal what was queued.
    pub fn flush(
        &mut self,
        now: Instant,
        streams: &mut OutgoingStreams,
        buffers: &mut Buffers,
        datagrams: &mut Vec<Datagram>,
    ) {
        let mut queue = std::mem::take(&mut self.queue);
        if self.pacer.is_on() {
            for (_, outlet, packet) in queue.extract_if(.., |(is_sound, ..)| !*is_sound) {
                self.pacer.push(outlet, packet);
            }
            queue.extend(std::iter::from_fn(|| self.pacer.take(now)).map(|(outlet, packet)| (false, outlet, packet)));
        }
        // packets of one size can go in one message, and a smaller one with them as the last
        queue.sort_by_key(|(is_sound, outlet, _)| (*is_sound, *outlet));
        if let Some(mut batch) = self.batch(now, buffers, datagrams) {
            for (_, key, packet) in queue.drain(..) {
                if let Some(outlet) = streams.get_mut(key) {
                    batch.send(outlet, packet);
                }
            }
        }
        // the memory is used again
        queue.clear();
        self.queue = queue;
    }

    /// Seal what str0m reports, completed by what was sent. None if there is nothing to say.
    pub fn report(&mut self, now: Instant, streams: &mut OutgoingStreams, unsealed: &[u8]) -> Option<Vec<u8>> {
        let keyed = self.keyed()?;
        // behind the compound is the place of index and tag
        let compound = unsealed.get(..unsealed.len().checked_sub(keyed.sealer.rtcp_overhead())?)?;
        let mut packet = reports::complete(compound, |ssrc, ntp| streams.of_ssrc(ssrc)?.report(now, ntp));
        if packet.is_empty() {
            return None;
        }
        keyed.sealer.seal_rtcp(&mut packet)?;
        Some(packet)
    }

    /// Read what the client reports of what we send, and send again what it is missing.
    pub fn read_reports(
        &mut self,
        now: Instant,
        streams: &mut OutgoingStreams,
        compound: &[u8],
        drained: &mut Drained,
    ) {
        for feedback in reports::transport_feedback(compound) {
            let arrivals = self.sent.reported(&feedback);
            self.repetition.arrived(&arrivals, self.pacer.rate_bps());
            if !arrivals.is_empty() {
                drained.push(TransportEvent::Arrived(arrivals));
            }
        }
        let datagrams = &mut drained.datagrams;
        let (mut buffers, limit_bps, is_limited) = (Buffers::default(), self.pacer.rate_bps(), self.pacer.is_on());
        for (ssrc, feedback) in reports::read(compound) {
            let Some(outlet) = streams.of_ssrc(ssrc) else { continue };
            match feedback {
                Feedback::Reception(reception) => {
                    let (expected, lost) = outlet.received(now, reception);
                    if !outlet.is_video {
                        self.repetition.reported(now, expected, lost, limit_bps);
                    }
                }
                Feedback::KeyframeWanted => outlet.keyframe_wanted(),
                Feedback::Missing(numbers) => {
                    let before = datagrams.len();
                    let Some(mut batch) = self.batch(now, &mut buffers, datagrams) else { return };
                    let copies = if is_limited { 1 } else { outlet.playout.copies() };
                    for _ in 0..copies {
                        numbers.iter().for_each(|number| batch.resend(outlet, *number));
                    }
                    let resent = datagrams.iter().skip(before).map(|datagram| datagram.contents.len());
                    self.pacer.charge(resent.sum());
                }
            }
        }
    }

    // ── what the link carries ──

    /// What the link to the client carries, where it is full at times, and padding to send from now on.
    pub fn set_rate(&mut self, rate_bps: Option<u64>, padding: Option<Padding>) {
        self.pacer.set_rate(rate_bps);
        self.padding = padding.or(self.padding.take());
    }

    /// Send all that waits.
    pub fn flush_all(&mut self, now: Instant, streams: &mut OutgoingStreams, datagrams: &mut Vec<Datagram>) {
        let rate_bps = self.pacer.open();
        self.flush(now, streams, &mut Buffers::default(), datagrams);
        self.pacer.set_rate(rate_bps);
    }

    /// Drop what waits on a stream.
    pub fn forget(&mut self, outlet: OutletKey) {
        self.queue.retain(|(_, of, _)| *of != outlet);
        self.pacer.forget(outlet);
    }

    /// Send what waits as far as it is due.
    pub fn send_due(&mut self, now: Instant, streams: &mut OutgoingStreams, datagrams: &mut Vec<Datagram>) {
        self.send_padding(now, streams, datagrams);
        if self.pacer.is_on() {
            self.flush(now, streams, &mut Buffers::default(), datagrams);
        }
    }

    fn send_padding(&mut self, now: Instant, streams: &mut OutgoingStreams, datagrams: &mut Vec<Datagram>) {
        let Some(mut padding) = self.padding.take_if(|padding| padding.due() <= now) else { return };
        let Some((outlet, stream)) = streams.padded() else { return };
        let mut buffers = Buffers::default();
        let Some(mut batch) = self.batch(now, &mut buffers, datagrams) else { return };
        while padding.is_owed(now) {
            match batch.pad(outlet, stream) {
                Some(bytes) => padding.sent(bytes),
                None => return,
            }
        }
        self.padding = padding.rest(now);
    }

    /// Open a packet that the client has sealed, and put its payload into `out`; `number`: beyond 16 bits. None for one
    /// that is not authentic.
    pub fn open(&mut self, header: &Header, number: u64, packet: &[u8], out: &mut Vec<u8>) -> Option<()> {
        self.keyed()?.opener.open_rtp(packet, header.bytes, header.ssrc, number, out)
    }

    /// Open reports that the client has sealed. None if they are not authentic.
    pub fn open_reports(&mut self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.keyed()?.opener.open_rtcp(sealed)
    }

    /// Feedback of ours, sealed. None without keys or a path.
    pub fn feedback(&mut self, mut compound: Vec<u8>) -> Option<Datagram> {
        self.keyed()?.sealer.seal_rtcp(&mut compound)?;
        Some(Datagram { path: self.path?, is_video: false, contents: compound })
    }

    fn batch<'a>(
        &'a mut self,
        now: Instant,
        buffers: &'a mut Buffers,
        datagrams: &'a mut Vec<Datagram>,
    ) -> Option<Batch<'a>> {
        self.keyed()?;
        let sealer = &mut self.keyed.as_mut()?.sealer;
        let sent = &mut self.sent;
        let copies = if self.repetition.is_narrow(self.pacer.rate_bps()) { 0 } else { self.repetition.copies() };
        Some(Batch { now, sealer, path: self.path?, send_time: send_time(now), sent, copies, buffers, datagrams })
    }
}
