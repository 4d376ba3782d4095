//! A peer's data channels, and messages that wait to be sent on them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::channel::ChannelId;
use str0m::{Rtc, RtcError};

use crate::data::DataMessage;
use crate::media::Channel;

/// Data that may wait for a peer, besides the 128 KiB that str0m keeps. Senders that obey flow control (see
/// [`DataFlow`](crate::data::DataFlow)) do not come near.
const MAX_WAITING_BYTES: usize = 3 * 1024 * 1024;
/// Above this much waiting data its senders have to share.
const SQUEEZE_BYTES: usize = 1536 * 1024;
/// A peer that takes less than this in a period loses what waits for it: it must not hold up everyone it is sent from.
const PERIOD: Duration = Duration::from_secs(5);
const MIN_TAKEN_BYTES: usize = 32 * 1024;
/// Above this much unsent data, lossy messages are dropped rather than sent late.
const MAX_LOSSY_BUFFERED_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Channels {
    open: Vec<(Channel, ChannelId)>,
    /// Opened, but not set up yet.
    to_set_up: Vec<ChannelId>,
    is_writable: bool,
    waiting: VecDeque<(ChannelId, Arc<DataMessage>)>,
    waiting_bytes: usize,
    /// When the current period began, and how much of the waiting data was taken in it.
    taken: Option<(Instant, usize)>,
    /// Data was dropped, and the buffer has not become low since: nothing waits for it meanwhile.
    is_lagging: bool,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Accepted,
    Dropped,
    /// Dropped, as the first one since the peer could keep up.
    Lost,
}

impl Channels {
    /// The client opened a channel. None for a label that is not relayed.
    pub fn on_open(&mut self, id: ChannelId, label: &str) -> Option<Channel> {
        let channel = Channel::from_label(label)?;
        self.open.retain(|(other, _)| *other != channel);
        self.open.push((channel, id));
        self.to_set_up.push(id);
        Some(channel)
    }

    pub fn on_close(&mut self, id: ChannelId) {
        self.open.retain(|(_, open)| *open != id);
        self.waiting.retain(|(waiting, _)| *waiting != id);
        self.waiting_bytes = self.waiting.iter().map(|(_, payload)| payload.cost()).sum();
    }

    /// The buffer of a channel has become low.
    pub fn on_writable(&mut self) {
        self.is_writable = true;
        self.is_lagging = false;
    }

    /// Do what the last events call for. True if the connection was changed.
    pub fn follow_up(&mut self, rtc: &mut Rtc) -> Result<bool, RtcError> {
        let mut has_changed = false;
        for id in self.to_set_up.drain(..) {
            if let Some(mut handle) = rtc.channel(id) {
                handle.set_buffered_amount_low_threshold(MAX_LOSSY_BUFFERED_BYTES);
                has_changed = true;
            }
        }
        if std::mem::take(&mut self.is_writable) && self.has_waiting() {
            self.resume(rtc)?;
            has_changed = true;
        }
        Ok(has_changed)
    }

    pub fn channel_of(&self, id: ChannelId) -> Option<Channel> {
        self.open.iter().find(|(_, open)| *open == id).map(|(channel, _)| *channel)
    }

    pub fn send(
        &mut self,
        now: Instant,
        rtc: &mut Rtc,
        channel: Channel,
        payload: &Arc<DataMessage>,
    ) -> Result<Sent, RtcError> {
        let Some((_, id)) = self.open.iter().find(|(open, _)| *open == channel).copied() else {
            return Ok(Sent::Dropped);
        };
        let Some(mut handle) = rtc.channel(id) else { return Ok(Sent::Dropped) };
        if channel != Channel::Reliable {
            let fits = handle.buffered_amount() < MAX_LOSSY_BUFFERED_BYTES;
            return Ok(if fits && handle.write(true, payload)? { Sent::Accepted } else { Sent::Dropped });
        }
        if self.waiting.is_empty() && handle.write(true, payload)? {
            return Ok(Sent::Accepted);
        }
        if self.is_lagging {
            return Ok(Sent::Dropped);
        }
        if self.waiting_bytes + payload.cost() > MAX_WAITING_BYTES {
            self.is_lagging = true;
            return Ok(Sent::Lost);
        }
        self.wait(now, id, payload.clone());
        Ok(Sent::Accepted)
    }

    fn wait(&mut self, now: Instant, id: ChannelId, payload: Arc<DataMessage>) {
        self.taken.get_or_insert((now, 0));
        self.waiting_bytes += payload.cost();
        if self.waiting_bytes > SQUEEZE_BYTES {
            payload.squeeze_sender();
        }
        self.waiting.push_back((id, payload));
    }

    /// Send waiting messages until the buffer is full.
    pub fn resume(&mut self, rtc: &mut Rtc) -> Result<(), RtcError> {
        while let Some((id, payload)) = self.waiting.front() {
            if let Some(mut handle) = rtc.channel(*id)
                && !handle.write(true, payload)?
            {
                return Ok(());
            }
            self.waiting_bytes = self.waiting_bytes.saturating_sub(payload.cost());
            if let Some((_, taken)) = &mut self.taken {
                *taken += payload.len();
            }
            self.waiting.pop_front();
        }
        self.taken = None;
        Ok(())
    }

    /// At the end of a period, drop what waits if the peer has taken next to nothing. How much it was, in bytes.
    pub fn drop_stuck(&mut self, now: Instant) -> Option<u64> {
        let (since, taken) = self.taken?;
        if now.saturating_duration_since(since) < PERIOD {
            return None;
        }
        if taken >= MIN_TAKEN_BYTES {
            self.taken = Some((now, 0));
            return None;
        }
        let lost = self.waiting.drain(..).map(|(_, payload)| payload.len() as u64).sum();
        self.waiting_bytes = 0;
        self.taken = None;
        self.is_lagging = true;
        Some(lost)
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}
