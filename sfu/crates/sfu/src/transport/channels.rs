//! A peer's data channels, and messages that wait to be sent on them.

use std::collections::VecDeque;
use std::sync::Arc;

use str0m::channel::ChannelId;
use str0m::{Rtc, RtcError};

use crate::media::Channel;

/// Reliable data that a peer may leave unread before it is removed.
const MAX_WAITING_BYTES: usize = 2 * 1024 * 1024;
/// Above this much unsent data, lossy messages are dropped rather than sent late.
const MAX_LOSSY_BUFFERED_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Channels {
    open: Vec<(Channel, ChannelId)>,
    /// Opened, but not set up yet.
    to_set_up: Vec<ChannelId>,
    is_writable: bool,
    waiting: VecDeque<(ChannelId, Arc<[u8]>)>,
    waiting_bytes: usize,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Accepted,
    Dropped,
    /// The peer does not read: more data waits for it than is kept.
    Overflow,
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
        self.waiting_bytes = self.waiting.iter().map(|(_, payload)| payload.len()).sum();
    }

    /// The buffer of a channel has become low.
    pub fn on_writable(&mut self) {
        self.is_writable = true;
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

    pub fn send(&mut self, rtc: &mut Rtc, channel: Channel, payload: &Arc<[u8]>) -> Result<Sent, RtcError> {
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
        self.waiting_bytes += payload.len();
        self.waiting.push_back((id, payload.clone()));
        Ok(if self.waiting_bytes > MAX_WAITING_BYTES { Sent::Overflow } else { Sent::Accepted })
    }

    /// Send waiting messages until the buffer is full.
    pub fn resume(&mut self, rtc: &mut Rtc) -> Result<(), RtcError> {
        while let Some((id, payload)) = self.waiting.front() {
            if let Some(mut handle) = rtc.channel(*id)
                && !handle.write(true, payload)?
            {
                return Ok(());
            }
            self.waiting_bytes = self.waiting_bytes.saturating_sub(payload.len());
            self.waiting.pop_front();
        }
        Ok(())
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}
