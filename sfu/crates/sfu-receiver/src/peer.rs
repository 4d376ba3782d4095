//! The peer connection: offers with receiving sections, and of what comes only frames that a decoder can use.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaData, MediaKind, Mid, Rid};
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::Ssrc;
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc, RtcError};

use crate::frame::Frame;
use crate::sdp::{Announced, announced};

/// A section without media for so long may be offered afresh.
const IDLE: Duration = Duration::from_secs(1);
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// Packets that a key frame may be split over: 1080p screens make large ones.
const LARGEST_FRAME_PACKETS: usize = 400;
/// What a lost packet of sound may hold up: less than the recording waits for sound.
const SOUND_PATIENCE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Connecting,
    Connected,
    /// For good: a new peer has to be made.
    Gone,
}

struct Section {
    mid: Mid,
    kind: MediaKind,
    last_media: Option<Instant>,
    /// What comes cannot be decoded before a key frame.
    waits_for_key: bool,
    asked_for_key: Option<Instant>,
    ssrc: Option<Ssrc>,
    /// Which stream of this section it is: a made-up name, since the library keeps its order of packets by it.
    rid: Option<Rid>,
}

/// What [`Peer::poll`] gives.
#[derive(Default)]
pub struct Outgoing {
    pub datagrams: Vec<Transmit>,
    pub frames: Vec<Frame>,
}

pub struct Peer {
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    sections: Vec<Section>,
    /// How many streams took the place of another one.
    streams: u64,
    state: State,
}

impl Peer {
    /// `locals` are the addresses at which datagrams reach us. Fails for an address that no candidate can have.
    pub fn new(now: Instant, locals: &[SocketAddr]) -> Result<Self, String> {
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
            .set_reordering_size_video(LARGEST_FRAME_PACKETS)
            .set_reordering_timeout_audio(Some(SOUND_PATIENCE))
            .build(now);
        for local in locals {
            rtc.add_local_candidate(Candidate::host(*local, "udp").map_err(|error| error.to_string())?);
        }
        Ok(Self { rtc, pending: None, sections: Vec::new(), streams: 0, state: State::Connecting })
    }

