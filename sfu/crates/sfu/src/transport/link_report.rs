//! What the statistics of a connection tell of it in detail, for those who operate the server.

use std::net::SocketAddr;
use std::time::Duration;

use str0m::media::MediaKind;
use str0m::net::Protocol;
use str0m::stats::{MediaIngressStats, PeerStats};

use super::measured::SentStats;

const AUDIO_CLOCK_HZ: u64 = 48_000;
const VIDEO_CLOCK_HZ: u64 = 90_000;

/// Measurements of one reporting interval; None where nothing was reported in it.
#[derive(Clone, Debug)]
pub(crate) struct LinkReport {
    /// The client's end of the path that ICE has chosen, and the transport protocol's name.
    pub remote: Option<(SocketAddr, &'static str)>,
    pub rtt: Option<Duration>,
    /// Share of the client's packets that are missing here, 0.0 to 1.0.
    pub received_loss: Option<f64>,
    /// Of the stream that has most of it.
    pub received_jitter: Option<Duration>,
    /// Share of the packets to the client that it is missing, 0.0 to 1.0.
    pub sent_loss: Option<f64>,
    pub sent_jitter: Option<Duration>,
    /// How often the client asked for a key frame since it came: each time it could not decode a picture, or began.
    pub keyframe_requests: u64,
    sent_packets: f64,
    lost_packets: f64,
}

impl LinkReport {
    pub(super) fn new(stats: &PeerStats) -> Self {
        let pair = stats.selected_candidate_pair.as_ref();
        Self {
            remote: pair.map(|pair| (pair.remote.addr, protocol_name(pair.protocol))),
            rtt: stats.rtt.or(pair.and_then(|pair| pair.current_round_trip_time)),
            received_loss: stats.ingress_loss_fraction.map(f64::from),
            received_jitter: None,
            sent_loss: None,
            sent_jitter: None,
            keyframe_requests: 0,
            sent_packets: 0.0,
            lost_packets: 0.0,
        }
    }

    pub(super) fn add_received(&mut self, stats: &MediaIngressStats, kind: MediaKind) {
        self.received_jitter = self.received_jitter.max(Some(jitter(stats.jitter, kind)));
    }

    /// What the client says of a stream to it (RFC 3550 section 6.4.1).
    pub(super) fn add_sent(&mut self, stats: &SentStats) {
        self.keyframe_requests += stats.keyframe_requests;
        self.rtt = self.rtt.or(stats.rtt);
        if let Some(units) = stats.jitter {
            let kind = if stats.is_video { MediaKind::Video } else { MediaKind::Audio };
            self.sent_jitter = self.sent_jitter.max(Some(jitter(units, kind)));
        }
        if let Some(loss) = stats.loss {
            self.sent_packets += stats.packets as f64;
            self.lost_packets += stats.packets as f64 * loss;
            self.sent_loss = (self.sent_packets > 0.0).then(|| self.lost_packets / self.sent_packets);
        }
    }
}

fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp => "tcp",
        Protocol::Tls | Protocol::SslTcp => "tls",
    }
}

/// Jitter is told in units of the stream's clock.
fn jitter(units: u32, kind: MediaKind) -> Duration {
    let clock_hz = if kind == MediaKind::Audio { AUDIO_CLOCK_HZ } else { VIDEO_CLOCK_HZ };
    Duration::from_micros(u64::from(units) * 1_000_000 / clock_hz)
}
