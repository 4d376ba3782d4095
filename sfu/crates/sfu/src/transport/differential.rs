//! What we write and seal beside what str0m would: the same packets through both, and a client that opens ours.

#[path = "differential_ingress.rs"]
mod ingress;
#[path = "differential_pair.rs"]
mod pair;

use std::collections::BTreeMap;

use str0m::crypto::dtls::SrtpProfile;
use str0m::media::Pt;
use str0m::net::{DatagramRecv, Protocol};
use str0m::rtp::{ExtensionValues, RtpWrite, Vp8Descriptor};

use self::pair::{Pair, Stream};
use super::*;
use crate::transport::codec::PayloadType;
use crate::transport::dependency::DependencyDescriptor;
use crate::transport::packet::{HeaderExtensions, Packet, unwrap_redundant};
use crate::transport::reports;
use crate::transport::scalability::TemporalPart;
use crate::transport::vp8::{self, Vp8Numbers, Vp8Patch};

/// Of each profile. Both streams come to a new round of 16-bit sequence numbers.
const PACKETS: u64 = 220_000;
/// Ids of extensions in str0m's map for clients.
const SEND_TIME: u8 = 2;
const MID: u8 = 4;

/// The header of an RTP packet, readable, and the rest.
#[derive(Debug, PartialEq)]
struct Readable {
    fixed: Vec<u8>,
    form: u16,
    extensions: BTreeMap<u8, Vec<u8>>,
    bytes: usize,
}

impl Readable {
    /// Without the time of sending, which is that of another clock.
    fn parse(packet: &[u8]) -> Self {
        let form = u16::from_be_bytes([packet[12], packet[13]]);
        let end = 16 + 4 * usize::from(u16::from_be_bytes([packet[14], packet[15]]));
        let (mut at, mut extensions) = (16, BTreeMap::new());
        while at < end {
            let (id, length, header) = match (packet[at], form) {
                (0, _) => (0, 0, 1),
                (first, 0xBEDE) => (first >> 4, usize::from(first & 15) + 1, 1),
                (first, _) => (first, usize::from(packet[at + 1]), 2),
            };
            if id > 0 {
                extensions.insert(id, packet[at + header..at + header + length].to_vec());
            }
            at += header + length;
        }
        assert_eq!(extensions.remove(&SEND_TIME).map(|time| time.len()), Some(3));
        Self { fixed: packet[..12].to_vec(), form, extensions, bytes: end }
    }
}

/// A packet of one of the stream's codecs, its payload types, and what its VP8 counters become.
fn packet(pair: &mut Pair, stream: &Stream) -> (Packet, PayloadTypes, Option<Vp8Numbers>) {
    let params = stream.codecs[pair.random(stream.codecs.len() as u64) as usize];
    let length = pair.random(1000) as usize + 20;
    let mut payload: Vec<u8> = (0..length).map(|_| pair.random(256) as u8).collect();
    let redundant = params.red().filter(|_| pair.random(2) == 0);
    if redundant.is_some() {
        payload.splice(..5, [0x80 | *params.pt(), 0, 0, 4, *params.pt()]);
    }
    let (plain, redundant) = (PayloadType(*params.pt()), redundant.map(|red| PayloadType(*red)));
    let has_dependencies = params.spec().codec == str0m::format::Codec::Av1;
    let is_vp8 = params.spec().codec == str0m::format::Codec::Vp8;
    let numbers = Vp8Numbers {
        picture_id: Some(pair.random(0x8000) as u16),
        tl0_pic_idx: Some(pair.random(256) as u8),
        key_idx: Some(pair.random(32) as u8),
    };
    let (payload, redundant_payload) = match redundant {
        Some(_) => unwrap_redundant(&payload.into()),
        None => (payload.into(), None),
    };
    let vp8 = vp8::Vp8Descriptor::parse(&payload).filter(|_| is_vp8);
    let dependencies = has_dependencies.then(|| {
        let length = [3, 3, 8, 16, 17, 80][pair.random(6) as usize];
        DependencyDescriptor::of(&(0..length).map(|_| pair.random(256) as u8).collect::<Vec<_>>())
    });
    let packet = Packet {
        layer: 0,
        spatial: None,
        temporal: TemporalPart::default(),
        sequence: 0,
        timestamp: 0,
        marker: false,
        keyframe: true,
        vp8,
        payload,
        redundant: redundant_payload,
        arrival: pair.now,
        sender_clock_us: None,
        extensions: extensions(pair),
        dependencies,
    };
    (packet, PayloadTypes { plain, redundant }, vp8.map(|_| numbers))
}

fn extensions(pair: &mut Pair) -> HeaderExtensions {
    HeaderExtensions {
        audio_level: (pair.random(2) == 0).then(|| -(pair.random(128) as i16) as i8),
        voice_activity: Some(pair.random(2) == 0),
        video_orientation: (pair.random(4) == 0).then(|| pair.random(4) as u8),
        playout_delay: (pair.random(4) == 0).then(|| (pair.random(4096) as u16, pair.random(4096) as u16)),
    }
}

