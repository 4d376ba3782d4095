//! How much media one peer may publish: every packet is sent to all who subscribe.

use std::time::Instant;

use crate::token_bucket::{Rate, TokenBucket};

/// In bytes; a packet counts for at least [`PACKET_BYTES`] more than it holds. Large packets reach 60 Mb/s, small ones
/// 10,000 a second: several times what a camera and a screen in all layers need.
const MEDIA: Rate = Rate { per_second: 20_000_000.0, burst: 20_000_000.0 };
const PACKET_BYTES: f64 = 2000.0;
/// A peer that goes on beyond so many packets too many is removed.
const MAX_REFUSED: u32 = 20_000;

/// What is to be done with a packet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    Yes,
    No,
    /// It was one too many for too long.
    Ended,
}

#[derive(Default)]
pub(super) struct MediaAllowance {
    bucket: TokenBucket,
    refused: u32,
}

impl MediaAllowance {
    pub fn take(&mut self, now: Instant, bytes: usize) -> Allowed {
        let cost = bytes as f64 + PACKET_BYTES;
        if self.bucket.take(now, cost, MEDIA) {
            if self.bucket.is_full(cost) {
                self.refused = 0;
            }
            return Allowed::Yes;
        }
        self.refused += 1;
        if self.refused > MAX_REFUSED { Allowed::Ended } else { Allowed::No }
    }
}
