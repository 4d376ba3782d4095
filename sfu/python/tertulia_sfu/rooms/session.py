"""A participant's signal session: each request is checked against `permissions`, then handled by a table."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from google.protobuf.message import Message
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import (
    AddTrackRequest,
    GetDataBlobRequest,
    JoinRequest,
    LeaveRequest,
    MuteTrackRequest,
    Ping,
    Pong,
    PublishDataTrackRequest,
    RequestResponse,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SimulateScenario,
    StoreDataBlobRequest,
    SubscriptionPermission,
    SyncState,
    TrickleRequest,
    UnpublishDataTrackRequest,
    UpdateDataSubscription,
    UpdateLocalAudioTrack,
    UpdateLocalVideoTrack,
    UpdateParticipantMetadata,
    UpdateSubscription,
    UpdateTrackSettings,
)

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.ids import TrackSid
from tertulia_sfu.rooms.budget import Budget
from tertulia_sfu.rooms.limits import MAX_LISTED_TRACKS, distinct_tracks
from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.rooms.permissions import SIGNALS, fulfils
from tertulia_sfu.rooms.protocol import POSITIVE_RESPONSE
from tertulia_sfu.rooms.simulation import simulate

_log = structlog.get_logger(__name__)

MAX_ECHO_BYTES: Final = 64 * 1024  # a refused request comes back with its refusal; clients match small ones by content
MAX_CANDIDATE_BYTES: Final = 4 * 1024  # clients send some 200

_NO_SUCH_TRACK: Final = (RequestResponse.NOT_FOUND, "there is no such track")
_CANDIDATE_FIELDS: Final[Mapping[str, type]] = {
    "candidate": str,
    "sdpMid": str,
    "sdpMLineIndex": int,
    "usernameFragment": str,
}

_CLIENT_REASONS: Final = frozenset(
    {
        DisconnectReason.USER_UNAVAILABLE,
        DisconnectReason.USER_REJECTED,
        DisconnectReason.AGENT_ERROR,
    }
)


class SignalSession:
    """What a participant's client requests over its signal connections. `now` is the room's time (s)."""

    def __init__(self, room: LiveRoom, participant: Participant) -> None:
        self.room = room
        self.participant = participant
        self.budget = Budget()

    def handle(self, request: SignalRequest, now: float) -> None:
        """Handle one request, if the grants allow it. Unknown and unimplemented ones are ignored."""
        field = request.WhichOneof("message")
        if field is None or field not in SIGNALS:
            return
        requirement = SIGNALS[field]
        if not fulfils(self.participant.claims, requirement):
            reason = f"does not have permission to {requirement}"
            self.refuse(field, getattr(request, field), RequestResponse.NOT_ALLOWED, reason)
        elif field in _HANDLERS:
            _HANDLERS[field](self, getattr(request, field), now)
        else:
            _log.debug("request ignored", field=field, **self.participant.log_fields)

    def refuse(self, field: str, message: Message, reason: "RequestResponse.Reason", text: str) -> None:
        """Answer with a reason, and with the request itself and its number where the protocol has a field for it."""
        response = RequestResponse(request_id=getattr(message, "request_id", 0), reason=reason, message=text)
        echo = field.removesuffix("_request")
        if echo in RequestResponse.DESCRIPTOR.fields_by_name and message.ByteSize() <= MAX_ECHO_BYTES:
            getattr(response, echo).CopyFrom(message)
        self.reply(SignalResponse(request_response=response))

    def start(self, request: JoinRequest, now: float) -> None:
        """Handle the tracks and the offer that came with a join request."""
        for add_track in request.add_track_requests:
            self.handle(SignalRequest(add_track=add_track), now)
        if request.HasField("publisher_offer"):
            self.handle(SignalRequest(offer=request.publisher_offer), now)

    def resume(self, request: JoinRequest, now: float) -> None:
        """Resume over a new signal connection, and handle the state and the offer that came with the request."""
        self.room.resume(self.participant, now=now)
        if request.HasField("sync_state"):
            self.handle(SignalRequest(sync_state=request.sync_state), now)
        if request.HasField("publisher_offer"):
            self.handle(SignalRequest(offer=request.publisher_offer), now)

    def reply(self, response: SignalResponse) -> None:
        """Send a message to this client."""
        self.room.roster.send(self.participant, response)


# ── connection ──


def _offer(session: SignalSession, offer: SessionDescription, _now: float) -> None:
    session.room.negotiation.offer(session.participant, offer)


def _answer(session: SignalSession, answer: SessionDescription, _now: float) -> None:
    session.room.negotiation.answer(session.participant, answer)


def _trickle(session: SignalSession, request: TrickleRequest, _now: float) -> None:
    """Refuse a candidate that cannot be read. The others are not needed.

    With ICE-lite (RFC 8445 section 2.5) the checks of a client tell where it is.
    """
    if not _is_candidate(request.candidateInit):
        session.refuse("trickle", request, RequestResponse.UNCLASSIFIED_ERROR, "the candidate cannot be read")


def _is_candidate(text: str) -> bool:
    """Return whether a text is an RTCIceCandidateInit (WebRTC 1.0 section 4.8.1.1) in JSON, or null."""
    if len(text) > MAX_CANDIDATE_BYTES:
        return False
    try:
        init = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(init, dict):
        return init is None
    values = [(init.get(name), kind) for name, kind in _CANDIDATE_FIELDS.items()]
    return all(value is None or isinstance(value, kind) for value, kind in values)


def _ping(session: SignalSession, _sent_at: int, _now: float) -> None:
    session.reply(SignalResponse(pong=_unix_ms()))


def _ping_req(session: SignalSession, ping: Ping, _now: float) -> None:
    session.reply(SignalResponse(pong_resp=Pong(last_ping_timestamp=ping.timestamp, timestamp=_unix_ms())))


def _leave(session: SignalSession, leave: LeaveRequest, now: float) -> None:
    reason = leave.reason if leave.reason in _CLIENT_REASONS else DisconnectReason.CLIENT_INITIATED
    session.room.remove(session.participant, reason, now, send_leave=False)


def _sync_state(session: SignalSession, state: SyncState, now: float) -> None:
    """Take over what the client believes after a resume. A published track unknown here requires a full reconnect."""
    known = session.participant.publications
    published = state.publish_tracks
    data_tracks = {info.sid for info in session.participant.data_tracks.values()}
    if (
        max(len(published), len(state.publish_data_tracks)) > MAX_LISTED_TRACKS
        or any(TrackSid(each.track.sid) not in known for each in published)
        or any(each.info.sid not in data_tracks for each in state.publish_data_tracks)
    ):
        session.room.require_full_reconnect(session.participant, now)
        return
    session.room.subscriptions.update(session.participant, state.subscription)
    disabled = UpdateTrackSettings(track_sids=distinct_tracks(state.track_sids_disabled), disabled=True)
    session.room.subscriptions.change_track_settings(session.participant, disabled, now)
    session.room.data_tracks.update_subscription(session.participant, state.data_subscription)
    session.room.data.handle_resume(session.participant, state.datachannel_receive_states, now)


# ── publishing ──


def _add_track(session: SignalSession, request: AddTrackRequest, _now: float) -> None:
    session.room.publications.add(session.participant, request)


def _mute(session: SignalSession, request: MuteTrackRequest, now: float) -> None:
    if not session.room.publications.mute(session.participant, request, now):
        session.refuse("mute", request, *_NO_SUCH_TRACK)


def _update_audio_track(session: SignalSession, request: UpdateLocalAudioTrack, now: float) -> None:
    if not session.room.publications.update_audio(session.participant, request, now):
        session.refuse("update_audio_track", request, *_NO_SUCH_TRACK)


def _update_video_track(session: SignalSession, request: UpdateLocalVideoTrack, now: float) -> None:
    if not session.room.publications.update_video(session.participant, request, now):
        session.refuse("update_video_track", request, *_NO_SUCH_TRACK)


def _subscription_permission(session: SignalSession, permission: SubscriptionPermission, _now: float) -> None:
    session.room.subscriptions.change_permission(session.participant, permission)
    session.room.data_tracks.reconcile_owner(session.participant)


def _publish_data_track(session: SignalSession, request: PublishDataTrackRequest, now: float) -> None:
    refusal = session.room.data_tracks.publish(session.participant, request, now)
    if refusal is not None:
        session.refuse("publish_data_track_request", request, *refusal)


def _unpublish_data_track(session: SignalSession, request: UnpublishDataTrackRequest, now: float) -> None:
    if not session.room.data_tracks.unpublish(session.participant, request.pub_handle, now):
        session.refuse("unpublish_data_track_request", request, *_NO_SUCH_TRACK)


# ── subscribing ──


def _subscription(session: SignalSession, request: UpdateSubscription, _now: float) -> None:
    session.room.subscriptions.update(session.participant, request)


def _track_setting(session: SignalSession, settings: UpdateTrackSettings, now: float) -> None:
    session.room.subscriptions.change_track_settings(session.participant, settings, now)


def _data_subscription(session: SignalSession, request: UpdateDataSubscription, _now: float) -> None:
    session.room.data_tracks.update_subscription(session.participant, request)


# ── the participant itself ──


def _update_metadata(session: SignalSession, request: UpdateParticipantMetadata, now: float) -> None:
    """Change the participant's own name, metadata, attributes; an empty text means no change. Always answered."""
    reason, message = RequestResponse.OK, ""
    try:
        session.room.change_participant(
            session.participant,
            now=now,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=dict(request.attributes),
        )
    except InvalidRequest as error:
        reason, message = RequestResponse.LIMIT_EXCEEDED, str(error)
    if reason == RequestResponse.OK and session.participant.protocol < POSITIVE_RESPONSE:
        return
    response = RequestResponse(request_id=request.request_id, reason=reason, message=message, update_metadata=request)
    session.reply(SignalResponse(request_response=response))


