"""The first and last messages of a session."""

from __future__ import annotations

import pytest
from livekit.protocol.models import DisconnectReason, ParticipantInfo, ParticipantPermission, Room
from livekit.protocol.rtc import LeaveRequest

from tertulia_sfu.config import IceServer
from tertulia_sfu.rooms.session_messages import join_message, leave_message, reconnect_message

TURN = IceServer(("turn:example.org",), "user", "password")


@pytest.mark.parametrize("can_publish", [True, False])
def test_join(can_publish: bool) -> None:
    permission = ParticipantPermission(can_publish=can_publish)
    message = join_message(
        room=Room(name="room"),
        participant=ParticipantInfo(identity="ann", permission=permission),
        ice_servers=[TURN],
        node_id="ND_1",
        sif_trailer=b"trailer",
    ).join
    assert (message.room.name, message.participant.identity) == ("room", "ann")
    (server,) = message.ice_servers
    assert (list(server.urls), server.username, server.credential) == (["turn:example.org"], "user", "password")
    assert message.fast_publish is can_publish
    assert message.server_info.node_id == "ND_1"
    assert message.server_info.version == message.server_version


def test_reconnect() -> None:
    message = reconnect_message(ice_servers=[TURN], node_id="ND_1", last_sequence=7).reconnect
    assert (message.last_message_seq, message.server_info.node_id, len(message.ice_servers)) == (7, "ND_1", 1)


@pytest.mark.parametrize(
    ("action", "can_reconnect"),
    [(LeaveRequest.DISCONNECT, False), (LeaveRequest.RESUME, True), (LeaveRequest.RECONNECT, True)],
)
def test_leave_says_to_older_clients_whether_they_can_reconnect(action: int, can_reconnect: bool) -> None:
    message = leave_message(DisconnectReason.STATE_MISMATCH, action).leave
    assert (message.reason, message.action, message.can_reconnect) == (
        DisconnectReason.STATE_MISMATCH,
        action,
        can_reconnect,
    )
