"""One participant's signalling session: what each request does, by a table, once `permissions` has let it through."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from google.protobuf.message import Message
from livekit.protocol.models import DisconnectReason, SpeakerInfo
from livekit.protocol.rtc import (
    AddTrackRequest,
    JoinRequest,
    LeaveRequest,
    MuteTrackRequest,
    Ping,
    Pong,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SimulateScenario,
    SpeakersChanged,
    SubscriptionPermission,
    SyncState,
    TrickleRequest,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
    UpdateParticipantMetadata,
    UpdateSubscription,
    UpdateTrackSettings,
)

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.ids import TrackSid
from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.permissions import SIGNALS, Need, has
from tertulia_sfu.wire import candidate_line

_log = structlog.get_logger(__name__)

_CLIENT_REASONS: Final = frozenset(
    {
        DisconnectReason.USER_UNAVAILABLE,
        DisconnectReason.USER_REJECTED,
        DisconnectReason.AGENT_ERROR,
    }
)
_FAULT_ARMED_S: Final = 5.0
_SILENT_RESUMES: Final = 3
_MAX_SPEAKING_S: Final = 60


class SignalSession:
    """What a participant's client asks over its signalling line. `now` is the room's time (s)."""

    def __init__(self, room: LiveRoom, participant: Participant) -> None:
        self.room = room
        self.participant = participant

    def handle(self, request: SignalRequest, now: float) -> None:
        """Act on one request, if the grants allow it. What is unknown, or has no meaning here, is ignored."""
        field = request.WhichOneof("message")
        if field is None or field not in SIGNALS:
            return
        need = SIGNALS[field]
        if not has(self.participant.claims, need):
            self._refuse(field, getattr(request, field), need)
        elif field in _ACTIONS:
            _ACTIONS[field](self, getattr(request, field), now)
        else:
            _log.debug("request ignored", field=field, participant=self.participant.sid)

    def _refuse(self, field: str, message: Message, need: Need) -> None:
        """Say so: with the request itself where the protocol has a place for it, and with its number if it has one."""
        response = RequestResponse(
            request_id=getattr(message, "request_id", 0),
            reason=RequestResponse.NOT_ALLOWED,
            message=f"does not have permission to {need}",
        )
        echo = field.removesuffix("_request")
        if echo in RequestResponse.DESCRIPTOR.fields_by_name:
            getattr(response, echo).CopyFrom(message)
        self.reply(SignalResponse(request_response=response))

    def begin(self, request: JoinRequest, now: float) -> None:
        """The client has just joined, perhaps with its tracks and an offer in the same breath."""
        for add_track in request.add_track_requests:
            self.handle(SignalRequest(add_track=add_track), now)
        if request.HasField("publisher_offer"):
            self.handle(SignalRequest(offer=request.publisher_offer), now)

    def resume(self, request: JoinRequest, now: float) -> None:
        """The client came back over a new line, perhaps with its state and an offer in the same breath."""
        self.room.resume(self.participant, now=now)
        if request.HasField("sync_state"):
            self.handle(SignalRequest(sync_state=request.sync_state), now)
        if request.HasField("publisher_offer"):
            self.handle(SignalRequest(offer=request.publisher_offer), now)

    def reply(self, response: SignalResponse) -> None:
        """Tell this client."""
        self.room.roster.send(self.participant, response)


# ── connection ──


def _offer(session: SignalSession, offer: SessionDescription, _now: float) -> None:
    session.room.offer(session.participant, offer.id, offer.sdp)


def _trickle(session: SignalSession, trickle: TrickleRequest, _now: float) -> None:
    line = candidate_line(trickle.candidateInit)
    if line is not None:
        session.room.roster.media.trickle(session.participant.sid, candidate=line)


def _ping(session: SignalSession, _sent_at: int, _now: float) -> None:
    session.reply(SignalResponse(pong=_unix_ms()))


def _ping_req(session: SignalSession, ping: Ping, _now: float) -> None:
    session.reply(SignalResponse(pong_resp=Pong(last_ping_timestamp=ping.timestamp, timestamp=_unix_ms())))


def _leave(session: SignalSession, leave: LeaveRequest, now: float) -> None:
    reason = leave.reason if leave.reason in _CLIENT_REASONS else DisconnectReason.CLIENT_INITIATED
    session.room.remove(session.participant, reason, now, say_leave=False)


def _sync_state(session: SignalSession, state: SyncState, now: float) -> None:
    """What the client believes after a resume. A track we do not know of cannot be mended: it joins anew."""
    known = session.participant.publications
    if any(TrackSid(each.track.sid) not in known for each in state.publish_tracks):
        session.room.start_over(session.participant, now)
        return
    session.room.subscribing.update(session.participant, state.subscription)
    for sid in state.track_sids_disabled:
        settings = UpdateTrackSettings(track_sids=[sid], disabled=True)
        session.room.subscribing.change_settings(session.participant, settings, now)
    session.room.data.resumed(session.participant, state.datachannel_receive_states, now)


# ── publishing ──


def _add_track(session: SignalSession, request: AddTrackRequest, _now: float) -> None:
    session.room.publishing.add(session.participant, request)


def _mute(session: SignalSession, request: MuteTrackRequest, _now: float) -> None:
    session.room.publishing.mute(session.participant, request)


def _update_audio_track(session: SignalSession, request: UpdateLocalAudioTrack, _now: float) -> None:
    session.room.publishing.update_audio(session.participant, request)


def _update_video_track(session: SignalSession, request: UpdateLocalVideoTrack, _now: float) -> None:
    session.room.publishing.update_video(session.participant, request)


def _subscription_permission(session: SignalSession, permission: SubscriptionPermission, _now: float) -> None:
    session.room.subscribing.change_permission(session.participant, permission)


# ── receiving ──


def _subscription(session: SignalSession, request: UpdateSubscription, _now: float) -> None:
    session.room.subscribing.update(session.participant, request)


def _track_setting(session: SignalSession, settings: UpdateTrackSettings, now: float) -> None:
    session.room.subscribing.change_settings(session.participant, settings, now)


# ── itself ──


def _update_metadata(session: SignalSession, request: UpdateParticipantMetadata, now: float) -> None:
    """Change one's own name, metadata, attributes; an empty text means no change. Always answered."""
    reason, sentence = RequestResponse.OK, ""
    try:
        session.room.change_participant(
            session.participant,
            now=now,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=dict(request.attributes),
        )
    except InvalidRequest as error:
        reason, sentence = RequestResponse.LIMIT_EXCEEDED, str(error)
    response = RequestResponse(request_id=request.request_id, reason=reason, message=sentence, update_metadata=request)
    session.reply(SignalResponse(request_response=response))


