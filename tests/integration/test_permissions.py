"""The permission table, walked cell by cell.

First half: every operation of both base paths × everybody who could ask (`tertulia.domain.access`). Second half: every
message to the embedded media server × everybody who could send it (`tertulia_sfu.rooms.permissions` knows grants;
`grants_for` in `tertulia.domain.access` gives them to roles).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from livekit import api
from livekit.protocol import models, rtc

from support.media_servers import KEY, SECRET, embedded
from support.meeting import Meeting
from support.rest import FAR, INTERNAL, PUBLIC, RestServer, now_ms
from support.signal_connection import raw_connection, receive, receive_until
from tertulia.domain.access import INTERNAL as INTERNAL_TABLE
from tertulia.domain.access import ONLY_ONESELF, Action, Actor, Role
from tertulia.domain.access import PUBLIC as PUBLIC_TABLE
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.tokens import ParticipantTokens, RecorderTokens
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.permissions import PACKETS, SIGNALS
from tertulia_sfu.tokens import Tokens

_OPERATION = {  # how an action is asked for, about things that do not exist: allowed means anything but 401 and 403
    Action.CREATE_ROOM: ("POST", "/rooms", {}),
    Action.LIST_ROOMS: ("GET", "/rooms?maxItems=1", None),
    Action.GET_ROOM: ("GET", "/rooms/{room}", None),
    Action.UPDATE_ROOM: ("PUT", "/rooms/{room}", {}),
    Action.DELETE_ROOM: ("DELETE", "/rooms/{spare}", None),
    Action.ROTATE_LINKS: ("POST", "/rooms/{spare}/rotate-links", None),
    Action.END_MEETING: ("POST", "/rooms/{room}/end", None),
    Action.LOCK_ROOM: ("PUT", "/rooms/{room}/lock", None),
    Action.UNLOCK_ROOM: ("DELETE", "/rooms/{room}/lock", None),
    Action.LIST_PARTICIPANTS: ("GET", "/rooms/{room}/participants", None),
    Action.DISCONNECT_PARTICIPANT: ("DELETE", "/participants/nobody?roomName={room}", None),
    Action.CHANGE_ROLE: ("PUT", "/rooms/{room}/participants/nobody", {"role": "viewer"}),
    Action.MUTE_PARTICIPANT: ("POST", "/rooms/{room}/participants/nobody/mute", None),
    Action.MUTE_ALL: ("POST", "/rooms/{room}/mute-all", None),
    Action.STOP_CAMERA: ("POST", "/rooms/{room}/participants/nobody/stop-camera", None),
    Action.ASK_TO_UNMUTE: ("POST", "/rooms/{room}/participants/nobody/ask-to-unmute", None),
    Action.RAISE_HAND: ("PUT", "/rooms/{room}/participants/{self}/hand", None),
    Action.LOWER_HAND: ("DELETE", "/rooms/{room}/participants/{self}/hand", None),
    Action.LOWER_ALL_HANDS: ("DELETE", "/rooms/{room}/hands", None),
    Action.REACT: ("POST", "/rooms/{room}/participants/{self}/reactions", {"reaction": "👍"}),
    Action.TAKE_TOKEN: ("POST", "/participants/token", {}),
    Action.LOOK_AT_LINK: ("POST", "/participants/role", {}),
    Action.REFRESH_TOKEN: ("POST", "/participants/token/refresh", {}),
    Action.START_RECORDING: ("POST", "/recordings", {"roomName": "{room}"}),
    Action.STOP_RECORDING: ("PUT", "/recordings/none", None),
    Action.LIST_RECORDINGS: ("GET", "/recordings?maxItems=1", None),
    Action.GET_RECORDING: ("GET", "/recordings/none", None),
    Action.DELETE_RECORDING: ("DELETE", "/recordings/none", None),
    Action.DELETE_RECORDINGS: ("DELETE", "/recordings", {"recordingIds": []}),
    Action.STREAM_RECORDING: ("GET", "/recordings/none/stream", None),
    Action.TICKET: ("POST", "/recordings/none/stream-ticket", None),
    Action.LOG_IN: ("POST", "/auth/login", {}),
    Action.REFRESH_SESSION: ("POST", "/auth/refresh", None),
    Action.LOG_OUT: ("POST", "/auth/logout", None),
    Action.PROFILE: ("GET", "/auth/profile", None),
}
_IN_ROOM = {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER}
_CELLS = [
    pytest.param(base, table, action, actor, id=f"{name}-{action}-{actor}")
    for name, base, table in (("public", PUBLIC, PUBLIC_TABLE), ("internal", INTERNAL, INTERNAL_TABLE))
    for action in table
    for actor in (Actor.API_KEY, Actor.ADMIN, *sorted(_IN_ROOM), Actor.ANYONE)
]


@pytest.fixture(scope="module")
def credentials(server: RestServer):
    room = server.create_room()
    asked = {Actor.API_KEY: {"headers": {"X-API-KEY": "an-api-key-for-tests-0123456789"}}, Actor.ANYONE: {}}
    asked[Actor.ADMIN] = {"bearer": server.log_in()["accessToken"]}
    for actor in _IN_ROOM:
        asked[actor] = {"bearer": server.token(room, f"The {actor}", actor.value)}
    return room, asked


def expected(allowed: frozenset[Actor], actor: Actor) -> set[int] | None:
    """The statuses of a refusal, or None when the action is allowed."""
    if actor in allowed or Actor.ANYONE in allowed:
        return None
    if actor in _IN_ROOM and Actor.HOLDER in allowed:
        return None
    if actor in _IN_ROOM and allowed & _IN_ROOM:
        return {403}
    return {401}


@pytest.mark.parametrize(("base", "table", "action", "actor"), _CELLS)
def test_cell(server: RestServer, credentials, base, table, action, actor):
    """(issue 4) The permission matrix (role or key × endpoint) is one table in the code."""
    room, asked = credentials
    if (action, actor) == (Action.LOG_OUT, Actor.ADMIN):  # it ends the session: one of its own
        asked = asked | {actor: {"bearer": server.log_in()["accessToken"]}}
    method, path, body = _OPERATION[action]
    body = body and {name: room.name if value == "{room}" else value for name, value in body.items()}
    path = path.format(room=room.name, spare="none", self=f"The {actor}")
    answer = server.ask(method, path, body, base=base, key=None, **asked[actor])
    refusal = expected(table[action], actor)
    if action is Action.REFRESH_SESSION:
        assert answer.status_code == 401  # it takes a refresh token, which none of these is
    elif refusal is None:
        assert answer.status_code not in {401, 403, 405, 500}, answer.text
    else:
        assert answer.status_code in refusal, answer.text


@pytest.mark.parametrize("actor", sorted(_IN_ROOM))
@pytest.mark.parametrize("action", ONLY_ONESELF)
def test_for_another(server: RestServer, credentials, action, actor):
    """A hand is raised and a reaction shown by the participant itself; a moderator may lower the hands of others."""
    room, asked = credentials
    method, path, body = _OPERATION[action]
    answer = server.internal(method, path.format(room=room.name, self="nobody"), body, **asked[actor])
    may = (action, actor) == (Action.LOWER_HAND, Actor.MODERATOR)
    assert answer.status_code == (404 if may else 403), answer.text


def test_every_action_is_walked():
    """Nothing can be added to the table without being tested here."""
    assert set(_OPERATION) == set(Action) == set(PUBLIC_TABLE) | set(INTERNAL_TABLE)


# ── another room: whatever is wrong with the request, only 403 is told ──

_ELSEWHERE: Final[dict[Action, tuple[str, str, Any]]] = {
    Action.GET_ROOM: ("GET", "/rooms/{room}", None),
    Action.END_MEETING: ("POST", "/rooms/{room}/end", None),
    Action.LOCK_ROOM: ("PUT", "/rooms/{room}/lock", None),
    Action.UNLOCK_ROOM: ("DELETE", "/rooms/{room}/lock", None),
    Action.LIST_PARTICIPANTS: ("GET", "/rooms/{room}/participants", None),
    Action.DISCONNECT_PARTICIPANT: ("DELETE", "/participants/nobody?roomName={room}", None),
    Action.CHANGE_ROLE: ("PUT", "/rooms/{room}/participants/nobody", {"role": "viewer"}),
    Action.MUTE_PARTICIPANT: ("POST", "/rooms/{room}/participants/nobody/mute", None),
    Action.MUTE_ALL: ("POST", "/rooms/{room}/mute-all", None),
    Action.STOP_CAMERA: ("POST", "/rooms/{room}/participants/nobody/stop-camera", None),
    Action.ASK_TO_UNMUTE: ("POST", "/rooms/{room}/participants/nobody/ask-to-unmute", None),
    Action.RAISE_HAND: ("PUT", "/rooms/{room}/participants/Mona/hand", None),
    Action.LOWER_HAND: ("DELETE", "/rooms/{room}/participants/nobody/hand", None),
    Action.LOWER_ALL_HANDS: ("DELETE", "/rooms/{room}/hands", None),
    Action.REACT: ("POST", "/rooms/{room}/participants/Mona/reactions", {"reaction": "👍"}),
    Action.START_RECORDING: ("POST", "/recordings", None),
    Action.STOP_RECORDING: ("PUT", "/recordings/{recording}", None),
    Action.GET_RECORDING: ("GET", "/recordings/{recording}", None),
    Action.DELETE_RECORDING: ("DELETE", "/recordings/{recording}", None),
    Action.STREAM_RECORDING: ("GET", "/recordings/{recording}/stream", None),
    Action.TICKET: ("POST", "/recordings/{recording}/stream-ticket", None),
}
_FORMS: Final[dict[str, dict[str, Any]]] = {
    "right": {},
    "unknown content type": {"content_type": "text/plain"},
    "no content type": {"content_type": None},
    "no body": {"body": None},
    "body that is not JSON": {"raw": b"{"},
    "unknown field": {"more": {"other": 1}},
    "wrong value": {"more": {"role": 5, "preset": "none"}},
    "bad range": {"headers": {"Range": "bytes=5-1"}},
    "bad key": {"headers": {"Idempotency-Key": "x" * 256}},
    "bad query": {"query": "maxItems=x&nextPageToken=y"},
    "repeated query": {"query": "roomName=none"},
}


@pytest.fixture(scope="module")
def elsewhere(server: RestServer) -> tuple[str, dict[str, str]]:
    """A moderator of one room; the name and a recording of another one."""
    other = server.create_room()
    named = {"room": other.name, "recording": server.add_recording(other.name).id}
    return server.token(server.create_room(), "Mona"), named


_ELSEWHERE_FORMS: Final = [
    (action, form)
    for action in _ELSEWHERE
    for form, options in _FORMS.items()
    # without a body, no room is named where the body names it: see the test after this one
    if action is not Action.START_RECORDING or {"body", "raw"}.isdisjoint(options)
]


@pytest.mark.parametrize(("action", "form"), _ELSEWHERE_FORMS)
def test_other_room_in_any_form(server: RestServer, elsewhere, action, form):
    """(issue 9) Permission is decided before content: a moderator of one room who sends anything to another room gets
    403 and learns nothing else."""
    bearer, named = elsewhere
    method, path, body = _ELSEWHERE[action]
    options = dict(_FORMS[form])
    if action is Action.START_RECORDING:
        body = {"roomName": named["room"]}
    query = options.pop("query", "")
    path = path.format(**named) + (f"{'&' if '?' in path else '?'}{query}" if query else "")
    sent = options.pop("body", body)
    more = options.pop("more", None)
    answer = server.internal(method, path, sent if more is None else (sent or {}) | more, bearer=bearer, **options)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("raw", "content_type", "status"),
    [
        (b"{", "application/json", 422), (b"{", "text/plain", 415), (b"", "application/json", 422),
        (b'["{room}"]', "application/json", 422), (b'{"roomName": 5}', "application/json", 422),
        (b'{"roomId": "{room}", "roomName": "{own}"}', "application/json", 403),
        (b'{"roomId": "{own}", "roomName": "{room}"}', "text/plain", 403),
    ],
)  # fmt: skip
def test_room_that_cannot_be_read(server: RestServer, elsewhere, raw, content_type, status):
    """A body that names no room (no JSON, no text at the name's place) is refused for what is wrong with it, as for a
    moderator who forgot it. One that names two rooms must name the own one twice."""
    bearer, named = elsewhere
    own = server.claims(bearer)["video"]["room"]
    body = raw.replace(b"{room}", named["room"].encode()).replace(b"{own}", own.encode())
    answer = server.internal("POST", "/recordings", raw=body, content_type=content_type, bearer=bearer)
    assert answer.status_code == status


def test_every_action_of_a_moderator_is_tried_elsewhere():
    """Nothing can be added without being tried: a list of recordings names no room, it is the token's."""
    of_moderators = {action for action, allowed in INTERNAL_TABLE.items() if Actor.MODERATOR in allowed}
    assert of_moderators - {Action.LIST_RECORDINGS} == set(_ELSEWHERE)


# ── the media server: every message × everybody who could send it ──

OWN, VIDEO, FOREIGN = "TR_own", "TR_video", "TR_foreign"
OFFER = "\r\n".join(
    [
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:0",
        "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=setup:actpass", "a=sctp-port:5000",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "",
    ]
)  # fmt: skip

State = Callable[[Participant], bool]
# message → what a client sends; which answer shows that it was done; what it changes
SENT: Final[dict[str, tuple[Any, str | None, State | None]]] = {
    "offer": (rtc.SessionDescription(type="offer", sdp=OFFER, id=1), "answer", None),
    "answer": (rtc.SessionDescription(type="answer", sdp=OFFER), None, None),
    "trickle": (rtc.TrickleRequest(candidateInit='{"candidate": ""}'), None, None),
    "add_track": (
        rtc.AddTrackRequest(cid="mic", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE),
        "track_published",
        lambda who: len(who.publications) == 3,
    ),
    "mute": (rtc.MuteTrackRequest(sid=OWN, muted=True), None, lambda who: who.publications[OWN].info.muted),
    "subscription": (
        rtc.UpdateSubscription(track_sids=[FOREIGN], subscribe=False), None,
        lambda who: who.preferences.subscribed == {FOREIGN: False},
    ),
    "track_setting": (
        rtc.UpdateTrackSettings(track_sids=[FOREIGN], disabled=True), None,
        lambda who: FOREIGN in who.preferences.settings,
    ),
    "leave": (rtc.LeaveRequest(), None, lambda who: who.state == models.ParticipantInfo.DISCONNECTED),
    "update_layers": (rtc.UpdateVideoLayers(track_sid=OWN), None, None),
    "subscription_permission": (
        rtc.SubscriptionPermission(all_participants=False), None,
        lambda who: not who.track_access.all_participants,
    ),
    "sync_state": (
        rtc.SyncState(subscription=rtc.UpdateSubscription(track_sids=[FOREIGN])), None,
        lambda who: who.preferences.subscribed == {FOREIGN: False},
    ),
    "simulate": (rtc.SimulateScenario(speaker_update=1), "speakers_changed", None),
    "ping": (5, "pong", None),
    "ping_req": (rtc.Ping(timestamp=5), "pong_resp", None),
    "update_metadata": (
        rtc.UpdateParticipantMetadata(name="Another", request_id=7), "request_response",
        lambda who: who.claims.name == "Another",
    ),
    "update_audio_track": (
        rtc.UpdateLocalAudioTrack(track_sid=OWN, features=[models.AudioTrackFeature.TF_STEREO]), None,
        lambda who: len(who.publications[OWN].info.audio_features) == 1,
    ),
    "update_video_track": (
        rtc.UpdateLocalVideoTrack(track_sid=VIDEO, width=64), None,
        lambda who: who.publications[VIDEO].info.width == 64,
    ),
    "publish_data_track_request": (rtc.PublishDataTrackRequest(pub_handle=1, name="data"), None, None),
    "unpublish_data_track_request": (rtc.UnpublishDataTrackRequest(pub_handle=1), None, None),
    "update_data_subscription": (rtc.UpdateDataSubscription(), None, None),
    "store_data_blob_request": (rtc.StoreDataBlobRequest(request_id=7), None, None),
    "get_data_blob_request": (rtc.GetDataBlobRequest(request_id=7), None, None),
}  # fmt: skip

_PUBLISHING: Final = {"add_track", "mute", "update_audio_track", "update_video_track", "update_layers"}
_DATA: Final = {"publish_data_track_request", "unpublish_data_track_request", "store_data_blob_request"}
_ITSELF: Final = {"update_metadata"}
REFUSED: Final[dict[str, set[str]]] = {
    "moderator": _ITSELF,
    "publisher": _ITSELF,
    "viewer": _ITSELF | _PUBLISHING,
    "recorder": _ITSELF | _PUBLISHING | _DATA,
    "moderator, chat off": _ITSELF | _DATA,
    "publisher, chat off": _ITSELF | _DATA,
    "viewer, chat off": _ITSELF | _PUBLISHING | _DATA,
    "recorder, chat off": _ITSELF | _PUBLISHING | _DATA,
    "every grant": set(),
}
"""Who → what the media server refuses, by hand from decisions.md. The last is no role: it shows that grants decide."""


def token_of(who: str) -> str:
    """What the product gives a participant to join with."""
    role, _, chat_off = who.partition(", ")
    preferences = RoomPreferences(chat_enabled=not chat_off)
    room = Room(RoomName("room"), None, Millis(now_ms()), Millis(FAR), None, preferences, RoleSecrets("m", "p", "v"))
    if role == "recorder":
        signer = RecorderTokens(api_key=KEY, api_secret=SECRET)
        return signer.sign(room, RecordingId("r"), now_ms=Millis(now_ms()), lifetime_s=600)
    if role == "every grant":
        grants = api.VideoGrants(room_join=True, room=room.name, can_update_own_metadata=True)
        return api.AccessToken(KEY, SECRET).with_identity("participant").with_grants(grants).to_jwt()
    people = ParticipantTokens(api_key=KEY, api_secret=SECRET, media_url="ws://localhost")
    return people.sign(room, Identity("participant"), Role(role), issued_at_ms=Millis(now_ms()))


def refusals(told: list[rtc.SignalResponse]) -> list[rtc.RequestResponse]:
    answers = [one.request_response for one in told if one.WhichOneof("message") == "request_response"]
    return [one for one in answers if one.reason == rtc.RequestResponse.NOT_ALLOWED]


@pytest.mark.parametrize("message", SENT)
@pytest.mark.parametrize("who", REFUSED)
async def test_signal(who: str, message: str) -> None:
    """(issue 4) The permission matrix (role × signalling message of the embedded server): what the client is told, and
    what changes. "Grants are minimal and enforced by the media server, not only by the page"; roles: "**publisher**
    (publish, subscribe, chat), **viewer** (subscribe only; chat where the room allows it)"."""
    request, told_when_done, changed = SENT[message]
    async with embedded() as running, raw_connection(running, token_of(who)) as connection:
        sid = (await receive(connection, "join")).join.participant.sid
        participant = running.media._runtime.rooms.session(sid).participant
        # even a participant who may not publish could still have them, for the moment in which the grants change
        for track, kind in ((OWN, models.TrackType.AUDIO), (VIDEO, models.TrackType.VIDEO)):
            participant.publications[track] = Publication(models.TrackInfo(sid=track, type=kind), [track])

        await connection.send_bytes(rtc.SignalRequest(**{message: request}).SerializeToString())
        if message == "leave":
            async for _told in connection:
                pass
            assert changed(participant)
            return
        told: list[rtc.SignalResponse] = []
        if message not in REFUSED[who] and told_when_done:
            told += await receive_until(connection, told_when_done)
        await connection.send_bytes(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=9)).SerializeToString())
        told += await receive_until(connection, "pong_resp")
        refused = refusals(told)
        assert len(refused) == (message in REFUSED[who])
        if changed is not None:
            assert changed(participant) == (message not in REFUSED[who])
        for answer in refused:
            check_refusal(answer, message, request)


