"""LiveKit's RoomService: what a server application can read and do in live rooms."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from livekit.protocol import room as api
from livekit.protocol.models import DataPacket, DisconnectReason, ParticipantInfo, RpcRequest, RpcResponse, UserPacket
from livekit.protocol.models import Room as RoomInfo

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.errors import (
    DeadlineExceeded,
    EntityNotFound,
    FailedPrecondition,
    InvalidRequest,
    MediaError,
    ServiceUnavailable,
    Unimplemented,
)
from tertulia_sfu.ids import RoomName, TrackSid, new_rpc_id
from tertulia_sfu.rooms.encoding import participants_list
from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.participant import Participant
from tertulia_sfu.server_api.twirp import Method
from tertulia_sfu.tokens import VideoGrant

SERVICE: Final = "livekit.RoomService"
OTHER_SERVICES: Final = frozenset(
    {"livekit.Egress", "livekit.Ingress", "livekit.SIP", "livekit.AgentDispatchService", "livekit.Connector"}
)
RPC_CALLER: Final = "server-api"
DEFAULT_RPC_TIMEOUT_S: Final = 10.0
MAX_RPC_TIMEOUT_S: Final = 60.0
_NONCE_BYTES: Final = 16


@dataclass(frozen=True)
class RoomServiceHandler:
    """The methods of RoomService. Errors for unknown rooms and participants are the ones that livekit-server has."""

    rooms: LiveRooms
    config: MediaConfig
    clock: Callable[[], float]

    def methods(self) -> dict[str, Method]:
        """Return all methods by name."""
        return {
            "CreateRoom": Method(api.CreateRoomRequest, _may_create, self.create_room),
            "ListRooms": Method(api.ListRoomsRequest, _may_list, self.list_rooms),
            "DeleteRoom": Method(api.DeleteRoomRequest, _may_create, self.delete_room),
            "ListParticipants": Method(api.ListParticipantsRequest, _is_admin, self.list_participants),
            "GetParticipant": Method(api.RoomParticipantIdentity, _is_admin, self.get_participant),
            "RemoveParticipant": Method(api.RoomParticipantIdentity, _is_admin, self.remove_participant),
            "MutePublishedTrack": Method(api.MuteRoomTrackRequest, _is_admin, self.mute_published_track),
            "UpdateParticipant": Method(api.UpdateParticipantRequest, _is_admin, self.update_participant),
            "UpdateSubscriptions": Method(api.UpdateSubscriptionsRequest, _is_admin, self.update_subscriptions),
            "SendData": Method(api.SendDataRequest, _is_admin, self.send_data),
            "UpdateRoomMetadata": Method(api.UpdateRoomMetadataRequest, _is_admin, self.update_room_metadata),
            "PerformRpc": Method(api.PerformRpcRequest, _is_admin, self.perform_rpc),
            "ForwardParticipant": Method(api.ForwardParticipantRequest, _is_admin, _unimplemented),
            "MoveParticipant": Method(api.MoveParticipantRequest, _is_admin, _unimplemented),
        }

    # ── rooms ──

    async def create_room(self, request: api.CreateRoomRequest) -> RoomInfo:
        """Create a room before anyone joins; an existing one is returned unchanged."""
        return self.rooms.create(request, name=RoomName(request.name), now=self.clock()).roster.room_info()

    async def list_rooms(self, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        """Return all rooms, or the named ones."""
        names = set(request.names)
        infos = [room.roster.room_info() for room in self.rooms if not names or room.roster.name in names]
        return api.ListRoomsResponse(rooms=infos)

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """Close a room and disconnect its participants."""
        self._room(request.room).close(DisconnectReason.ROOM_DELETED, self.clock())
        return api.DeleteRoomResponse()

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> RoomInfo:
        """Change the room's metadata and send it to all participants."""
        room = self._room(request.room)
        room.change_metadata(request.metadata, self.clock())
        return room.roster.room_info()

    # ── participants ──

    async def list_participants(self, request: api.ListParticipantsRequest) -> api.ListParticipantsResponse:
        """Return all participants of a room, hidden ones too; none for an unknown room."""
        room = self.rooms.find(request.room)
        return participants_list(room.roster.all_states() if room is not None else [])

    async def get_participant(self, request: api.RoomParticipantIdentity) -> ParticipantInfo:
        """Return one participant."""
        return self._participant(request.room, request.identity)[1].info()

    async def remove_participant(self, request: api.RoomParticipantIdentity) -> api.RemoveParticipantResponse:
        """Disconnect a participant."""
        room, participant = self._participant(request.room, request.identity)
        room.remove(participant, DisconnectReason.PARTICIPANT_REMOVED, self.clock())
        return api.RemoveParticipantResponse()

    async def update_participant(self, request: api.UpdateParticipantRequest) -> ParticipantInfo:
        """Change name, metadata, attributes or permission (the whole set), with effect at once."""
        room, participant = self._participant(request.room, request.identity)
        room.change_participant(
            participant,
            now=self.clock(),
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=dict(request.attributes),
            permission=request.permission if request.HasField("permission") else None,
        )
        return participant.info()

    async def mute_published_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
        """Mute a track; unmuting is left to its publisher, unless `remote_unmute` is set."""
        room, participant = self._participant(request.room, request.identity, missing=ServiceUnavailable)
        publication = participant.publications.get(TrackSid(request.track_sid))
        if publication is None:
            return api.MuteRoomTrackResponse()
        if publication.info.muted and not request.muted and not self.config.remote_unmute:
            raise FailedPrecondition("remote unmute not enabled")
        room.publications.mute_by_moderator(participant, publication, self.clock(), muted=request.muted)
        return api.MuteRoomTrackResponse(track=publication.info)

    async def update_subscriptions(self, request: api.UpdateSubscriptionsRequest) -> api.UpdateSubscriptionsResponse:
        """Subscribe or unsubscribe a participant."""
        room, participant = self._participant(request.room, request.identity, missing=ServiceUnavailable)
        tracks = [*request.track_sids, *(sid for each in request.participant_tracks for sid in each.track_sids)]
        room.subscriptions.set_subscribed(participant, tracks, subscribe=request.subscribe)
        return api.UpdateSubscriptionsResponse()

    # ── data ──

    async def send_data(self, request: api.SendDataRequest) -> api.SendDataResponse:
        """Send a data packet, which has no sender, to all participants or to the named ones."""
        if len(request.nonce) not in {0, _NONCE_BYTES}:
            raise InvalidRequest(f"The nonce has {_NONCE_BYTES} bytes or none.")
        room = self._room(request.room, missing=ServiceUnavailable)
        user = UserPacket(
            payload=request.data,
            topic=request.topic if request.HasField("topic") else None,
            nonce=request.nonce,
            destination_sids=request.destination_sids,
            destination_identities=request.destination_identities,
        )
        packet = DataPacket(kind=request.kind, destination_identities=request.destination_identities, user=user)
        room.data.send(packet, now=self.clock())
        return api.SendDataResponse()

    async def perform_rpc(self, request: api.PerformRpcRequest) -> api.PerformRpcResponse:
        """Call a method that a participant registered, and return its response."""
        room, participant = self._participant(request.room, request.destination_identity, missing=ServiceUnavailable)
        timeout_s = min((request.response_timeout_ms / 1000) or DEFAULT_RPC_TIMEOUT_S, MAX_RPC_TIMEOUT_S)
        call = RpcRequest(
            id=new_rpc_id(),
            method=request.method,
            payload=request.payload,
            response_timeout_ms=int(timeout_s * 1000),
            version=1,
        )
        response = await self._call(room, participant, call, timeout_s)
        if response.HasField("error"):
            raise FailedPrecondition(f"{response.error.message} ({response.error.code})")
        return api.PerformRpcResponse(payload=response.payload)

    async def _call(self, room: LiveRoom, callee: Participant, call: RpcRequest, timeout_s: float) -> RpcResponse:
        response: asyncio.Future[RpcResponse] = asyncio.get_running_loop().create_future()
        packet = DataPacket(
            kind=DataPacket.RELIABLE,
            participant_identity=RPC_CALLER,
            destination_identities=[callee.identity],
            rpc_request=call,
        )
        room.data.expect_rpc_response(call.id, callee, response.set_result)
        try:
            room.data.send(packet, now=self.clock())
            async with asyncio.timeout(timeout_s):
                return await response
        except TimeoutError:
            raise DeadlineExceeded("The participant did not answer in time.") from None
        finally:
            room.data.cancel_rpc(call.id)

    # ── look-up ──

    def _room(self, name: str, *, missing: type[MediaError] = EntityNotFound) -> LiveRoom:
        room = self.rooms.find(name)
        if room is None:
            raise missing("requested room does not exist")
        return room

    def _participant(
        self, room_name: str, identity: str, *, missing: type[MediaError] = EntityNotFound
    ) -> tuple[LiveRoom, Participant]:
        room = self._room(room_name, missing=missing)
        participant = room.roster.find(identity)
        if participant is None:
            raise missing("participant does not exist")
        return room, participant


async def _unimplemented(_request: Message) -> Message:
    raise Unimplemented("Participants cannot be moved between rooms on this server.")


def _may_create(grant: VideoGrant, _request: Message) -> bool:
    return grant.room_create


def _may_list(grant: VideoGrant, _request: Message) -> bool:
    return grant.room_list


def _is_admin(grant: VideoGrant, request: Message) -> bool:
    return grant.room_admin and grant.room == getattr(request, "room", None)
