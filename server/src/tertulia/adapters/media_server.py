"""The media server by LiveKit's published server API. The same for the embedded one and for a cluster."""

from __future__ import annotations

import json
from collections.abc import Awaitable
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
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import LiveParticipant, LivePublication
from tertulia.errors import Unavailable
from tertulia.services.meetings import MeetingService
from tertulia.services.tokens import ParticipantMetadata

_log = structlog.get_logger(__name__)
T = TypeVar("T")
_KEEP_ALIVE_S: Final = 2.0
_TIMEOUT_S: Final = 5
_GONE: Final = frozenset({"not_found", "unavailable"})
_SOURCE: Final = {
    models.TrackSource.CAMERA: "camera",
    models.TrackSource.MICROPHONE: "microphone",
    models.TrackSource.SCREEN_SHARE: "screen_share",
    models.TrackSource.SCREEN_SHARE_AUDIO: "screen_share_audio",
}


class LiveKitServer:
    """A LiveKit-compatible server. Use as an async context manager: it owns a connection pool."""

    def __init__(self, url: str, *, api_key: str, api_secret: str) -> None:
        self._url = url
        self._api_key = api_key
        self._api_secret = api_secret
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool; nothing is sent yet."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        # a connection is given up before the server (5 s here, more elsewhere) can close it under a request
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
            raise RuntimeError("the media server is used before it was opened")
        return api.LiveKitAPI(self._url, self._api_key, self._api_secret, session=self._session).room

    async def rooms(self) -> list[RoomName]:
        """List the rooms that live right now."""
        answer = await _asked(self._service.list_rooms(room_protocol.ListRoomsRequest()))
        return [RoomName(room.name) for room in answer.rooms]

    async def participants(self, room: RoomName) -> list[LiveParticipant]:
        """List who is in; nobody when the room does not live."""
        request = room_protocol.ListParticipantsRequest(room=room)
        answer = await _asked_or_gone(self._service.list_participants(request))
        return [] if answer is None else [_live(info) for info in answer.participants if _is_in(info)]

    async def participant(self, room: RoomName, identity: Identity) -> LiveParticipant | None:
        """Look for one participant."""
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        info = await _asked_or_gone(self._service.get_participant(request))
        return _live(info) if info is not None and _is_in(info) else None

    async def remove(self, room: RoomName, identity: Identity) -> bool:
        """Disconnect somebody; False when nobody of that name is in."""
        request = room_protocol.RoomParticipantIdentity(room=room, identity=identity)
        return await _asked_or_gone(self._service.remove_participant(request)) is not None

    async def end(self, room: RoomName) -> None:
        """Tell everybody and disconnect them."""
        await _asked_or_gone(self._service.delete_room(room_protocol.DeleteRoomRequest(room=room)))

    async def set_role(self, room: RoomName, participant: LiveParticipant, role: Role, grants: Grants) -> None:
        """Change what somebody is and may do. A permission update replaces the whole set, so all of it is said."""
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
        await _asked_or_gone(self._service.update_participant(request))

    async def mute(self, room: RoomName, participant: LiveParticipant) -> None:
        """Switch off somebody's microphone."""
        for track in participant.publications:
            if track.source == _SOURCE[models.TrackSource.MICROPHONE] and not track.muted:
                request = room_protocol.MuteRoomTrackRequest(
                    room=room, identity=participant.identity, track_sid=track.sid, muted=True
                )
                await _asked_or_gone(self._service.mute_published_track(request))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except api.TwirpError as error:
        raise _unavailable(f"{error.code}: {error.message}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise _unavailable(str(error) or type(error).__name__) from error


async def _asked_or_gone(answer: Awaitable[T]) -> T | None:
    try:
        return await answer
    except api.TwirpError as error:
        if error.code in _GONE and error.status != 0:
            return None
        raise _unavailable(f"{error.code}: {error.message}") from error
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise _unavailable(str(error) or type(error).__name__) from error


def _unavailable(reason: str) -> Unavailable:
    return Unavailable("media_unavailable", f"The media server cannot be asked right now: {reason}")


def _is_in(info: models.ParticipantInfo) -> bool:
    return info.state != models.ParticipantInfo.State.DISCONNECTED


def _live(info: models.ParticipantInfo) -> LiveParticipant:
    ours = ParticipantMetadata.parse(info.metadata)
    return LiveParticipant(
        identity=Identity(info.identity),
        name=info.name,
        joined_at_ms=Millis(info.joined_at_ms or info.joined_at * 1000),
        role=None if ours is None else ours.role,
        issued_at_ms=Millis(0) if ours is None else ours.issued_at_ms,
        grants=Grants(
            can_publish=info.permission.can_publish,
            can_subscribe=info.permission.can_subscribe,
            can_publish_data=info.permission.can_publish_data,
        ),
        hidden=info.permission.hidden or info.permission.recorder,
        metadata=info.metadata,
        publications=tuple(
            LivePublication(track.sid, _SOURCE.get(track.source, "unknown"), track.muted) for track in info.tracks
        ),
    )


class MediaReports:
    """Hands the media server's reports (LiveKit webhooks) to the service that keeps us of one mind with it."""

    def __init__(self, meetings: MeetingService) -> None:
        self._meetings = meetings

    async def __call__(self, event: WebhookEvent) -> None:
        """Take one report; those that change nothing for us are no one's."""
        room = RoomName(event.room.name)
        try:
            if event.event == "participant_joined":
                await self._meetings.joined(room, _live(event.participant))
            elif event.event in {"participant_left", "participant_connection_aborted"}:
                await self._meetings.left(room, _live(event.participant))
        except Unavailable as error:
            _log.warning(
                "report of the media server comes too early or too late", report=event.event, reason=error.message
            )
