"""The first and last messages of a signal session: `join` for a new one, `reconnect` for a resumed one, and `leave`."""

from collections.abc import Sequence
from typing import Final

from livekit.protocol.models import DisconnectReason, ParticipantInfo, ServerInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import ICEServer, JoinResponse, LeaveRequest, ReconnectResponse, SignalResponse

from tertulia_sfu.config import IceServer
from tertulia_sfu.rooms.protocol import PROTOCOL

# the LiveKit release whose behaviour we follow: clients choose by it which features they use
SERVER_VERSION: Final = "1.13.5"
PING_INTERVAL_S: Final = 5
PING_TIMEOUT_S: Final = 15


def server_info(node_id: str) -> ServerInfo:
    """Return how this server describes itself to clients."""
    return ServerInfo(edition=ServerInfo.Standard, version=SERVER_VERSION, protocol=PROTOCOL, node_id=node_id)


def join_message(
    *,
    room: RoomInfo,
    participant: ParticipantInfo,
    ice_servers: Sequence[IceServer],
    node_id: str,
    sif_trailer: bytes,
    subscriber_primary: bool = False,
) -> SignalResponse:
    """Return the first message of a new session, without the others.

    `subscriber_primary`: of two peer connections, the state of the one that receives counts.
    """
    return SignalResponse(
        join=JoinResponse(
            room=room,
            participant=participant,
            server_version=SERVER_VERSION,
            server_info=server_info(node_id),
            ice_servers=_ice_servers(ice_servers),
            subscriber_primary=subscriber_primary,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            sif_trailer=sif_trailer,
            enabled_publish_codecs=room.enabled_codecs,
            fast_publish=participant.permission.can_publish,
        )
    )


def reconnect_message(*, ice_servers: Sequence[IceServer], node_id: str, last_sequence: int) -> SignalResponse:
    """Return the first message of a resumed session; `last_sequence`: of the last reliable data packet received."""
    return SignalResponse(
        reconnect=ReconnectResponse(
            ice_servers=_ice_servers(ice_servers),
            server_info=server_info(node_id),
            last_message_seq=last_sequence,
        )
    )


def leave_message(
    reason: "DisconnectReason", action: "LeaveRequest.Action" = LeaveRequest.DISCONNECT
) -> SignalResponse:
    """Return the last message of a session; `action` says what the client is to do next."""
    can_reconnect = action != LeaveRequest.DISCONNECT
    return SignalResponse(leave=LeaveRequest(reason=reason, action=action, can_reconnect=can_reconnect))


def _ice_servers(servers: Sequence[IceServer]) -> list[ICEServer]:
    return [ICEServer(urls=each.urls, username=each.username, credential=each.credential) for each in servers]