/// Send one packet through both. Returns ours, sealed, and what is sealed in it.
fn send(pair: &mut Pair, stream: &mut Stream) -> (Vec<u8>, Vec<u8>) {
    let (packet, payload_types, numbers) = packet(pair, stream);
    let packet = Arc::new(packet);
    stream.sequence += [1, 1, 1, 1, 1, 1, 2, 5][pair.random(8) as usize];
    let (timestamp, marker) = (pair.random(1 << 32) as u32, pair.random(2) == 0);
    let outgoing = Outgoing {
        ssrc: stream.ssrc,
        payload_types,
        sequence: stream.sequence,
        timestamp,
        instant: pair.now,
        vp8: numbers.map(Vp8Patch::new),
        marker,
        packet: &packet,
    };
    let write = through_str0m(&outgoing, numbers);
    assert!(pair.ours.send(outgoing));
    pair.ours.flush(pair.now, &mut pair.buffers, &mut pair.drained);
    let sealed = only_repeated(pair);
    let mut direct = pair.ours.rtc.direct_api();
    direct.stream_tx(&stream.ssrc.0.into()).expect("a stream").write_rtp(write);
    pair.ours.rtc.handle_input(Input::Timeout(pair.now)).expect("ours");
    let (mut media, reports) = pair.poll_str0m();
    compare_reports(pair, &reports);
    assert_eq!(media.len(), 1);
    (sealed, media.remove(0))
}

/// The one datagram that is new; others are sound that goes once more, as it was sealed.
fn only_repeated(pair: &mut Pair) -> Vec<u8> {
    let mut sent = pair.drained.datagrams.drain(..).map(|datagram| datagram.contents);
    let sealed = sent.next().expect("a datagram");
    assert!(sent.all(|copy| pair.sealed.contains(&copy)));
    pair.sealed.truncate(7);
    pair.sealed.push_front(sealed.clone());
    sealed
}

/// The same for str0m.
fn through_str0m(outgoing: &Outgoing<'_>, numbers: Option<Vp8Numbers>) -> RtpWrite {
    let packet = outgoing.packet;
    let (plain, red) = (outgoing.payload_types.plain, outgoing.payload_types.redundant);
    let (pt, payload) = match (&packet.redundant, red) {
        (Some(redundant), Some(red)) => (red, redundant.payload().clone()),
        _ => (plain, packet.payload.clone()),
    };
    let delay = |hundredths: u16| str0m::media::MediaTime::from_hundredths(u64::from(hundredths));
    let extensions = packet.extensions;
    let mut values = ExtensionValues {
        audio_level: extensions.audio_level,
        voice_activity: extensions.voice_activity,
        video_orientation: extensions.video_orientation.map(Into::into),
        play_delay_min: extensions.playout_delay.map(|(min, _)| delay(min)),
        play_delay_max: extensions.playout_delay.map(|(_, max)| delay(max)),
        ..ExtensionValues::default()
    };
    if let Some(dependencies) = &packet.dependencies {
        values.user_values.set(dependencies.clone());
    }
    let pt = Pt::new_with_value(pt.0);
    let patch = numbers.and_then(|numbers| patch(&payload, numbers));
    let write = RtpWrite::new(pt, outgoing.sequence.into(), outgoing.timestamp, outgoing.instant, payload)
        .marker(outgoing.marker)
        .ext_vals(values)
        .nackable(true);
    match patch {
        Some(patch) => write.vp8_patch(patch),
        None => write,
    }
}

/// Sender reports tell what str0m would, had it sent the same.
fn compare_reports(pair: &mut Pair, reports: &[Vec<u8>]) {
    for report in reports {
        let (now, outgoing) = (pair.now, &mut pair.ours.outgoing);
        let completed = reports::complete(report, |ssrc, ntp| outgoing.of_ssrc(ssrc)?.report(now, ntp));
        if report[1] == 200 {
            assert_eq!(completed, *report);
        }
    }
}

/// str0m's way to the same counters.
fn patch(payload: &[u8], numbers: Vp8Numbers) -> Option<str0m::rtp::Vp8Patch> {
    let descriptor = Vp8Descriptor::parse(payload).ok()?;
    let mut patch = descriptor.patch();
    if let Some(id) = descriptor.picture_id().and(numbers.picture_id) {
        let is_long = payload[2] & 0x80 != 0;
        patch = patch.picture_id(if is_long { id } else { id & 0x7f });
    }
    if let Some(index) = descriptor.tl0_pic_idx().and(numbers.tl0_pic_idx) {
        patch = patch.tl0_pic_idx(index);
    }
    if let Some(index) = descriptor.key_idx().and(numbers.key_idx) {
        patch = patch.key_idx(index);
    }
    patch.build().ok()
}

