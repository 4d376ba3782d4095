//! Statistics of a connection, collected until those of one instant are complete.

use str0m::media::MediaKind;
use str0m::stats::{MediaIngressStats, PeerStats};

use super::drained::{Drained, TransportEvent};
use super::link_report::LinkReport;
use super::measured::{Measured, SentStats};

#[derive(Default)]
pub(super) struct Statistics {
    newest: Option<(Measured, Box<LinkReport>)>,
}

impl Statistics {
    /// Of the connection, and of what it sends; those of what it receives, of the same instant, follow.
    pub fn connection(&mut self, stats: &PeerStats, sent: impl Iterator<Item = SentStats>) {
        let (mut measured, mut report) = (Measured::new(stats), LinkReport::new(stats));
        for sent in sent {
            measured.add(&sent);
            report.add_sent(&sent);
        }
        self.newest = Some((measured, Box::new(report)));
    }

    /// Of one section that is received.
    pub fn received(&mut self, stats: &MediaIngressStats, kind: Option<MediaKind>) {
        if let (Some((_, report)), Some(kind)) = (&mut self.newest, kind) {
            report.add_received(stats, kind);
        }
    }

    /// Tell those that are complete.
    pub fn take(&mut self, drained: &mut Drained) {
        if let Some((measured, report)) = self.newest.take() {
            drained.push(TransportEvent::Stats(measured.link()));
            drained.push(TransportEvent::Report(report));
        }
    }
}
