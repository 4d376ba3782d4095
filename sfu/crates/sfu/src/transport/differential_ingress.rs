//! What we open of a client's packets beside what str0m does: the same packets to both.

use str0m::crypto::dtls::SrtpProfile;
use str0m::media::{MediaKind, Mid, Rid};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite};

use super::pair::Pair;
use super::*;
use crate::transport::dependency::DependencyDescriptor;
use crate::transport::packet::ReceivedPacket;

/// Of each profile. All streams come to a new round of 16-bit sequence numbers.
const PACKETS: u64 = 120_000;
const FIRST: u64 = 65_000;
/// Packets that are farther behind the newest one are not looked at by str0m.
const STR0M_WINDOW: u64 = 100;

/// A stream of the client.
struct Sent {
    mid: Mid,
    rid: Option<Rid>,
    sequence: u64,
}

/// The client writes a packet of one of the section's codecs.
fn write(pair: &mut Pair, stream: &mut Sent) {
    let section = pair.client.media(stream.mid).expect("a section");
    let (negotiated, is_video) = (section.remote_pts(), section.kind().is_video());
    let codecs = pair.client.codec_config().iter().filter(|params| negotiated.contains(&params.pt()));
    let codecs: Vec<_> = codecs.copied().collect();
    let params = codecs[pair.random(codecs.len() as u64) as usize];
    let payload: Vec<u8> = (0..pair.random(1000) + 20).map(|_| pair.random(256) as u8).collect();
    let mut values = ExtensionValues {
        audio_level: (!is_video).then(|| -(pair.random(128) as i16) as i8),
        voice_activity: (!is_video).then(|| pair.random(2) == 0),
        video_orientation: is_video.then(|| (pair.random(4) as u8).into()),
        ..ExtensionValues::default()
    };
    if is_video && pair.random(2) == 0 {
        let length = [3, 8, 16, 17, 80][pair.random(5) as usize];
        let bytes: Vec<u8> = (0..length).map(|_| pair.random(256) as u8).collect();
        values.user_values.set(DependencyDescriptor::of(&bytes));
    }
    stream.sequence += 1;
    let (timestamp, marker) = (pair.random(1 << 32) as u32, pair.random(2) == 0);
    let pt = params.red().filter(|_| pair.random(2) == 0).unwrap_or(params.pt());
    let write = RtpWrite::new(pt, stream.sequence.into(), timestamp, pair.now, payload);
    let mut direct = pair.client.direct_api();
    let sending = direct.stream_tx_by_mid(stream.mid, stream.rid).expect("a stream");
    sending.write_rtp(write.marker(marker).ext_vals(values).nackable(true));
    pair.client.handle_input(Input::Timeout(pair.now)).expect("a connection");
    pair.poll_client();
}

/// A datagram goes to both. What str0m makes of it, and what we do.
fn receive(pair: &mut Pair, data: &[u8]) -> (Option<RtpPacket>, Option<ReceivedPacket>) {
    let contents = DatagramRecv::try_from(data).expect("a datagram");
    let (source, destination) = (pair.address, pair.server);
    let receive = Receive { proto: Protocol::Udp, source, destination, contents };
    pair.ours.rtc.handle_input(Input::Receive(pair.now, receive)).expect("ours");
    let mut theirs = None;
    loop {
        match pair.ours.rtc.poll_output().expect("a connection") {
            Output::Timeout(_) => break,
            Output::Event(Event::RtpPacket(packet)) => theirs = Some(packet),
            _ => {}
        }
    }
    let ours = ours(pair, data);
    (theirs, ours)
}

fn ours(pair: &mut Pair, data: &[u8]) -> Option<ReceivedPacket> {
    pair.drained.events.clear();
    let path = Path::udp(pair.server, pair.address);
    pair.ours.receive(pair.now, &mut pair.drained, path, data).expect("ours");
    pair.drained.events.drain(..).find_map(|(_, event)| match event {
        TransportEvent::Media(packet) => Some(packet),
        _ => None,
    })
}

fn compare(pair: &Pair, theirs: &RtpPacket, ours: &ReceivedPacket) {
    let (header, packet) = (&theirs.header, &ours.packet);
    let values = &header.ext_vals;
    assert_eq!((ours.ssrc.0, packet.sequence), (*header.ssrc, *theirs.seq_no));
    assert_eq!((packet.timestamp, packet.marker), (header.timestamp, header.marker));
    let extensions = packet.extensions;
    assert_eq!((extensions.audio_level, extensions.voice_activity), (values.audio_level, values.voice_activity));
    assert_eq!(extensions.video_orientation, values.video_orientation.map(|orientation| orientation as u8));
    let params = pair.ours.rtc.codec_config().iter();
    let params = params.into_iter().find(|it| it.pt() == header.payload_type || it.red() == Some(header.payload_type));
    let spec = params.expect("a codec").spec();
    assert_eq!(ours.codec.clock_rate_hz(), spec.clock_rate.get());
    if spec.codec == str0m::format::Codec::Av1 {
        assert_eq!(packet.dependencies.as_ref(), values.user_values.get::<DependencyDescriptor>());
    }
    match &packet.redundant {
        Some(redundant) => assert_eq!(redundant.payload(), &theirs.payload),
        None if params.and_then(|it| it.red()) == Some(header.payload_type) => {}
        None => assert_eq!(packet.payload, theirs.payload),
    }
}

