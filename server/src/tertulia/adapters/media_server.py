"""The media server by LiveKit's published server API: the same for the embedded one and for a cluster."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
import structlog
from livekit import api
from livekit.api.room_service import RoomService
from livekit.protocol import models
from livekit.protocol import room as room_protocol
from livekit.protocol.webhook import WebhookEvent

from tertulia.domain.access import Grants, Role
from tertulia.domain.ids import Identity, MeetingId, Millis, RoomName
from tertulia.domain.participants import LiveParticipant, LivePublication
from tertulia.errors import Unavailable
from tertulia.services.meetings import MeetingService
from tertulia.services.ports import MediaServerClient
from tertulia.services.tokens import ParticipantMetadata
from tertulia_recorder.job import STOP_ATTRIBUTE

_log = structlog.get_logger(__name__)
T = TypeVar("T")
HAND_ATTRIBUTE: Final = "tertulia.hand"
"""When a participant raised its hand, in milliseconds since the Unix epoch."""
_KEEP_ALIVE_S: Final = 2.0
_TIMEOUT_S: Final = 5
_NO_ROOM: Final = "-"
_DOES_NOT_EXIST: Final = frozenset({"not_found", "unavailable"})
"""Twirp codes for a room that does not run: a server of a cluster says `unavailable`."""
_SOURCE: Final = {
    models.TrackSource.CAMERA: "camera",
    models.TrackSource.MICROPHONE: "microphone",
    models.TrackSource.SCREEN_SHARE: "screen_share",
    models.TrackSource.SCREEN_SHARE_AUDIO: "screen_share_audio",
}


class LiveKitClient(MediaServerClient):
    """A client of a LiveKit-compatible server. Use as an async context manager: it owns a connection pool."""

    def __init__(self, url: str, *, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool; nothing is sent yet."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        # connections are closed before the server (after 5 s here, more elsewhere) can close one under a request
        connector = aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE_S)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=connector)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    @property
    def _service(self) -> RoomService:
        if self._session is None:
            raise RuntimeError("the client is used before it was opened")
        return api.LiveKitAPI(self._url, self._api_key, self._api_secret, session=self._session).room

    async def check(self) -> None:
        """Ask for a room that cannot be there: a server with many rooms would take long to list them all."""
        await _call(self._service.list_rooms(room_protocol.ListRoomsRequest(names=[_NO_ROOM])))

    async def rooms(self, names: Sequence[RoomName] = ()) -> list[RoomName]:
        return list(await self.meetings(names))

    async def meetings(self, names: Sequence[RoomName] = ()) -> dict[RoomName, MeetingId]:
        """Know a meeting by its room's SID."""
        response = await _call(self._service.list_rooms(room_protocol.ListRoomsRequest(names=names)))
        return {RoomName(room.name): MeetingId(room.sid) for room in response.rooms}

    async def participant_counts(self, names: Sequence[RoomName] = ()) -> dict[RoomName, int]:
        """List the rooms: each says how many are in it."""
        response = await _call(self._service.list_rooms(room_protocol.ListRoomsRequest(names=names)))
        return {RoomName(room.name): room.num_participants for room in response.rooms}

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        request = room_protocol.ListParticipantsRequest(room=room)
        response = await _call_or_none(self._service.list_participants(request))
        return [] if response is None else [_live(info) for info in response.participants if _is_connected(info)]

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        """Leave out one that is disconnected but still known there."""
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        info = await _call_or_none(self._service.get_participant(request))
        return _live(info) if info is not None and _is_connected(info) else None

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        return await _call_or_none(self._service.remove_participant(request)) is not None

    async def end(self, room: RoomName) -> None:
        """Delete the room there: clients are told that it was."""
        await _call_or_none(self._service.delete_room(room_protocol.DeleteRoomRequest(room=room)))

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        """Send all grants: UpdateParticipant replaces the whole set. The role is part of the metadata."""
        metadata = json.loads(participant.metadata) if participant.metadata else {}
        request = room_protocol.UpdateParticipantRequest(
            room=room,
            identity=participant.identity,
            metadata=json.dumps(metadata | {"role": role}),
            permission=models.ParticipantPermission(
                can_publish=grants.can_publish,
                can_subscribe=grants.can_subscribe,
                can_publish_data=grants.can_publish_data,
            ),
        )
        await _call_or_none(self._service.update_participant(request))

    async def mute(self, room: RoomName, participant: LiveParticipant, *, source: str = "microphone") -> None:
        for track in participant.publications:
            if track.source == source and not track.muted:
                request = room_protocol.MuteRoomTrackRequest(
                    room=room, identity=participant.identity, track_sid=track.sid, muted=True
                )
                await _call_or_none(self._service.mute_published_track(request))

    async def stop_recorder(self, room: RoomName, identity: Identity, *, age_s: float) -> None:
        """Set an attribute of the recorder's, which only a server can."""
        request = room_protocol.UpdateParticipantRequest(
            room=room, identity=identity, attributes={STOP_ATTRIBUTE: f"{age_s:.3f}"}
        )
        await _call_or_none(self._service.update_participant(request))

    async def set_hand(self, room: RoomName, participant: LiveParticipant, raised_at_ms: Millis | None) -> None:
        """Keep it as an attribute, which participants have no grant to change; an empty value deletes it."""
        request = room_protocol.UpdateParticipantRequest(
            room=room,
            identity=participant.identity,
            attributes={HAND_ATTRIBUTE: "" if raised_at_ms is None else str(raised_at_ms)},
        )
        await _call_or_none(self._service.update_participant(request))

    async def send(
        self, room: RoomName, topic: str, message: Mapping[str, object], to: Sequence[Identity] = ()
    ) -> None:
        """Send a data packet without a sender: the media server sets the sender of a participant's own."""
        request = room_protocol.SendDataRequest(
            room=room,
            topic=topic,
            data=json.dumps(message).encode(),
            kind=models.DataPacket.Kind.RELIABLE,
            destination_identities=to,
            nonce=secrets.token_bytes(16),
        )
        await _call_or_none(self._service.send_data(request))