def _store_data_blob(session: SignalSession, request: StoreDataBlobRequest, _now: float) -> None:
    session.refuse("store_data_blob_request", request, RequestResponse.NOT_ALLOWED, "this server keeps no data blobs")


def _get_data_blob(session: SignalSession, request: GetDataBlobRequest, _now: float) -> None:
    """Answer that there is no such blob: nobody can store one."""
    if request.HasField("key"):
        session.refuse("get_data_blob_request", request, RequestResponse.NOT_FOUND, "there is no such data blob")
    else:
        session.refuse("get_data_blob_request", request, RequestResponse.INVALID_REQUEST, "the key is missing")


def _simulate(session: SignalSession, scenario: SimulateScenario, now: float) -> None:
    simulate(session.room, session.participant, scenario, now)


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


_Handler = Callable[[SignalSession, Any, float], None]

_HANDLERS: Final[dict[str, _Handler]] = {
    "offer": _offer,
    "answer": _answer,
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
    "publish_data_track_request": _publish_data_track,
    "unpublish_data_track_request": _unpublish_data_track,
    "update_data_subscription": _data_subscription,
    "store_data_blob_request": _store_data_blob,
    "get_data_blob_request": _get_data_blob,
}

UNIMPLEMENTED: Final = frozenset(
    {
        # deprecated by the protocol; layers come with `add_track`
        "update_layers",
    }
)
"""Messages of a `SignalRequest` that are checked against the permissions, and then ignored."""
