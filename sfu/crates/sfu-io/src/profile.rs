//! What a worker does with its time: how many packets it handles at once, and which layer takes how long.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A part of a turn of the worker's loop.
#[derive(Clone, Copy)]
pub(crate) enum Layer {
    /// System calls that receive.
    Receive,
    /// Decryption of what was received; messages and commands.
    Handle,
    /// Timers; selection, rewriting and encryption of what is sent.
    Forward,
    /// System calls that send.
    Send,
}

const LAYERS: usize = 4;
/// It is told over so long how busy a worker is.
const MEASURED: Duration = Duration::from_millis(500);

/// Counts since the worker began. Written by its thread alone.
pub(crate) struct Profile {
    since: Cell<Instant>,
    turns: Cell<u64>,
    receive_calls: Cell<u64>,
    times_ns: [Cell<u64>; LAYERS],
    /// When it was told last how busy the worker is, and the CPU time of its thread until then.
    told: Cell<(Instant, Duration)>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            since: Cell::new(Instant::now()),
            turns: Cell::default(),
            receive_calls: Cell::default(),
            times_ns: Default::default(),
            told: Cell::new((Instant::now(), Duration::ZERO)),
        }
    }
}

impl Profile {
    /// The names of all counts. Those of the sender are given to [`Profile::values`].
    pub const NAMES: [&str; 8] = [
        "turns",
        "receive_calls",
        "send_calls",
        "send_messages",
        "time_receive_us",
        "time_handle_us",
        "time_forward_us",
        "time_send_us",
    ];

    /// A turn begins: the worker has something to do.
    pub fn begin(&self) {
        self.since.set(Instant::now());
        self.turns.set(self.turns.get() + 1);
    }

    pub fn received(&self) {
        self.receive_calls.set(self.receive_calls.get() + 1);
    }

    /// The time until `now`, from the end of the last part, was spent on this one.
    pub fn ended(&self, layer: Layer, now: Instant) {
        let spent = now.saturating_duration_since(self.since.replace(now));
        if let Some(time) = self.times_ns.get(layer as usize) {
            time.set(time.get() + spent.as_nanos() as u64);
        }
    }

    /// The share of time that this thread had a processor since it was told last, in thousandths; None within half a
    /// second. Time in which it was not given one does not count: on a machine that is full, another worker has no more.
    pub fn busy(&self, now: Instant) -> Option<u64> {
        let (at, before) = self.told.get();
        let passed = now.saturating_duration_since(at);
        if passed < MEASURED {
            return None;
        }
        let spent = Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
        self.told.set((now, spent));
        Some((spent.saturating_sub(before).as_nanos() * 1000 / passed.as_nanos()) as u64)
    }

    /// All counts, in the order of [`Profile::NAMES`]. `sender`: its calls and messages.
    pub fn values(&self, sender: (u64, u64)) -> [u64; Self::NAMES.len()] {
        let [receive, handle, forward, send] = self.times_ns.each_ref().map(|time| time.get() / 1000);
        [self.turns.get(), self.receive_calls.get(), sender.0, sender.1, receive, handle, forward, send]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_gets_no_processor_is_not_busy() {
        let profile = Profile::default();
        profile.begin();
        // as if other processes had it
        std::thread::sleep(MEASURED);
        profile.ended(Layer::Send, Instant::now());
        assert!(profile.busy(Instant::now()).is_some_and(|permille| permille < 200));
        assert_eq!(profile.busy(Instant::now()), None, "told just now");
    }
}
