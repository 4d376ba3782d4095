//! The receiving participant: offers with receiving sections, and frames that a decoder can use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid, Rid};
use str0m::rtp::Ssrc;
use str0m::{Candidate, Event, IceConnectionState, Rtc};

use crate::frame::Frame;
use crate::frame_limits::{FrameLimits, Verdict};
use crate::path::{Datagram, Path};
use crate::sdp::{Announced, announced};
use crate::transport::{Drained, Transport};

/// A section without media for this long may be offered again.
const UNUSED_AFTER: Duration = Duration::from_secs(1);
/// The least time between two key frame requests for a section.
const KEYFRAME_INTERVAL: Duration = Duration::from_millis(500);
/// How long UDP is tried alone: where it works, it is up long before.
const TCP_AFTER: Duration = Duration::from_secs(1);
/// The data channels without which LiveKit does not take a participant for connected.
const DATA_CHANNELS: [&str; 2] = ["_lossy", "_reliable"];

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// ICE and DTLS are not up yet.
    Connecting,
    /// Media can be received.
    Connected,
    /// Final: a new peer has to be made.
    Gone,
}

struct Section {
    mid: Mid,
    kind: MediaKind,
    last_media: Option<Instant>,
    /// Frames cannot be decoded before a key frame.
    needs_keyframe: bool,
    keyframe_requested: Option<Instant>,
    limits: FrameLimits,
    ssrc: Option<Ssrc>,
    /// A generated name of the section's current stream: str0m keeps its order of packets by section and rid.
    rid: Option<Rid>,
}

impl Section {
    fn new(now: Instant, mid: Mid, kind: MediaKind) -> Self {
        Self {
            mid,
            kind,
            last_media: None,
            needs_keyframe: kind == MediaKind::Video,
            keyframe_requested: None,
            limits: FrameLimits::new(now),
            ssrc: None,
            rid: None,
        }
    }
}

/// What a [`Peer`] has produced; the caller drains both.
#[derive(Default)]
pub struct Outgoing {
    /// To send, in order.
    pub datagrams: Vec<Datagram>,
    /// To decode, in order.
    pub frames: Vec<Frame>,
}

/// A participant that only receives. Every call may add to [`Peer::output`] and move [`Peer::deadline`].
pub struct Peer {
    transport: Transport,
    drained: Drained,
    output: Outgoing,
    pending: Option<SdpPendingOffer>,
    sections: Vec<Section>,
    /// Streams that have taken the place of another one.
    replaced_streams: u64,
    /// When the way by TCP is tried too; None before the first answer, and once it is.
    tcp_due: Option<Instant>,
    is_answered: bool,
    state: State,
}

impl Peer {
    /// `locals` are the addresses at which datagrams reach us. Fails for an address that no ICE candidate can have.
    pub fn new(now: Instant, locals: &[SocketAddr]) -> Result<Self, String> {
        Ok(Self {
            transport: Transport::new(now, locals)?,
            drained: Drained::default(),
            output: Outgoing::default(),
            pending: None,
            sections: Vec::new(),
            replaced_streams: 0,
            tcp_due: None,
            is_answered: false,
            state: State::Connecting,
        })
    }

    /// The mids of the sections offered so far (RFC 5888).
    pub fn mids(&self) -> impl Iterator<Item = String> + '_ {
        self.sections.iter().map(|section| section.mid.to_string())
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// What the calls so far have produced.
    pub fn output(&mut self) -> &mut Outgoing {
        &mut self.output
    }

    /// When [`Peer::advance`] is due.
    pub fn deadline(&self) -> Instant {
        self.tcp_due.map_or(self.transport.deadline(), |due| due.min(self.transport.deadline()))
    }

    // ── negotiation ──

    /// An offer with this many additional receiving sections; with none it offers the unused ones again.
    ///
    /// Fails if there is nothing to offer.
    pub fn offer(&mut self, now: Instant, audio: usize, video: usize) -> Result<String, String> {
        let unused: Vec<Mid> =
            self.sections.iter().filter(|each| self.is_unused(now, each)).map(|section| section.mid).collect();
        let video = if unused.is_empty() && audio == 0 { video.max(1) } else { video };
        let additional = [(MediaKind::Audio, audio), (MediaKind::Video, video)];
        let is_first = self.sections.is_empty();
        let sections = &mut self.sections;
        let offer = self.transport.step(now, &mut self.drained, |rtc| {
            let mut changes = rtc.sdp_api();
            for label in DATA_CHANNELS.iter().filter(|_| is_first) {
                changes.add_channel((*label).to_owned());
            }
            for mid in unused {
                // str0m offers only changes
                changes.set_direction(mid, Direction::Inactive);
                changes.set_direction(mid, Direction::RecvOnly);
            }
            for (kind, count) in additional {
                let added = (0..count).map(|_| changes.add_media(kind, Direction::RecvOnly, None, None, None));
                sections.extend(added.map(|mid| Section::new(now, mid, kind)));
            }
            changes.apply()
        });
        self.handle_events(now);
        let (offer, pending) = offer.ok_or("there is nothing to offer")?;
        self.pending = Some(pending);
        Ok(offer.to_sdp_string())
    }

    fn is_unused(&self, now: Instant, section: &Section) -> bool {
        let is_silent = section.last_media.is_none_or(|last| now.saturating_duration_since(last) > UNUSED_AFTER);
        is_silent || self.transport.is_inactive(section.mid)
    }

