//! Loss and round-trip time of a peer's link, rounded so that only perceptible changes are reported.

use crate::transport::LinkStats;

/// Loss is compared in steps of 1 %.
const LOSS_STEPS: f64 = 100.0;
/// Round-trip times are compared in steps of this many milliseconds.
const RTT_STEP_MS: u32 = 10;

/// The last report.
#[derive(Default)]
pub(super) struct LinkQuality {
    reported: Option<(f64, u32)>,
}

impl LinkQuality {
    /// The loss (0.0 to 1.0) and round-trip time (ms) to report, None if they are as before.
    pub fn update(&mut self, stats: &LinkStats) -> Option<(f64, u32)> {
        let loss = (stats.loss * LOSS_STEPS).round() / LOSS_STEPS;
        let rtt_ms = stats.rtt.map_or(0, |rtt| u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX));
        let rounded = (loss, rtt_ms.div_ceil(RTT_STEP_MS).saturating_mul(RTT_STEP_MS));
        if self.reported == Some(rounded) {
            return None;
        }
        self.reported = Some(rounded);
        Some((loss, rtt_ms))
    }
}
