//! Packets that are written and sealed at one instant.

use std::time::Instant;

use super::dependency::DependencyDescriptor;
use super::outlet::Outlet;
use super::packet::{HeaderExtensions, Written};
use super::rtp_header::Header;
use super::sent_packets::SentPackets;
use super::srtp::{Sealer, StreamKey};
use crate::datagram::{Buffers, Datagram, Path};

/// The most that RTP can tell of.
const PADDING_BYTES: u8 = 255;
/// The largest header that is written but for dependencies, and the number of a retransmitted packet.
const MAX_HEADER_BYTES: usize = 80;

/// Packets that are sealed and sent at one instant.
pub(super) struct Batch<'a> {
    pub now: Instant,
    pub sealer: &'a mut Sealer,
    pub path: Path,
    pub send_time: [u8; 3],
    pub sent: &'a mut SentPackets,
    /// How often sound is sent once more.
    pub copies: u16,
    pub buffers: &'a mut Buffers,
    pub datagrams: &'a mut Vec<Datagram>,
}

impl Batch<'_> {
    pub fn send(&mut self, outlet: &mut Outlet, packet: Written) {
        let (stream, _) = outlet.keys(self.sealer);
        if self.seal(outlet, stream, packet.sequence, packet.payload_type, None, &packet).is_none() {
            return;
        }
        outlet.sent(packet.payload().len(), Some(&packet));
        if outlet.rtx.is_none() {
            let sealed = self.datagrams.last().map_or(&[][..], |datagram| &datagram.contents);
            outlet.sealed.keep(packet.source.arrival, packet.sequence as u16, sealed);
            self.repeat(outlet, packet.sequence as u16);
        } else if packet.rtx.is_some() {
            outlet.resends.keep(packet);
        }
    }

    /// Send the packet with these low 16 bits of its number once more (RFC 4588 section 4).
    pub fn resend(&mut self, outlet: &mut Outlet, number: u16) {
        if outlet.rtx.is_none() {
            return self.send_again(outlet, number);
        }
        let (_, Some(stream)) = outlet.keys(self.sealer) else { return };
        let Some(packet) = outlet.resends.take(self.now, number) else { return };
        let Some(payload_type) = packet.rtx else { return };
        let index = outlet.next_rtx;
        outlet.next_rtx += 1;
        if self.seal(outlet, stream, index, payload_type, Some(number), &packet).is_some() {
            outlet.sent(packet.payload().len(), None);
        }
    }

    /// The same bytes: sealing them a second time would not be (seal-once), and is not needed.
    fn send_again(&mut self, outlet: &mut Outlet, number: u16) {
        if let Some(contents) = outlet.sealed.take(self.now, number) {
            outlet.sent(contents.len(), None);
            self.datagrams.push(Datagram { path: self.path, is_video: outlet.is_video, contents });
        }
    }

    /// Send the sound before this packet once more.
    fn repeat(&mut self, outlet: &mut Outlet, number: u16) {
        let copies = if outlet.is_video { 0 } else { self.copies };
        for back in (1..=copies).rev() {
            if let Some(contents) = outlet.sealed.copy(number.wrapping_sub(back)) {
                outlet.sent(contents.len(), None);
                self.datagrams.push(Datagram { path: self.path, is_video: false, contents });
            }
        }
    }

    /// Send a packet of nothing but padding (RFC 3550 section 5.1), which tells what the link carries. Its bytes.
    pub fn pad(
        &mut self,
        outlet: &mut Outlet,
        (stream, payload_type, timestamp): (StreamKey, u8, u32),
    ) -> Option<usize> {
        let index = outlet.next_rtx;
        outlet.next_rtx += 1;
        let values = HeaderExtensions::default();
        let header = Header { is_padded: true, payload_type, timestamp, ..self.header(outlet, values) };
        self.seal_packet(outlet, stream, index, &header, usize::from(PADDING_BYTES), |out| {
            out.resize(out.len() + usize::from(PADDING_BYTES - 1), 0);
            out.push(PADDING_BYTES);
        })?;
        self.datagrams.last().map(|datagram| datagram.contents.len())
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
        let playout_delay = outlet.playout.bounds(packet.source.extensions.playout_delay);
        let header = Header {
            payload_type,
            marker: packet.marker,
            timestamp: packet.timestamp,
            dependencies: packet.source.dependencies.as_ref().map(DependencyDescriptor::bytes),
            ..self.header(outlet, HeaderExtensions { playout_delay, ..packet.source.extensions })
        };
        self.seal_packet(outlet, stream, index, &header, packet.payload().len(), |out| {
            out.extend(original.into_iter().flat_map(u16::to_be_bytes));
            let start = out.len();
            out.extend_from_slice(packet.payload());
            if let (Some(patch), Some(payload)) = (packet.vp8, out.get_mut(start..)) {
                patch.apply(payload);
            }
        })
    }

    /// What the headers of all packets of a stream have in common.
    fn header<'b>(&self, outlet: &'b Outlet, values: HeaderExtensions) -> Header<'b> {
        Header {
            payload_type: 0,
            marker: false,
            is_padded: false,
            timestamp: 0,
            mid: outlet.mid.as_bytes(),
            values,
            dependencies: None,
            send_time: self.send_time,
            transport_sequence: self.sent.next_number(),
        }
    }

    /// `write` appends so many bytes behind the header.
    fn seal_packet(
        &mut self,
        outlet: &Outlet,
        stream: StreamKey,
        index: u64,
        header: &Header<'_>,
        bytes: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<()> {
        let dependencies = header.dependencies.map_or(0, <[u8]>::len);
        let bytes = MAX_HEADER_BYTES + dependencies + bytes + self.sealer.rtp_overhead();
        let mut contents = self.buffers.take(bytes);
        self.sealer.seal_rtp(stream, index, &mut contents, |ssrc, index, out| {
            let header_bytes = header.write(ssrc.0, index as u16, &outlet.extensions, out);
            write(out);
            header_bytes
        })?;
        if outlet.extensions.numbers_transport() {
            self.sent.add(self.now, contents.len(), !outlet.is_video);
        }
        self.datagrams.push(Datagram { path: self.path, is_video: outlet.is_video, contents });
        Some(())
    }
}
