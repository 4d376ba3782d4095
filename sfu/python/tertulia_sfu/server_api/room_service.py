"""LiveKit's RoomServiceHandler: what a server application may see and do in live rooms."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import Message
from livekit.protocol import room as api
from livekit.protocol.models import DataPacket, DisconnectReason, ParticipantInfo, RpcRequest, RpcResponse, UserPacket
from livekit.protocol.models import Room as RoomInfo

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.errors import InvalidRequest, MediaError, NotFound, NotImplementedHere, NotNow, TooLate, Unreachable
from tertulia_sfu.ids import RoomName, TrackSid, new_rpc_id
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
    """The methods, each a few lines over the live rooms. Unknown rooms and participants raise as LiveKit does."""

    rooms: LiveRooms
    config: MediaConfig
    clock: Callable[[], float]

    def methods(self) -> dict[str, Method]:
        """All methods by name: request type, who may call, what it does."""
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
            "ForwardParticipant": Method(api.ForwardParticipantRequest, _is_admin, _not_here),
            "MoveParticipant": Method(api.MoveParticipantRequest, _is_admin, _not_here),
        }

    # ── rooms ──

    async def create_room(self, request: api.CreateRoomRequest) -> RoomInfo:
        """Make a room before anybody joins; one that exists stays as it is."""
        return self.rooms.create(request, name=RoomName(request.name), now=self.clock()).roster.room_info()

    async def list_rooms(self, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        """All rooms, or those that are named."""
        names = set(request.names)
        infos = [room.roster.room_info() for room in self.rooms if not names or room.roster.name in names]
        return api.ListRoomsResponse(rooms=infos)

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """End a meeting: everybody has to leave."""
        self._room(request.room).close(DisconnectReason.ROOM_DELETED, self.clock())
        return api.DeleteRoomResponse()

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> RoomInfo:
        """Change the room's metadata; everybody is told."""
        room = self._room(request.room)
        room.change_metadata(request.metadata, self.clock())
        return room.roster.room_info()

    # ── participants ──

    async def list_participants(self, request: api.ListParticipantsRequest) -> api.ListParticipantsResponse:
        """Everybody in a room, hidden ones too; an unknown room has nobody."""
        room = self.rooms.find(request.room)
        infos = [one.info() for one in room.roster] if room is not None else []
        return api.ListParticipantsResponse(participants=infos)

    async def get_participant(self, request: api.RoomParticipantIdentity) -> ParticipantInfo:
        """One participant."""
        return self._participant(request.room, request.identity)[1].info()

    async def remove_participant(self, request: api.RoomParticipantIdentity) -> api.RemoveParticipantResponse:
        """Make somebody leave."""
        room, participant = self._participant(request.room, request.identity)
        room.remove(participant, DisconnectReason.PARTICIPANT_REMOVED, self.clock())
        return api.RemoveParticipantResponse()

    async def update_participant(self, request: api.UpdateParticipantRequest) -> ParticipantInfo:
        """Change name, metadata, attributes, permission (the whole set); it holds at once."""
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
        """Mute a track of somebody; unmuting is only for its owner, unless configured."""
        room, participant = self._participant(request.room, request.identity, missing=Unreachable)
        publication = participant.publications.get(TrackSid(request.track_sid))
        if publication is None:
            return api.MuteRoomTrackResponse()
        if publication.info.muted and not request.muted and not self.config.remote_unmute:
            raise NotNow("remote unmute not enabled")
        room.publishing.mute_by_moderator(participant, publication, muted=request.muted)
        return api.MuteRoomTrackResponse(track=publication.info)

    async def update_subscriptions(self, request: api.UpdateSubscriptionsRequest) -> api.UpdateSubscriptionsResponse:
        """Subscribe or unsubscribe somebody."""
        room, participant = self._participant(request.room, request.identity, missing=Unreachable)
        tracks = [*request.track_sids, *(sid for each in request.participant_tracks for sid in each.track_sids)]
        room.subscribing.wish(participant, tracks, subscribe=request.subscribe)
        return api.UpdateSubscriptionsResponse()

    # ── data ──

    async def send_data(self, request: api.SendDataRequest) -> api.SendDataResponse:
        """Send a data packet to everybody, or to those named; it has no sender."""
        if len(request.nonce) not in {0, _NONCE_BYTES}:
            raise InvalidRequest(f"The nonce has {_NONCE_BYTES} bytes or none.")
        room = self._room(request.room, missing=Unreachable)
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
        """Call a method that a participant registered, and wait for its answer."""
        room, participant = self._participant(request.room, request.destination_identity, missing=Unreachable)
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
            raise NotNow(f"{response.error.message} ({response.error.code})")
        return api.PerformRpcResponse(payload=response.payload)

    async def _call(self, room: LiveRoom, callee: Participant, call: RpcRequest, timeout_s: float) -> RpcResponse:
        answer: asyncio.Future[RpcResponse] = asyncio.get_running_loop().create_future()
        packet = DataPacket(
            kind=DataPacket.RELIABLE,
            participant_identity=RPC_CALLER,
            destination_identities=[callee.identity],
            rpc_request=call,
        )
        room.data.expect_rpc_answer(call.id, callee, answer.set_result)
        try:
            room.data.send(packet, now=self.clock())
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise TooLate("The participant did not answer in time.") from None
        finally:
            room.data.forget_rpc(call.id)

    # ── finding ──

    def _room(self, name: str, *, missing: type[MediaError] = NotFound) -> LiveRoom:
        room = self.rooms.find(name)
        if room is None:
            raise missing("requested room does not exist")
        return room

    def _participant(
        self, room_name: str, identity: str, *, missing: type[MediaError] = NotFound
    ) -> tuple[LiveRoom, Participant]:
        room = self._room(room_name, missing=missing)
        participant = room.roster.find(identity)
        if participant is None:
            raise missing("participant does not exist")
        return room, participant


async def _not_here(_request: Message) -> Message:
    raise NotImplementedHere("Participants cannot be moved between rooms on this server.")


def _may_create(grant: VideoGrant, _request: Message) -> bool:
    return grant.room_create


def _may_list(grant: VideoGrant, _request: Message) -> bool:
    return grant.room_list


def _is_admin(grant: VideoGrant, request: Message) -> bool:
    return grant.room_admin and grant.room == getattr(request, "room", None)