    /// Apply the answer to the last offer. The error says why it does not fit.
    pub fn answer(&mut self, now: Instant, sdp: &str) -> Result<(), String> {
        let pending = self.pending.take().ok_or("no offer is pending")?;
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| error.to_string())?;
        let replaced: Vec<_> =
            announced(sdp).into_iter().filter_map(|stream| self.replace_stream(now, stream)).collect();
        let accepted = self.transport.step(now, &mut self.drained, |rtc| {
            for (old, stream, rid) in replaced {
                expect_stream(rtc, old, stream, rid);
            }
            rtc.sdp_api().accept_answer(pending, answer)
        });
        if !std::mem::replace(&mut self.is_answered, true) {
            self.tcp_due = Some(now + TCP_AFTER);
        }
        self.handle_events(now);
        accepted.map_err(|error| error.to_string())
    }

    /// A section that carries another track has another stream, whose sequence numbers begin anywhere. str0m would
    /// continue from the old ones and drop packets that seem to be old. Returns the old stream and the new one's rid.
    fn replace_stream(&mut self, now: Instant, stream: Announced) -> Option<(Ssrc, Announced, Rid)> {
        let is_known = self.transport.has_section(stream.mid);
        let section = self.sections.iter_mut().find(|section| section.mid == stream.mid)?;
        let old = section.ssrc.replace(stream.ssrc).filter(|old| *old != stream.ssrc && is_known)?;
        self.replaced_streams += 1;
        let rid = Rid::from(format!("s{}", self.replaced_streams).as_str());
        section.rid = Some(rid);
        section.limits = FrameLimits::new(now);
        section.needs_keyframe = section.kind == MediaKind::Video;
        Some((old, stream, rid))
    }

    /// Add a remote ICE candidate. Those that cannot be used (host names) are ignored.
    pub fn add_candidate(&mut self, now: Instant, candidate: &str) {
        if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
            self.transport.step(now, &mut self.drained, |rtc| rtc.add_remote_candidate(candidate));
            self.handle_events(now);
        }
    }

    // ── datagrams and time ──

    /// Take a datagram in. One that is neither STUN, DTLS nor RTP is dropped.
    pub fn receive(&mut self, now: Instant, path: Path, data: &[u8]) {
        self.transport.receive(now, &mut self.drained, path, data);
        self.handle_events(now);
    }

    /// Let time pass.
    pub fn advance(&mut self, now: Instant) {
        self.transport.advance(now, &mut self.drained);
        if self.tcp_due.is_some_and(|due| due <= now) {
            self.try_tcp(now);
        }
        self.handle_events(now);
    }

    fn handle_events(&mut self, now: Instant) {
        // a key frame request is a step of its own, which may bring further events
        while !self.drained.events.is_empty() {
            for event in std::mem::take(&mut self.drained.events) {
                self.handle_event(now, event);
            }
        }
        self.output.datagrams.append(&mut self.drained.datagrams);
        if !self.transport.is_alive() {
            self.state = State::Gone;
        }
    }

    fn handle_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Connected => {
                self.state = State::Connected;
                self.tcp_due = None;
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.on_disconnected(now),
            Event::MediaData(media) => {
                if let Some(frame) = self.read_frame(now, media) {
                    self.output.frames.push(frame);
                }
            }
            _ => {}
        }
    }

    /// No way is left, or none of the server's candidates is for UDP.
    fn on_disconnected(&mut self, now: Instant) {
        if !self.try_tcp(now) {
            self.state = State::Gone;
        }
    }

    /// False if that is not left to be tried.
    fn try_tcp(&mut self, now: Instant) -> bool {
        if self.tcp_due.take().is_none() {
            return false;
        }
        self.transport.add_tcp_candidates(now, &mut self.drained);
        true
    }

    // ── frames ──

    /// None for a frame that cannot be decoded, of a stream that was replaced, or of one that is suspended.
    fn read_frame(&mut self, now: Instant, media: MediaData) -> Option<Frame> {
        let section = self.sections.iter_mut().find(|section| section.mid == media.mid && section.rid == media.rid)?;
        section.last_media = Some(now);
        if section.kind == MediaKind::Video {
            match section.limits.judge(now, &media) {
                Verdict::Fits => {}
                Verdict::Refused => {
                    section.needs_keyframe = true;
                    return Some(Frame::refused(media));
                }
                Verdict::Suspended => return None,
            }
            section.needs_keyframe = !media.is_keyframe() && (section.needs_keyframe || !media.contiguous);
            if section.needs_keyframe {
                self.request_keyframe(now, media.mid);
                return None;
            }
        }
        Some(Frame::of(media))
    }

    /// A decoder cannot go on: request a key frame, and withhold frames of this section until it comes.
    pub fn restart(&mut self, now: Instant, mid: &str) {
        let mid = Mid::from(mid);
        if let Some(section) = self.sections.iter_mut().find(|section| section.mid == mid) {
            section.needs_keyframe = true;
            self.request_keyframe(now, mid);
            self.handle_events(now);
        }
    }

    fn request_keyframe(&mut self, now: Instant, mid: Mid) {
        let Some(section) = self.sections.iter_mut().find(|section| section.mid == mid) else { return };
        let is_recent = |asked| now.saturating_duration_since(asked) < KEYFRAME_INTERVAL;
        if section.keyframe_requested.is_some_and(is_recent) {
            return;
        }
        section.keyframe_requested = Some(now);
        let rid = section.rid;
        self.transport.step(now, &mut self.drained, |rtc| {
            if let Some(mut writer) = rtc.writer(mid) {
                // an error means that nothing has been received, and then there is nothing to repair
                let _ = writer.request_keyframe(rid, KeyframeRequestKind::Pli);
            }
        });
    }
}

fn expect_stream(rtc: &mut Rtc, old: Ssrc, stream: Announced, rid: Rid) {
    let mut direct = rtc.direct_api();
    direct.remove_stream_rx(old);
    direct.expect_stream_rx(stream.ssrc, stream.rtx, stream.mid, Some(rid)).suppress_nack(stream.rtx.is_none());
}
