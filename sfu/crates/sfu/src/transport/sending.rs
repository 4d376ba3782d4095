//! Everything of a connection that is sealed: media as it is forwarded, retransmissions, reports.
//!
//! str0m negotiates, shakes hands, receives, and writes RTCP; media never passes through it. What it would send of RTP
//! and RTCP is not sealed ([`super::crypto`]), and reaches the network through [`Sending::report`] only.

use std::time::{Duration, Instant};

use super::crypto::KeySlot;
use super::dependency::DependencyDescriptor;
use super::late;
use super::outlet::Outlet;
use super::packet::{HeaderExtensions, Written};
use super::reports::{self, Feedback};
use super::rtp_header::{Header, send_time};
use super::srtp::{Opener, Sealer, StreamKey, with_keys};
use super::streams::{OutgoingStreams, OutletKey};
use crate::datagram::{Buffers, Datagram, Path};

/// A connectivity check from elsewhere may move the connection some time after it: str0m is asked at once, after the
/// first of these times, after four times that, and so on up to the last.
const FIRST_ASKED_AGAIN: Duration = Duration::from_millis(4);
const LAST_ASKED_AGAIN: Duration = Duration::from_secs(1);
/// The largest header that is written but for dependencies, and the number of a retransmitted packet.
const MAX_HEADER_BYTES: usize = 80;

/// Seals and sends, once there are keys.
pub(super) struct Sending {
    keys: KeySlot,
    keyed: Option<Keyed>,
    /// Where str0m sends by ICE's last choice.
    path: Option<Path>,
    doubt: Option<Doubt>,
    queue: Vec<Queued>,
    /// The next transport-wide sequence number.
    transport_sequence: u16,
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
        Self { keys, keyed: None, path: None, doubt: None, queue: Vec::new(), transport_sequence: 0 }
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

    /// When str0m has to be asked where it would send.
    pub fn ask_at(&self) -> Option<Instant> {
        self.doubt.map(|doubt| doubt.ask_at)
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

    /// Read what the client reports, and send again what it is missing.
    pub fn read_report(
        &mut self,
        now: Instant,
        streams: &mut OutgoingStreams,
        sealed: &[u8],
        datagrams: &mut Vec<Datagram>,
    ) {
        if let Some(compound) = self.keyed().and_then(|keyed| keyed.opener.open_rtcp(sealed)) {
            self.read_opened(now, streams, &compound, datagrams);
        }
    }

    pub(super) fn read_opened(
        &mut self,
        now: Instant,
        streams: &mut OutgoingStreams,
        compound: &[u8],
        datagrams: &mut Vec<Datagram>,
    ) {
        let mut buffers = Buffers::default();
        for (ssrc, feedback) in reports::read(compound) {
            let Some(outlet) = streams.of_ssrc(ssrc) else { continue };
            match feedback {
                Feedback::Reception(reception) => outlet.received(now, reception),
                Feedback::KeyframeWanted => outlet.keyframe_wanted(),
                Feedback::Missing(numbers) => {
                    let Some(mut batch) = self.batch(now, &mut buffers, datagrams) else { return };
                    for _ in 0..outlet.playout.copies() {
                        numbers.iter().for_each(|number| batch.resend(now, outlet, *number));
                    }
                }
            }
        }
    }

    /// The payload of a packet that the client has sealed; `index`: its number beyond 16 bits.
    pub fn open(&mut self, header: &late::Header, index: u64, packet: &[u8]) -> Option<Vec<u8>> {
        self.keyed()?.opener.open_rtp(packet, header.bytes, header.ssrc, index)
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
        let transport_sequence = &mut self.transport_sequence;
        Some(Batch { sealer, path: self.path?, send_time: send_time(now), transport_sequence, buffers, datagrams })
    }
}

/// Packets that are sealed and sent at one instant.
struct Batch<'a> {
    sealer: &'a mut Sealer,
    path: Path,
    send_time: [u8; 3],
    transport_sequence: &'a mut u16,
    buffers: &'a mut Buffers,
    datagrams: &'a mut Vec<Datagram>,
}

impl Batch<'_> {
    fn send(&mut self, outlet: &mut Outlet, packet: Written) {
        let (stream, _) = outlet.keys(self.sealer);
        if self.seal(outlet, stream, packet.sequence, packet.payload_type, None, &packet).is_none() {
            return;
        }
        outlet.sent(packet.payload.len(), Some(&packet));
        if outlet.rtx.is_none() {
            let sealed = self.datagrams.last().map_or(&[][..], |datagram| &datagram.contents);
            outlet.sealed.keep(packet.arrival, packet.sequence as u16, sealed);
        } else if packet.rtx.is_some() {
            outlet.resends.keep(packet);
        }
    }

    /// Send the packet with these low 16 bits of its number once more (RFC 4588 section 4).
    fn resend(&mut self, now: Instant, outlet: &mut Outlet, number: u16) {
        if outlet.rtx.is_none() {
            return self.send_again(now, outlet, number);
        }
        let (_, Some(stream)) = outlet.keys(self.sealer) else { return };
        let Some(packet) = outlet.resends.take(now, number) else { return };
        let Some(payload_type) = packet.rtx else { return };
        let index = outlet.next_rtx;
        outlet.next_rtx += 1;
        if self.seal(outlet, stream, index, payload_type, Some(number), &packet).is_some() {
            outlet.sent(packet.payload.len(), None);
        }
    }

    /// The same bytes: sealing them a second time would not be (seal-once), and is not needed.
    fn send_again(&mut self, now: Instant, outlet: &mut Outlet, number: u16) {
        if let Some(contents) = outlet.sealed.take(now, number) {
            outlet.sent(contents.len(), None);
            self.datagrams.push(Datagram { path: self.path, is_video: outlet.is_video, contents });
        }
    }

    fn seal(
        &mut self,
        outlet: &Outlet,
        stream: StreamKey,
        index: u64,
        payload_type: u8,
        original: Option<u16>,
        packet: &Written,
    ) -> Option<()> {
        let header = Header {
            payload_type,
            marker: packet.marker,
            timestamp: packet.timestamp,
            mid: outlet.mid.as_bytes(),
            values: HeaderExtensions {
                playout_delay: outlet.playout.bounds(packet.extensions.playout_delay),
                ..packet.extensions
            },
            dependencies: packet.dependencies.as_ref().map(DependencyDescriptor::bytes),
            send_time: self.send_time,
            transport_sequence: *self.transport_sequence,
        };
        let dependencies = header.dependencies.map_or(0, <[u8]>::len);
        let bytes = MAX_HEADER_BYTES + dependencies + packet.payload.len() + self.sealer.rtp_overhead();
        let mut contents = self.buffers.take(bytes);
        self.sealer.seal_rtp(stream, index, &mut contents, |ssrc, index, out| {
            let header_bytes = header.write(ssrc.0, index as u16, &outlet.extensions, out);
            out.extend(original.into_iter().flat_map(u16::to_be_bytes));
            let start = out.len();
            out.extend_from_slice(&packet.payload);
            if let (Some(patch), Some(payload)) = (packet.vp8, out.get_mut(start..)) {
                patch.apply(payload);
            }
            header_bytes
        })?;
        if outlet.extensions.numbers_transport() {
            *self.transport_sequence = self.transport_sequence.wrapping_add(1);
        }
        self.datagrams.push(Datagram { path: self.path, is_video: outlet.is_video, contents });
        Some(())
    }
}
