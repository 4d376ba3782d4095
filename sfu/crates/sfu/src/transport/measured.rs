//! Loss and round-trip time of a connection, from the statistics of its streams.

use std::time::Duration;

/// Measurements of one reporting interval.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinkStats {
    /// Share of packets lost in the worse direction, 0.0 to 1.0.
    pub loss: f64,
    /// Share of what was sent to the client that it lost, 0.0 to 1.0.
    pub sent_loss: f64,
    /// The shortest of those that the client's reports tell.
    pub rtt: Option<Duration>,
}

/// Of one stream that is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct SentStats {
    pub is_video: bool,
    /// Since the stream began.
    pub packets: u64,
    /// Share that the client has lost, 0.0 to 1.0; None without a report in this interval.
    pub loss: Option<f64>,
    pub rtt: Option<Duration>,
    /// In units of the codec's clock.
    pub jitter: Option<u32>,
    /// Since the stream began.
    pub keyframe_requests: u64,
}

/// Statistics of one instant, while they are read.
pub(super) struct Measured {
    received_loss: f64,
    rtt: Option<Duration>,
    sent_packets: f64,
    lost_packets: f64,
}

impl Measured {
    pub fn new(received_loss: Option<f64>, rtt: Option<Duration>) -> Self {
        Self { received_loss: received_loss.unwrap_or(0.0), rtt, sent_packets: 0.0, lost_packets: 0.0 }
    }

    /// What the client says that it lost of a stream (RFC 3550 section 6.4.1), by the stream's packets.
    pub fn add(&mut self, stats: &SentStats) {
        // without a new report since the last statistics, the others are old as well
        let Some(loss) = stats.loss else { return };
        self.rtt = self.rtt.into_iter().chain(stats.rtt).min();
        self.sent_packets += stats.packets as f64;
        self.lost_packets += stats.packets as f64 * loss;
    }

    pub fn link(&self) -> LinkStats {
        let sent_loss = if self.sent_packets > 0.0 { self.lost_packets / self.sent_packets } else { 0.0 };
        LinkStats { loss: self.received_loss.max(sent_loss), sent_loss, rtt: self.rtt }
    }
}
