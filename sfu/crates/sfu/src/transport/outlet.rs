//! One stream that we send: its numbers, what may be asked for again, and what its receiver reports.

use std::time::{Duration, Instant};

use str0m::format::CodecConfig;
use str0m::media::Mid;

use super::codec::PayloadType;
use super::measured::SentStats;
use super::packet::Written;
use super::playout::Playout;
use super::reports::{Reception, SenderInfo};
use super::resends::{Resends, SealedResends};
use super::rtp_header::Extensions;
use super::srtp::{Sealer, StreamKey};
use crate::ids::Ssrc;

/// Of so many packets is remembered whether they were sent: more than are between two reports. A power of two.
const WINDOW: u32 = 2048;
/// Clients that have not measured their round trip ask again after this time.
const RETRY: Duration = Duration::from_millis(100);
/// Sender reports whose answers are recognised.
const REPORTS: usize = 4;

/// A stream and its retransmissions.
pub(super) struct Outlet {
    pub ssrc: Ssrc,
    pub rtx: Option<Ssrc>,
    pub is_video: bool,
    /// The section, which every packet names, so that the client finds it (RFC 8843 section 9.2).
    pub mid: Mid,
    pub extensions: Extensions,
    pub codec: Codec,
    /// Once something was sealed.
    keys: Option<(StreamKey, Option<StreamKey>)>,
    pub next_rtx: u64,
    pub resends: Resends,
    pub sealed: SealedResends,
    pub playout: Playout,
    sent: Sent,
    received: Received,
}

/// What was negotiated for the payload type that is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Codec {
    pub plain: Option<PayloadType>,
    /// That of retransmissions.
    pub rtx: Option<u8>,
    clock_rate_hz: u32,
}

#[derive(Default)]
struct Sent {
    packets: u64,
    bytes: u64,
    numbers: Numbers,
    /// Timestamp of the last packet, and the instant that it stands for.
    last: Option<(u32, Instant)>,
    /// The NTP times of the last reports (middle 32 bits), and when they were sent.
    reports: [Option<(u32, Instant)>; REPORTS],
}

/// Which of the newest packets were sent in time: those that the publisher's link has lost are missing.
#[derive(Default)]
struct Numbers {
    newest: Option<u32>,
    /// A bit for each number, by its remainder.
    sent: [u64; WINDOW as usize / 64],
}

impl Numbers {
    /// A late one, which the publisher has sent again, counts as missing: the client may have reported it so.
    fn add(&mut self, number: u32) {
        let passed = self.newest.map_or(1, |newest| number.wrapping_sub(newest).cast_signed());
        if passed > 0 {
            (0..passed.unsigned_abs().min(WINDOW)).for_each(|back| self.set(number.wrapping_sub(back), back == 0));
            self.newest = Some(number);
        }
    }

    fn set(&mut self, number: u32, is_sent: bool) {
        let (word, bit) = place(number);
        if let Some(word) = self.sent.get_mut(word) {
            *word = if is_sent { *word | bit } else { *word & !bit };
        }
    }

    /// How many of the numbers behind `before`, up to `last`, were not sent.
    fn gaps(&self, before: u32, last: u32) -> f64 {
        let all = last.wrapping_sub(before);
        let known = all.min(WINDOW);
        let is_sent = |number| {
            let (word, bit) = place(number);
            self.sent.get(word).is_some_and(|word| word & bit != 0)
        };
        let missing = (0..known).filter(|back| !is_sent(last.wrapping_sub(*back))).count();
        missing as f64 * f64::from(all) / f64::from(known.max(1))
    }
}

/// The word of a number's bit, and the bit.
fn place(number: u32) -> (usize, u64) {
    let at = number % WINDOW;
    ((at / 64) as usize, 1 << (at % 64))
}

/// Of the client's reports.
#[derive(Default)]
struct Received {
    /// Packets that it should have received, and those that it has not, since this was taken.
    expected: f64,
    lost: f64,
    /// The highest sequence number that it has, and what it had lost, by the last report.
    highest: Option<u32>,
    lost_before: i32,
    /// Of the last report.
    rtt: Option<Duration>,
    jitter: Option<u32>,
    keyframe_requests: u64,
}

impl Codec {
    pub fn find(config: &CodecConfig, plain: PayloadType) -> Self {
        let params = config.find(|params| *params.pt() == plain.0);
        Self {
            plain: Some(plain),
            rtx: params.and_then(|params| params.resend()).map(|pt| *pt),
            clock_rate_hz: params.map_or(0, |params| params.spec().clock_rate.get()),
        }
    }
}

