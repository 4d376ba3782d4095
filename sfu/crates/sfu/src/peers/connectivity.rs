//! Whether a peer can be reached, and which changes of that signalling has to know.

use std::time::{Duration, Instant};

/// A peer that is silent this long is reported as disconnected. Browsers check their connection every 2.5 s.
const SILENCE: Duration = Duration::from_secs(10);

/// Who receives pictures tells so all the time: one that is silent this long has not received them.
const AWAY: Duration = Duration::from_secs(3);

pub(super) struct Connectivity {
    last_received: Instant,
    /// It was silent before the last datagram.
    was_away: bool,
    is_up: bool,
    /// The loss was reported.
    is_lost: bool,
    /// An offer was answered: the client may connect.
    is_negotiated: bool,
}

impl Connectivity {
    pub fn new(now: Instant) -> Self {
        Self { last_received: now, was_away: false, is_up: false, is_lost: false, is_negotiated: false }
    }

    pub fn is_up(&self) -> bool {
        self.is_up
    }

    pub fn is_negotiated(&self) -> bool {
        self.is_negotiated
    }

    pub fn received(&mut self, now: Instant) {
        self.was_away |= self.is_up && now.saturating_duration_since(self.last_received) >= AWAY;
        self.last_received = now;
    }

    /// True once after a silence.
    pub fn is_back(&mut self) -> bool {
        std::mem::take(&mut self.was_away)
    }

    /// An offer was answered. The first one starts the clock.
    pub fn negotiated(&mut self, now: Instant) {
        if !self.is_negotiated {
            self.last_received = now;
        }
        self.is_negotiated = true;
    }

    /// ICE and DTLS are up.
    pub fn connected(&mut self) {
        self.is_up = true;
        self.is_lost = false;
    }

    /// True if a peer that was reported as lost is back.
    pub fn is_recovered(&mut self) -> bool {
        let is_back = self.is_up && self.is_lost;
        self.is_lost &= !is_back;
        is_back
    }

    /// The client closed its end in an orderly way: what is received from it later does not bring it back. True if
    /// the loss is to be reported.
    pub fn closed(&mut self) -> bool {
        self.is_up = false;
        !std::mem::replace(&mut self.is_lost, true)
    }

    /// True if the peer has become silent and that is to be reported.
    pub fn is_newly_silent(&mut self, now: Instant) -> bool {
        let is_silent = now.saturating_duration_since(self.last_received) >= SILENCE;
        if !is_silent || !self.is_negotiated || self.is_lost {
            return false;
        }
        self.is_lost = true;
        true
    }
}
