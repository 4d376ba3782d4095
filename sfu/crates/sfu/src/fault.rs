//! Places where a test can have a defect happen. Nothing of it is in the server.

use crate::ids::PeerKey;

/// Where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// In taking a publisher's packet in.
    Receiving(PeerKey),
    /// In giving a packet a subscriber's numbers.
    Rewriting(PeerKey),
    /// In looking at a published track from time to time.
    Ticking(PeerKey),
    /// In answering an offer.
    Negotiating(PeerKey),
}

#[cfg(not(test))]
#[inline(always)]
pub(crate) fn point(_: Fault) {}

#[cfg(test)]
pub(crate) use injected::{arm, point};

#[cfg(test)]
mod injected {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static ARMED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Have it happen once.
    pub(crate) fn arm(fault: Fault) {
        ARMED.set(Some(fault));
    }

    pub(crate) fn point(fault: Fault) {
        if ARMED.get() == Some(fault) {
            ARMED.set(None);
            panic!("on purpose");
        }
    }
}