impl Outlet {
    pub fn new(ssrc: Ssrc, rtx: Option<Ssrc>, is_video: bool, mid: Mid, extensions: Extensions) -> Self {
        Self {
            ssrc,
            rtx,
            is_video,
            mid,
            extensions,
            codec: Codec::default(),
            keys: None,
            next_rtx: 1,
            resends: Resends::default(),
            sealed: SealedResends::default(),
            playout: Playout::default(),
            sent: Sent::default(),
            received: Received::default(),
        }
    }

    /// The streams of media and retransmissions as `sealer` knows them.
    pub fn keys(&mut self, sealer: &mut Sealer) -> (StreamKey, Option<StreamKey>) {
        let (ssrc, rtx) = (self.ssrc, self.rtx);
        *self.keys.get_or_insert_with(|| (sealer.stream(ssrc), rtx.map(|rtx| sealer.stream(rtx))))
    }

    /// What packets of nothing but padding need: they go on the stream of retransmissions of a video that was sent.
    pub fn padding(&self) -> Option<(StreamKey, u8, u32)> {
        let (_, stream) = self.keys?;
        Some((stream?, self.codec.rtx?, self.sent.last?.0))
    }

    /// A media packet, or a retransmission, was sent.
    pub fn sent(&mut self, bytes: usize, media: Option<&Written>) {
        self.sent.packets += 1;
        self.sent.bytes += bytes as u64;
        let Some(packet) = media else { return };
        self.sent.last = Some((packet.timestamp, packet.instant));
        self.sent.numbers.add(packet.sequence as u32);
    }

    /// What a report tells that is sent now, with this NTP time. None before there is anything to report.
    pub fn report(&mut self, now: Instant, ntp: u32) -> Option<SenderInfo> {
        let (timestamp, at) = self.sent.last?;
        self.sent.reports.rotate_right(1);
        if let Some(newest) = self.sent.reports.first_mut() {
            *newest = Some((ntp, now));
        }
        let ticks = now.saturating_duration_since(at).as_micros() * u128::from(self.codec.clock_rate_hz) / 1_000_000;
        Some(SenderInfo {
            timestamp: timestamp.wrapping_add(ticks as u32),
            packets: self.sent.packets as u32,
            bytes: self.sent.bytes as u32,
        })
    }

    /// The client reports what it has received. How many packets that is about, and how many of them were lost.
    pub fn received(&mut self, now: Instant, reception: Reception) -> (f64, f64) {
        let mut told = (0.0, 0.0);
        let passed = self.received.highest.map_or(0, |before| reception.highest.wrapping_sub(before).cast_signed());
        if passed >= 0 {
            let before = reception.highest.wrapping_sub(passed.unsigned_abs());
            let gaps = self.sent.numbers.gaps(before, reception.highest);
            self.received.expected += f64::from(passed);
            // what the publisher's link has lost says nothing of this one
            let lost = f64::from(reception.lost - self.received.lost_before) - gaps;
            // less than none: what was told as lost has come since, as copies do
            told = (f64::from(passed), lost.clamp(-f64::from(passed), f64::from(passed)));
            let lost = lost.clamp(0.0, f64::from(passed));
            self.received.lost += lost;
            let retry = RETRY + self.received.rtt.unwrap_or_default();
            self.playout.reported(now, f64::from(passed), lost, retry);
            self.received.highest = Some(reception.highest);
            self.received.lost_before = reception.lost;
        }
        self.received.jitter = Some(reception.jitter);
        let round_trip = |(ntp, delay)| {
            let (_, sent_at) = self.sent.reports.iter().flatten().find(|(sent, _)| *sent == ntp)?;
            Some(now.saturating_duration_since(*sent_at).saturating_sub(delay))
        };
        self.received.rtt = reception.last_report.and_then(round_trip);
        told
    }

    /// The client asks for a key frame.
    pub fn keyframe_wanted(&mut self) {
        self.received.keyframe_requests += 1;
    }

    /// What was sent and what the client said of it since the last time. None if nothing was ever sent.
    pub fn take_stats(&mut self) -> Option<SentStats> {
        self.sent.last?;
        let Received { expected, lost, rtt, jitter, keyframe_requests, .. } = self.received;
        (self.received.expected, self.received.lost) = (0.0, 0.0);
        Some(SentStats {
            is_video: self.is_video,
            packets: self.sent.packets,
            loss: (expected > 0.0).then(|| lost / expected),
            rtt,
            jitter,
            keyframe_requests,
        })
    }
}