    /// The sections offered so far.
    pub fn mids(&self) -> impl Iterator<Item = Mid> + '_ {
        self.sections.iter().map(|section| section.mid)
    }

    pub fn state(&self) -> State {
        self.state
    }

    /// An offer with so many more receiving sections; with none more it offers the unused ones afresh.
    pub fn offer(&mut self, now: Instant, audio: usize, video: usize) -> Result<String, String> {
        let unused: Vec<Mid> =
            self.sections.iter().filter(|each| self.is_unused(now, each)).map(|section| section.mid).collect();
        let mut changes = self.rtc.sdp_api();
        if self.sections.is_empty() {
            for label in ["_lossy", "_reliable"] {
                changes.add_channel(label.to_owned());
            }
        }
        for mid in &unused {
            // str0m offers only what changes
            changes.set_direction(*mid, Direction::Inactive);
            changes.set_direction(*mid, Direction::RecvOnly);
        }
        let video = if unused.is_empty() && audio == 0 { video.max(1) } else { video };
        for (kind, count) in [(MediaKind::Audio, audio), (MediaKind::Video, video)] {
            for _ in 0..count {
                let mid = changes.add_media(kind, Direction::RecvOnly, None, None, None);
                let waits_for_key = kind == MediaKind::Video;
                self.sections.push(Section {
                    mid,
                    kind,
                    last_media: None,
                    waits_for_key,
                    asked_for_key: None,
                    ssrc: None,
                    rid: None,
                });
            }
        }
        let (offer, pending) = changes.apply().ok_or("there is nothing to offer")?;
        self.pending = Some(pending);
        Ok(offer.to_sdp_string())
    }

    fn is_unused(&self, now: Instant, section: &Section) -> bool {
        let is_inactive = self.rtc.media(section.mid).is_some_and(|media| media.direction() == Direction::Inactive);
        is_inactive || section.last_media.is_none_or(|last| now.saturating_duration_since(last) > IDLE)
    }

    pub fn answer(&mut self, sdp: &str) -> Result<(), String> {
        let pending = self.pending.take().ok_or("no offer is pending")?;
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| error.to_string())?;
        for stream in announced(sdp) {
            self.make_way(stream);
        }
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(|error| error.to_string())
    }

    /// A section that carries another track has another stream, whose packets are counted from anywhere. The library
    /// would go on counting from the old one and drop what seems to be old.
    fn make_way(&mut self, Announced { mid, ssrc, rtx }: Announced) {
        let is_known = self.rtc.media(mid).is_some();
        let Some(section) = self.sections.iter_mut().find(|section| section.mid == mid) else { return };
        let Some(old) = section.ssrc.replace(ssrc).filter(|old| *old != ssrc && is_known) else { return };
        self.streams += 1;
        section.rid = Some(Rid::from(format!("s{}", self.streams).as_str()));
        section.waits_for_key = section.kind == MediaKind::Video;
        let mut direct = self.rtc.direct_api();
        direct.remove_stream_rx(old);
        direct.expect_stream_rx(ssrc, rtx, mid, section.rid).suppress_nack(rtx.is_none());
    }

    /// Candidates that cannot be used (TCP, names) are passed over: the media server's other ones remain.
    pub fn add_candidate(&mut self, candidate: &str) {
        if let Ok(candidate) = Candidate::from_sdp_string(candidate) {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    /// Hand a datagram in. What is neither STUN, DTLS nor RTP is dropped.
    pub fn receive(&mut self, now: Instant, source: SocketAddr, destination: SocketAddr, data: &[u8]) {
        if let Ok(receive) = Receive::new(Protocol::Udp, source, destination, data) {
            let handled = self.rtc.handle_input(Input::Receive(now, receive));
            self.fail_on(handled);
        }
    }

    /// Move on to `now`; returns when there is something to do again.
    pub fn poll(&mut self, now: Instant, out: &mut Outgoing) -> Instant {
        let handled = self.rtc.handle_input(Input::Timeout(now));
        self.fail_on(handled);
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => return at,
                Ok(Output::Transmit(datagram)) => out.datagrams.push(datagram),
                Ok(Output::Event(event)) => self.serve(now, event, out),
                Err(error) => {
                    self.fail_on(Err(error));
                    return now + IDLE;
                }
            }
        }
    }

    fn serve(&mut self, now: Instant, event: Event, out: &mut Outgoing) {
        match event {
            Event::Connected => self.state = State::Connected,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.state = State::Gone,
            Event::MediaData(media) => out.frames.extend(self.take(now, media)),
            _ => {}
        }
        if !self.rtc.is_alive() {
            self.state = State::Gone;
        }
    }

    fn take(&mut self, now: Instant, media: MediaData) -> Option<Frame> {
        let section = self.sections.iter_mut().find(|section| section.mid == media.mid && section.rid == media.rid)?;
        section.last_media = Some(now);
        if section.kind == MediaKind::Video {
            section.waits_for_key = !media.is_keyframe() && (section.waits_for_key || !media.contiguous);
            if section.waits_for_key {
                self.ask_for_key(now, media.mid);
                return None;
            }
        }
        Some(Frame::of(media))
    }

    /// A decoder is lost: nothing of this section before its next key frame.
    pub fn restart(&mut self, now: Instant, mid: &str) {
        let mid = Mid::from(mid);
        if let Some(section) = self.sections.iter_mut().find(|section| section.mid == mid) {
            section.waits_for_key = true;
            self.ask_for_key(now, mid);
        }
    }

    fn ask_for_key(&mut self, now: Instant, mid: Mid) {
        let Some(section) = self.sections.iter_mut().find(|section| section.mid == mid) else { return };
        if section.asked_for_key.is_some_and(|asked| now.saturating_duration_since(asked) < ASK_AGAIN) {
            return;
        }
        section.asked_for_key = Some(now);
        if let Some(mut writer) = self.rtc.writer(mid) {
            // refused while nothing has been received, and then there is nothing to repair
            let _ = writer.request_keyframe(section.rid, KeyframeRequestKind::Pli);
        }
    }

    fn fail_on(&mut self, result: Result<(), RtcError>) {
        if result.is_err() {
            self.rtc.disconnect();
            self.state = State::Gone;
        }
    }
}
