//! What the statistics of a connection tell of it in detail, for those who operate the server.

use std::net::SocketAddr;
use std::time::Duration;

use str0m::net::Protocol;
use str0m::stats::PeerStats;

use super::measured::SentStats;
use super::reception::ReceivedStats;

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
    pub(super) fn new(stats: &PeerStats, received: ReceivedStats, rtt: Option<Duration>) -> Self {
        let pair = stats.selected_candidate_pair.as_ref();
        Self {
            remote: pair.map(|pair| (pair.remote.addr, protocol_name(pair.protocol))),
            rtt: rtt.or(pair.and_then(|pair| pair.current_round_trip_time)),
            received_loss: received.loss(),
            received_jitter: received.jitter,
            sent_loss: None,
            sent_jitter: None,
            keyframe_requests: 0,
            sent_packets: 0.0,
            lost_packets: 0.0,
        }
    }

    /// What the client says of a stream to it (RFC 3550 section 6.4.1).
    pub(super) fn add_sent(&mut self, stats: &SentStats) {
        self.keyframe_requests += stats.keyframe_requests;
        self.rtt = self.rtt.or(stats.rtt);
        if let Some(units) = stats.jitter {
            self.sent_jitter = self.sent_jitter.max(Some(jitter(units, stats.is_video)));
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
fn jitter(units: u32, is_video: bool) -> Duration {
    let clock_hz = if is_video { VIDEO_CLOCK_HZ } else { AUDIO_CLOCK_HZ };
    Duration::from_micros(u64::from(units) * 1_000_000 / clock_hz)
}
