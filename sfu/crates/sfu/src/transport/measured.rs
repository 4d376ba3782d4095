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
    sent: Share,
    /// Of pictures alone: of sound, which is sent more than once where much is lost, clients tell what is still missing.
    sent_pictures: Share,
}

/// How many packets were lost.
#[derive(Default)]
struct Share {
    packets: f64,
    lost: f64,
}

impl Share {
    fn add(&mut self, packets: u64, loss: f64) {
        self.packets += packets as f64;
        self.lost += packets as f64 * loss;
    }

    fn value(&self) -> Option<f64> {
        (self.packets > 0.0).then(|| self.lost / self.packets)
    }
}

impl Measured {
    pub fn new(received_loss: Option<f64>, rtt: Option<Duration>) -> Self {
        let received_loss = received_loss.unwrap_or(0.0);
        Self { received_loss, rtt, sent: Share::default(), sent_pictures: Share::default() }
    }

    /// What the client says that it lost of a stream (RFC 3550 section 6.4.1), by the stream's packets.
    pub fn add(&mut self, stats: &SentStats) {
        // without a new report since the last statistics, the others are old as well
        let Some(loss) = stats.loss else { return };
        self.rtt = self.rtt.into_iter().chain(stats.rtt).min();
        self.sent.add(stats.packets, loss);
        if stats.is_video {
            self.sent_pictures.add(stats.packets, loss);
        }
    }

    pub fn link(&self) -> LinkStats {
        let sent_loss = self.sent.value().unwrap_or(0.0);
        let worse = self.received_loss.max(self.sent_pictures.value().unwrap_or(sent_loss));
        LinkStats { loss: worse, sent_loss, rtt: self.rtt }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_of_pictures_tells_of_the_link() {
        let of = |is_video: bool, loss: f64| SentStats {
            is_video,
            packets: 100,
            loss: Some(loss),
            rtt: None,
            jitter: None,
            keyframe_requests: 0,
        };
        let mut measured = Measured::new(Some(0.1), None);
        measured.add(&of(false, 0.04));
        assert_eq!(measured.link().loss, 0.1);
        measured.add(&of(true, 0.3));
        assert_eq!((measured.link().loss, measured.link().sent_loss), (0.3, 0.17));
        let mut sound = Measured::new(None, None);
        sound.add(&of(false, 0.2));
        assert_eq!(sound.link().loss, 0.2);
    }
}