/// The headers are the same, but that ours names the section also where str0m takes it for known. Retransmissions
/// (without `with_number`) are numbered from another start.
fn compare_headers(sealed: &[u8], readable: &[u8], with_number: bool) -> usize {
    let (mut ours, mut theirs) = (Readable::parse(sealed), Readable::parse(readable));
    let bytes = theirs.bytes;
    if !theirs.extensions.contains_key(&MID) {
        theirs.extensions.extend(ours.extensions.get(&MID).map(|mid| (MID, mid.clone())));
        theirs.bytes = ours.bytes;
    }
    if !with_number {
        [&mut ours, &mut theirs].into_iter().for_each(|it| drop(it.fixed.drain(2..4)));
    }
    assert_eq!(ours, theirs);
    bytes
}

/// What was sent on each stream, by number: to be compared with what the client opens.
type SentPayloads = BTreeMap<(u32, u64), Vec<u8>>;

/// The client opens a datagram of ours: it gets what was sealed, as the packet of this number.
fn open(pair: &mut Pair, sent: &SentPayloads, sealed: &[u8]) {
    pair.deliver(sealed);
    for packet in pair.opened.drain(..) {
        let payload = sent.get(&(*packet.header.ssrc, *packet.seq_no)).expect("a number that was sent");
        assert_eq!(*packet.payload, **payload);
    }
}

/// What the client asks for goes through both. Returns how many were sent again.
fn resend(pair: &mut Pair, sent: &SentPayloads) -> usize {
    pair.pass_time();
    let mut resent = 0;
    for data in std::mem::take(&mut pair.feedback) {
        let contents = DatagramRecv::try_from(&*data).expect("a datagram");
        let (source, destination) = (pair.address, pair.server);
        let receive = Receive { proto: Protocol::Udp, source, destination, contents };
        pair.ours.rtc.handle_input(Input::Receive(pair.now, receive)).expect("ours");
        let (theirs, _) = pair.poll_str0m();
        let ours = &mut pair.ours;
        let compound = ours.sending.open_reports(&data).expect("authentic reports");
        ours.sending.read_reports(pair.now, &mut ours.outgoing, &compound, &mut pair.drained);
        let again = std::mem::take(&mut pair.drained.datagrams);
        assert_eq!(again.len(), theirs.len());
        resent += again.len();
        for (sealed, readable) in again.into_iter().zip(theirs) {
            compare_headers(&sealed.contents, &readable, false);
            open(pair, sent, &sealed.contents);
        }
    }
    resent
}

fn compare(profile: SrtpProfile) {
    let (mut pair, mut streams) = Pair::new(profile);
    let (mut sent, mut late, mut resent) = (SentPayloads::new(), Vec::new(), 0);
    for round in 0..PACKETS {
        let stream = &mut streams[usize::from(round % 4 > 0)];
        let (sealed, readable) = send(&mut pair, stream);
        let header = compare_headers(&sealed, &readable, true);
        sent.insert((stream.ssrc.0, stream.sequence), readable[header..].to_vec());
        match pair.random(20) {
            0 => {}
            1 => late.push(sealed),
            _ => {
                open(&mut pair, &sent, &sealed);
                pair.buffers.put_back(sealed);
            }
        }
        if late.len() == 3 {
            late.drain(..).rev().for_each(|sealed| open(&mut pair, &sent, &sealed));
        }
        if round % 50 == 0 {
            resent += resend(&mut pair, &sent);
        }
    }
    assert!(streams.iter().all(|stream| stream.sequence > 1 << 16));
    assert!(resent > PACKETS as usize / 100, "{resent} were resent");
}

#[test]
fn sound_that_is_asked_for_is_sent_again_as_it_was_sealed() {
    let (mut pair, mut streams) = Pair::new(SrtpProfile::AEAD_AES_128_GCM);
    let sound = &mut streams[0];
    let ask = |pair: &mut Pair, stream: &Stream| {
        let mut compound = Vec::new();
        reports::push_nack(stream.ssrc, &[stream.sequence as u16], &mut compound);
        let (now, ours) = (pair.now, &mut pair.ours);
        ours.sending.read_reports(now, &mut ours.outgoing, &compound, &mut pair.drained);
        pair.drained.datagrams.drain(..).map(|datagram| datagram.contents).collect::<Vec<_>>()
    };
    send(&mut pair, sound);
    assert!(ask(&mut pair, sound).is_empty(), "nothing is kept for clients that do not ask");
    let (sealed, _) = send(&mut pair, sound);
    for _ in 0..2 {
        assert_eq!(ask(&mut pair, sound), std::slice::from_ref(&sealed));
    }
    pair.deliver(&sealed);
    assert_eq!(pair.opened.len(), 1);
}

#[test]
fn what_str0m_would_send_is_sent_and_opened_with_every_profile() {
    for profile in SrtpProfile::ALL {
        compare(*profile);
    }
}