def check_refusal(answer: rtc.RequestResponse, message: str, request: Any) -> None:
    """The client can tell which of its requests it was, by LiveKit's own means."""
    echo = answer.WhichOneof("request")
    if echo is not None:
        assert echo == message.removesuffix("_request")
        assert getattr(answer, echo) == request
    assert echo or message in {"update_layers", "store_data_blob_request"}
    assert answer.request_id == getattr(request, "request_id", 0)
    assert answer.message.startswith("does not have permission to ")


_CHAT: Final = set(PACKETS) - {"speaker", "transcription"}


@pytest.mark.parametrize("packet", PACKETS)
@pytest.mark.parametrize("who", REFUSED)
def test_data_packet(who: str, packet: str) -> None:
    """ "`canPublishData` is for chat: chat off means false for every role": whatever a packet is called, it is data."""
    claims = Tokens({KEY: SECRET}, lambda: now_ms() / 1000).verify(token_of(who))
    meeting = Meeting()
    sender = meeting.join("participant", claims={"video": claims.video, "kind": claims.kind})
    meeting.join("listener", can_subscribe_metrics=True)
    said = models.DataPacket()
    getattr(said, packet).SetInParent()
    meeting.core_event("DataReceived", sender.sid, channel="reliable", payload=said.SerializeToString())
    may = packet in _CHAT and who != "recorder" and "chat off" not in who
    assert bool(meeting.core.named("send_data")) == may


def test_every_message_is_walked() -> None:
    """Nothing can be added to the protocol without a row in the table and one here."""
    messages = {field.name for field in rtc.SignalRequest.DESCRIPTOR.oneofs_by_name["message"].fields}
    assert messages == set(SIGNALS) == set(SENT)
    packets = {field.name for field in models.DataPacket.DESCRIPTOR.oneofs_by_name["value"].fields}
    assert packets == set(PACKETS)
