"""The permission table of the media server, walked cell by cell.

Every message to the embedded media server × everybody who could send it (`tertulia_sfu.rooms.permissions` knows grants;
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
from support.rest import FAR, now_ms
from support.signal_connection import raw_connection, receive, receive_until
from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.rooms import RoleSecrets, Room, RoomPreferences
from tertulia.services.tokens import ParticipantTokens, RecorderTokens
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.permissions import PACKETS, SIGNALS
from tertulia_sfu.tokens import Tokens

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
    "publish_data_track_request": (
        rtc.PublishDataTrackRequest(pub_handle=1, name="data"), "publish_data_track_response",
        lambda who: [info.name for info in who.data_tracks.values()] == ["data"],
    ),
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
    # data blobs are allowed to nobody
    answers = [one for one in answers if one.message.startswith("does not have permission to ")]
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
