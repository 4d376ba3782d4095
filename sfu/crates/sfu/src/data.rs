//! A peer's three data channels, and what waits to be sent on them.

use std::collections::VecDeque;
use std::sync::Arc;

use str0m::channel::ChannelId;
use str0m::{Rtc, RtcError};

use crate::command::Channel;

/// Reliable data that a peer may leave unread before it is given up.
const MAX_WAITING_BYTES: usize = 2 * 1024 * 1024;
/// Above this much unsent data, lossy messages are dropped: late ones are worthless.
const MAX_LOSSY_BUFFERED_BYTES: usize = 64 * 1024;

#[derive(Default)]
pub(crate) struct Channels {
    open: Vec<(Channel, ChannelId)>,
    waiting: VecDeque<(ChannelId, Arc<[u8]>)>,
    waiting_bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    Accepted,
    Dropped,
    /// The peer does not read: more waits for it than we keep.
    Overflow,
}

impl Channels {
    /// A channel was opened by the client. None for a label that is none of ours.
    pub fn opened(&mut self, rtc: &mut Rtc, id: ChannelId, label: &str) -> Option<Channel> {
        let channel = Channel::from_label(label)?;
        self.open.retain(|(other, _)| *other != channel);
        self.open.push((channel, id));
        if let Some(mut handle) = rtc.channel(id) {
            handle.set_buffered_amount_low_threshold(MAX_LOSSY_BUFFERED_BYTES);
        }
        Some(channel)
    }

    pub fn closed(&mut self, id: ChannelId) {
        self.open.retain(|(_, open)| *open != id);
        self.waiting.retain(|(waiting, _)| *waiting != id);
        self.waiting_bytes = self.waiting.iter().map(|(_, payload)| payload.len()).sum();
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
            let room = handle.buffered_amount() < MAX_LOSSY_BUFFERED_BYTES;
            return Ok(if room && handle.write(true, payload)? { Sent::Accepted } else { Sent::Dropped });
        }
        if self.waiting.is_empty() && handle.write(true, payload)? {
            return Ok(Sent::Accepted);
        }
        self.waiting_bytes += payload.len();
        self.waiting.push_back((id, payload.clone()));
        Ok(if self.waiting_bytes > MAX_WAITING_BYTES { Sent::Overflow } else { Sent::Accepted })
    }

    /// Send what waits, as far as there is room.
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
