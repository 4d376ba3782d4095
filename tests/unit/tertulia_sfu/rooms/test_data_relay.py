"""Data packets: who may send, who receives, no duplicates, no forged senders."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.protocol.models import DataPacket, ParticipantInfo, RpcRequest, UserPacket
from livekit.protocol.rtc import DataChannelReceiveState, RequestResponse, SyncState
from structlog.testing import capture_logs

from support.meeting import Guest, Meeting
from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.rooms.data_budget import MESSAGES_BURST
from tertulia_sfu.rooms.data_relay import MAX_PACKET_BYTES


def send_packet(guest: Guest, packet: DataPacket, channel: str = "reliable") -> None:
    guest.meeting.core_event("DataReceived", guest.sid, channel=channel, payload=packet.SerializeToString())


def sent_packets(meeting: Meeting) -> list[tuple[list[str], DataPacket]]:
    """Return what the core was told to send."""
    return [
        (peers, DataPacket.FromString(arguments["payload"])) for peers, arguments in meeting.core.named("send_data")
    ]


def user_packet(payload: bytes = b"hi", **fields: Any) -> DataPacket:
    return DataPacket(user=UserPacket(payload=payload), **fields)


@pytest.mark.parametrize("channel", ["reliable", "lossy"])
def test_the_true_sender_is_stamped_and_gets_no_echo(channel: str) -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    forged = DataPacket(
        participant_identity="bob",
        participant_sid=bob.sid,
        user=UserPacket(payload=b"hi", participant_identity="bob", participant_sid=bob.sid),
    )
    send_packet(ann, forged, channel)
    ((peers, packet),) = sent_packets(meeting)
    assert peers == [bob.sid, eve.sid]
    assert (packet.participant_identity, packet.participant_sid) == ("ann", ann.sid)
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("ann", ann.sid)
    assert packet.kind == (DataPacket.RELIABLE if channel == "reliable" else DataPacket.LOSSY)


def test_a_hidden_sender_is_not_named() -> None:
    meeting = Meeting()
    bob, ghost = meeting.join("bob"), meeting.join("ghost", hidden=True)
    send_packet(ghost, user_packet(participant_identity="ghost"))
    ((peers, packet),) = sent_packets(meeting)
    assert peers == [bob.sid]
    assert packet.participant_sid == ghost.sid, "duplicates are known by it"
    assert (packet.participant_identity, packet.user.participant_identity, packet.user.participant_sid) == ("", "", "")


def test_of_two_connections_the_primary_one_carries_data() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob", is_dual=True)
    mute = meeting.join("mute", is_dual=True, can_subscribe=False)
    send_packet(ann, user_packet())
    assert [peers for peers, _packet in sent_packets(meeting)] == [[f"{bob.sid}/subscriber", mute.sid]]
    meeting.core.commands.clear()
    payload = user_packet().SerializeToString()
    meeting.core_event("DataReceived", f"{bob.sid}/subscriber", channel="reliable", payload=payload)
    assert meeting.core.commands == [], "it only receives"
    meeting.core_event("DataReceived", bob.sid, channel="reliable", payload=payload)
    assert [peers for peers, _packet in sent_packets(meeting)] == [[ann.sid, mute.sid]]


@pytest.mark.parametrize(
    "packet",
    [
        user_packet(destination_identities=["bob"]),
        DataPacket(user=UserPacket(payload=b"x", destination_identities=["bob"])),
    ],
)
def test_destinations_are_kept(packet: DataPacket) -> None:
    meeting = Meeting()
    ann, bob, _eve = meeting.join("ann"), meeting.join("bob"), meeting.join("eve")
    send_packet(ann, packet)
    send_packet(ann, DataPacket(user=UserPacket(payload=b"x", destination_sids=[bob.sid])))
    assert [peers for peers, _packet in sent_packets(meeting)] == [[bob.sid], [bob.sid]]


@pytest.mark.parametrize(
    ("packet", "who"),
    [
        (user_packet(), {"can_publish_data": False}),
        (DataPacket(speaker={}), {}),
        (DataPacket(transcription={}), {}),
    ],
)
def test_packets_that_need_another_grant_are_dropped(packet: DataPacket, who: dict[str, Any]) -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann", **who), meeting.join("bob")
    send_packet(ann, packet)
    assert sent_packets(meeting) == []


def test_transcriptions_need_an_agent_and_metrics_a_grant() -> None:
    meeting = Meeting()
    agent = meeting.join("agent", claims={"kind": ParticipantInfo.AGENT})
    bob = meeting.join("bob")
    watcher = meeting.join("watcher", can_subscribe_metrics=True)
    send_packet(agent, DataPacket(transcription={}))
    send_packet(bob, DataPacket(metrics={}))
    assert [peers for peers, _packet in sent_packets(meeting)] == [[bob.sid, watcher.sid], [watcher.sid]]


def test_a_reliable_packet_is_delivered_once() -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann"), meeting.join("bob")
    for sequence in (1, 2, 2, 1, 3):
        send_packet(ann, user_packet(sequence=sequence))
    assert [packet.sequence for _peers, packet in sent_packets(meeting)] == [1, 2, 3]


def test_packets_sent_while_a_participant_connects_arrive_a_moment_later() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    send_packet(ann, user_packet(b"before", sequence=1))
    meeting.advance(0.1)
    bob = meeting.join("bob", connect=False)
    send_packet(ann, user_packet(b"meanwhile", sequence=2))
    send_packet(ann, user_packet(b"not for bob", sequence=3, destination_identities=["eve"]))
    assert sent_packets(meeting) == []
    bob.connect()
    assert [(peers, packet.user.payload) for peers, packet in sent_packets(meeting)] == [([bob.sid], b"meanwhile")]


def test_after_a_resume_missed_packets_are_replayed() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    for sequence in (1, 2, 3):
        send_packet(ann, user_packet(sequence=sequence))
    meeting.core.commands.clear()
    bob.request(
        sync_state=SyncState(datachannel_receive_states=[DataChannelReceiveState(publisher_sid=ann.sid, last_seq=1)])
    )
    assert [packet.sequence for _peers, packet in sent_packets(meeting)] == [2, 3]


def test_the_replay_is_bounded_in_time_and_size() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    for sequence in range(1, 50):
        send_packet(ann, user_packet(bytes(10_000), sequence=sequence))
    meeting.core.commands.clear()
    nothing_seen = SyncState(datachannel_receive_states=[DataChannelReceiveState(publisher_sid=ann.sid, last_seq=1)])
    bob.request(sync_state=nothing_seen)
    assert sum(len(packet.user.payload) for _peers, packet in sent_packets(meeting)) <= 100_000
    meeting.core.commands.clear()
    meeting.advance(3)
    bob.request(sync_state=nothing_seen)
    assert sent_packets(meeting) == []


def test_a_response_to_the_server_api_is_accepted_only_from_the_callee() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    responses: list[str] = []
    ann.room.data.expect_rpc_response("RPC_1", ann.participant, lambda r: responses.append(r.payload))
    response = DataPacket(rpc_response={"request_id": "RPC_1", "payload": "yes"})
    send_packet(bob, response)
    assert responses == []
    send_packet(ann, DataPacket(rpc_ack={"request_id": "RPC_1"}))
    send_packet(ann, response)
    send_packet(ann, response)
    assert responses == ["yes"]
    send_packet(ann, DataPacket(rpc_request=RpcRequest(id="x", method="m"), destination_identities=["bob"]))
    assert sent_packets(meeting)[-1][1].rpc_request.method == "m"


def test_packets_that_are_too_large_are_refused_with_a_word() -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann"), meeting.join("bob")
    ann.take_kinds()
    for _ in range(100):
        send_packet(ann, user_packet(bytes(MAX_PACKET_BYTES)))
    assert sent_packets(meeting) == []
    assert ann.take_kinds() == ["request_response"], "one in a second"
    meeting.advance(1)
    send_packet(ann, user_packet(bytes(MAX_PACKET_BYTES)))
    refused = ann.last("request_response")
    assert refused.reason == RequestResponse.LIMIT_EXCEEDED
    assert str(MAX_PACKET_BYTES) in refused.message


def test_a_packet_that_its_stamp_makes_too_large_is_refused() -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann" * 80), meeting.join("bob")
    packet = user_packet(bytes(MAX_PACKET_BYTES - 100))
    assert packet.ByteSize() <= MAX_PACKET_BYTES
    send_packet(ann, packet)
    assert sent_packets(meeting) == []
    assert ann.last("request_response").reason == RequestResponse.LIMIT_EXCEEDED


def test_the_sender_waits_for_its_receivers_and_the_server_api_does_not() -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann"), meeting.join("bob")
    send_packet(ann, user_packet(b"hello"))
    ann.room.data.send(user_packet(b"news"), now=meeting.now)
    assert [arguments["sender"] for _peers, arguments in meeting.core.named("send_data")] == [ann.sid, None]
    with pytest.raises(InvalidRequest, match=str(MAX_PACKET_BYTES)):
        ann.room.data.send(user_packet(bytes(MAX_PACKET_BYTES)), now=meeting.now)


def test_a_flood_is_held_back_then_its_sender_is_removed() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    sent = 0
    with capture_logs() as log:
        while not ann.received("leave"):
            sent += 1
            assert sent < 20_000
            send_packet(ann, user_packet(b"x"))
            held = meeting.core.named("hold_data")
            if held:
                assert held[0][0] == ann.sid
                meeting.advance(held[0][1]["seconds"])
                meeting.core.commands.clear()
    assert sent > MESSAGES_BURST
    assert bob.room.roster.find("ann") is None
    (line,) = log
    assert line["log_level"] == "warning"
    assert (line["identity"], line["address"], line["room"]) == ("ann", "unknown", "room")


def test_data_that_a_client_does_not_take_is_logged() -> None:
    meeting = Meeting()
    bob = meeting.join("bob")
    with capture_logs() as log:
        meeting.core_event("DataLost", bob.sid, bytes=70_000)
    (line,) = log
    assert (line["identity"], line["bytes"], line["address"]) == ("bob", 70_000, "unknown")
    assert not bob.received("leave"), "it is not its fault"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_garbage_is_dropped(payload: bytes) -> None:
    meeting = Meeting()
    ann, _bob = meeting.join("ann"), meeting.join("bob")
    for channel in ("reliable", "lossy"):
        meeting.core_event("DataReceived", ann.sid, channel=channel, payload=payload)
    for _peers, packet in sent_packets(meeting):
        assert packet.participant_identity == "ann"
