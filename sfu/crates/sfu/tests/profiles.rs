//! Which profiles of H.264 browsers and we agree on, by recorded offers (`RTCPeerConnection.createOffer`, one video).

use std::time::Instant;

use tertulia_sfu::{Codecs, Command, Event, PeerId, Shard, ShardConfig, ShardId};

const OFFERS: [(&str, &str); 2] = [
    ("Chromium 156 sends", include_str!("offers/chromium_sends.sdp")),
    ("Chromium 156 receives", include_str!("offers/chromium_receives.sdp")),
];

fn answer(offer: &str) -> String {
    let config = ShardConfig::new(&["192.0.2.1:7882".parse().unwrap()]).unwrap();
    let (mut shard, now, peer) = (Shard::new(ShardId(0), config), Instant::now(), PeerId::from("PA_a"));
    shard.handle_command(now, Command::AddPeer { peer: peer.clone(), codecs: Codecs::ALL });
    shard.handle_command(now, Command::Offer { peer, offer_id: 1, sdp: offer.into() });
    let answered = shard.output().events.drain(..).find_map(|event| match event {
        Event::Answered { sdp, .. } => Some(sdp),
        _ => None,
    });
    answered.expect("an answer")
}

/// Of each payload type of H.264, in order of preference: its profile and whether pictures may be cut.
fn profiles(sdp: &str) -> Vec<(&str, bool)> {
    let video = sdp.split("\r\nm=video ").nth(1).expect("a video");
    let types = video.lines().next().expect("a line").split(' ').skip(2);
    let format = |payload_type: &str| {
        let prefix = format!("a=fmtp:{payload_type} ");
        let format = video.lines().find_map(|line| line.strip_prefix(&*prefix))?;
        let profile = format.split(';').find_map(|each| each.trim().strip_prefix("profile-level-id="))?;
        Some((profile, format.contains("packetization-mode=1")))
    };
    types.filter_map(format).collect()
}

#[test]
fn everybody_sends_and_receives_the_constrained_baseline() {
    for (name, offer) in OFFERS {
        let answer = answer(offer);
        assert!(profiles(offer).iter().any(|(profile, _)| profile.eq_ignore_ascii_case("42e01f")), "{name}");
        assert_eq!(profiles(&answer), [("42e01f", true), ("42e01f", false)], "{name}: {answer}");
    }
}