/// What becomes of a datagram on its way: those that arrive now. `late` arrive later, five at a time.
fn fate(pair: &mut Pair, data: Vec<u8>, late: &mut Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut arriving = match pair.random(40) {
        0 => vec![],
        1 => {
            late.push(data);
            vec![]
        }
        2 => vec![data.clone(), data],
        3 => {
            let mut altered = data.clone();
            let at = pair.random(altered.len() as u64) as usize;
            altered[at] ^= 1 << pair.random(8);
            // not to str0m, in which it would take the section away from its stream
            assert!(ours(pair, &altered).is_none());
            vec![data]
        }
        _ => vec![data],
    };
    if late.len() == 5 {
        arriving.append(late);
    }
    arriving
}

/// We ask for what is missing.
fn pass_time(pair: &mut Pair) {
    pair.now += Duration::from_millis(10);
    pair.ours.advance(pair.now, &mut pair.drained).expect("ours");
    pair.drained.events.clear();
    for datagram in std::mem::take(&mut pair.drained.datagrams) {
        pair.deliver(&datagram.contents);
    }
}

fn sending(profile: SrtpProfile) -> (Pair, [Sent; 4]) {
    let kinds: [(MediaKind, &[&str]); 3] =
        [(MediaKind::Audio, &[]), (MediaKind::Video, &[]), (MediaKind::Video, &["q", "h"])];
    let (mut pair, mids) = Pair::sending(profile, &kinds);
    let layers = [(0, None), (1, None), (2, Some("q")), (2, Some("h"))];
    let streams = layers.map(|(section, rid)| Sent { mid: mids[section], rid: rid.map(Rid::from), sequence: FIRST });
    for stream in &streams {
        let mut direct = pair.client.direct_api();
        let sending = direct.stream_tx_by_mid(stream.mid, stream.rid).expect("a stream");
        sending.set_rtx_cache(2048, Duration::from_secs(10), None);
    }
    (pair, streams)
}

/// Both open the same of packets that are lost, late, sent twice, altered, or sent again.
fn open(profile: SrtpProfile) {
    let (mut pair, mut streams) = sending(profile);
    let (mut opened, mut late, mut only_ours) = (0, Vec::new(), 0);
    for round in 0..PACKETS {
        write(&mut pair, &mut streams[(round % 4) as usize]);
        let newest = streams.iter().map(|stream| stream.sequence).min().expect("streams");
        for data in std::mem::take(&mut pair.outbound) {
            for data in fate(&mut pair, data, &mut late) {
                match receive(&mut pair, &data) {
                    (Some(theirs), Some(ours)) => compare(&pair, &theirs, &ours),
                    (None, Some(ours)) => {
                        assert!(ours.packet.sequence + STR0M_WINDOW / 2 < newest, "{}", ours.packet.sequence);
                        only_ours += 1;
                    }
                    (Some(theirs), None) => panic!("only str0m opens {theirs:?}"),
                    (None, None) => continue,
                }
                opened += 1;
            }
        }
        if round % 20 == 0 {
            pass_time(&mut pair);
        }
    }
    assert!(streams.iter().all(|stream| stream.sequence > FIRST + 5000));
    // lost sound is not sent again: a fourth of a fortieth
    assert!(opened + PACKETS / 100 > PACKETS, "{opened} were opened");
    assert!(only_ours < PACKETS / 100, "{only_ours} of them by us only");
}

#[test]
fn what_a_client_sends_is_opened_as_str0m_does_with_every_profile() {
    for profile in SrtpProfile::ALL {
        open(*profile);
    }
}

/// What the sender is told, in the end, of a fourth of its packets that is asked for and comes 200 ms later.
fn told_of_late(kind: MediaKind) -> Vec<f32> {
    let (mut pair, mids) = Pair::sending(SrtpProfile::ALL[0], &[(kind, &[])]);
    let mut stream = Sent { mid: mids[0], rid: None, sequence: FIRST };
    let mut late = std::collections::VecDeque::new();
    for number in 0..400 {
        write(&mut pair, &mut stream);
        let data = pair.outbound.pop().expect("a packet");
        if number % 4 == 1 {
            late.push_back((number + 10, data));
        } else {
            ours(&mut pair, &data);
        }
        if late.front().is_some_and(|(due, _)| *due == number) {
            let (_, data) = late.pop_front().expect("a packet");
            ours(&mut pair, &data);
        }
        for _ in 0..2 {
            pair.client.handle_input(Input::Timeout(pair.now)).expect("a connection");
            pair.poll_client();
            pair.outbound.clear();
            pass_time(&mut pair);
        }
    }
    std::mem::take(&mut pair.losses)
}

#[test]
fn of_sound_its_sender_is_told_what_was_lost_and_of_pictures_what_is_missing() {
    let (sound, pictures) = (told_of_late(MediaKind::Audio), told_of_late(MediaKind::Video));
    assert!(sound.len() > 4 && sound.iter().all(|loss| *loss > 0.15), "{sound:?}");
    assert!(pictures.len() > 4 && pictures.iter().skip(1).all(|loss| *loss < 0.1), "{pictures:?}");
}