# ── faults on demand, for the test suites of clients: each touches only its caller ──


def _simulate(session: SignalSession, scenario: SimulateScenario, now: float) -> None:
    field = scenario.WhichOneof("scenario")
    action = _SCENARIOS.get(field or "")
    if action is not None:
        action(session, getattr(scenario, str(field)), now)


def _simulate_speaker(session: SignalSession, duration_s: int, now: float) -> None:
    _say_speaking(session, 0.9)
    timers, key = session.room.roster.timers, ("speaking", session.participant.sid)
    timers.set(key, now + max(0, min(duration_s, _MAX_SPEAKING_S)), lambda _at: _say_speaking(session, 0.0))


def _say_speaking(session: SignalSession, level: float) -> None:
    speaker = SpeakerInfo(sid=session.participant.sid, level=level, active=level > 0)
    session.reply(SignalResponse(speakers_changed=SpeakersChanged(speakers=[speaker])))


def _simulate_node_failure(session: SignalSession, _on: bool, now: float) -> None:
    session.room.remove(session.participant, DisconnectReason.UNKNOWN_REASON, now, say_leave=False)


def _simulate_server_leave(session: SignalSession, _on: bool, now: float) -> None:
    session.room.remove(session.participant, DisconnectReason.SERVER_SHUTDOWN, now)


def _simulate_full_reconnect(session: SignalSession, _on: bool, now: float) -> None:
    session.room.start_over(session.participant, now)


def _simulate_drop_on_resume(session: SignalSession, _on: bool, now: float) -> None:
    session.participant.arm_resume_fault(silent=False, times=1, until=now + _FAULT_ARMED_S)


def _simulate_silent_resume(session: SignalSession, _on: bool, now: float) -> None:
    session.participant.arm_resume_fault(silent=True, times=_SILENT_RESUMES, until=now + _FAULT_ARMED_S)


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


_Action = Callable[[SignalSession, Any, float], None]

_ACTIONS: Final[dict[str, _Action]] = {
    "offer": _offer,
    "trickle": _trickle,
    "add_track": _add_track,
    "mute": _mute,
    "subscription": _subscription,
    "track_setting": _track_setting,
    "leave": _leave,
    "subscription_permission": _subscription_permission,
    "sync_state": _sync_state,
    "simulate": _simulate,
    "ping": _ping,
    "update_metadata": _update_metadata,
    "ping_req": _ping_req,
    "update_audio_track": _update_audio_track,
    "update_video_track": _update_video_track,
}

_SCENARIOS: Final[dict[str, _Action]] = {
    "speaker_update": _simulate_speaker,
    "node_failure": _simulate_node_failure,
    "migration": _simulate_node_failure,
    "server_leave": _simulate_server_leave,
    "disconnect_signal_on_resume": _simulate_drop_on_resume,
    "disconnect_signal_on_resume_no_messages": _simulate_silent_resume,
    "leave_request_full_reconnect": _simulate_full_reconnect,
}