async def _call(response: Awaitable[T]) -> T:
    """Wait for a response. Raises Unavailable."""
    try:
        return await response
    except api.TwirpError as error:
        raise _unavailable(f"{error.code}: {error.message}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise _unavailable(str(error) or type(error).__name__) from error


async def _call_or_none(response: Awaitable[T]) -> T | None:
    """Wait for a response; None when the room or the participant does not exist. Raises Unavailable."""
    try:
        return await _call(response)
    except Unavailable as error:
        cause = error.__cause__
        if isinstance(cause, api.TwirpError) and cause.code in _DOES_NOT_EXIST and cause.status != 0:
            return None
        raise


def _unavailable(reason: str) -> Unavailable:
    told = "The media server cannot be asked right now"
    return Unavailable("media_unavailable", f"{told}: {reason}", told=told)


def _is_connected(info: models.ParticipantInfo) -> bool:
    return info.state != models.ParticipantInfo.State.DISCONNECTED


def _hand(attribute: str) -> Millis | None:
    return Millis(int(attribute)) if attribute.isdecimal() else None


def _live(info: models.ParticipantInfo) -> LiveParticipant:
    metadata = ParticipantMetadata.parse(info.metadata)
    return LiveParticipant(
        identity=Identity(info.identity),
        name=info.name,
        joined_at_ms=Millis(info.joined_at_ms or info.joined_at * 1000),
        role=None if metadata is None else metadata.role,
        issued_at_ms=Millis(0) if metadata is None else metadata.issued_at_ms,
        grants=Grants(
            can_publish=info.permission.can_publish,
            can_subscribe=info.permission.can_subscribe,
            can_publish_data=info.permission.can_publish_data,
        ),
        hidden=info.permission.hidden or info.permission.recorder,
        metadata=info.metadata,
        hand_raised_at_ms=_hand(info.attributes.get(HAND_ATTRIBUTE, "")),
        publications=tuple(
            LivePublication(
                track.sid,
                _SOURCE.get(track.source, "unknown"),
                track.muted,
                width=track.width,
                height=track.height,
                mime_type=track.mime_type,
            )
            for track in info.tracks
        ),
    )


class MeetingWebhookSink:
    """Passes the media server's webhook events to the service that keeps the two in step."""

    def __init__(self, meetings: MeetingService) -> None:
        self._meetings = meetings

    async def __call__(self, event: WebhookEvent) -> None:
        """Handle one event, of any kind."""
        room = RoomName(event.room.name)
        try:
            if event.event == "participant_joined":
                await self._meetings.participant_joined(room, _live(event.participant))
            elif event.event in {"participant_left", "participant_connection_aborted"}:
                await self._meetings.participant_left(room, _live(event.participant))
            elif event.event in {"track_published", "track_unpublished"}:
                self._meetings.participant_changed(room, _live(event.participant))
            elif event.event == "room_started":
                self._meetings.meeting_started(room)
            elif event.event == "room_finished":
                self._meetings.meeting_ended(room)
                await self._meetings.chat_ended(room, MeetingId(event.room.sid))
        except Unavailable as error:
            _log.warning("a webhook event cannot be handled", webhook_event=event.event, reason=error.message)
