//! Statistics of a connection.

use std::time::Duration;

use str0m::stats::PeerStats;

use super::drained::{Drained, TransportEvent};
use super::link_report::LinkReport;
use super::measured::{Measured, SentStats};
use super::reception::ReceivedStats;

/// Tell those of one interval: what str0m knows of the connection, what was received on it, and what was sent.
pub(super) fn tell(
    connection: &PeerStats,
    (received, rtt): (ReceivedStats, Option<Duration>),
    sent: impl Iterator<Item = SentStats>,
    drained: &mut Drained,
) {
    let rtt = connection.rtt.or(rtt);
    let (mut measured, mut report) = (Measured::new(received.loss(), rtt), LinkReport::new(connection, received, rtt));
    for sent in sent {
        measured.add(&sent);
        report.add_sent(&sent);
    }
    drained.push(TransportEvent::Stats(measured.link()));
    drained.push(TransportEvent::Report(Box::new(report)));
}
