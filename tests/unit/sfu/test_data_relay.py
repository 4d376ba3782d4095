"""Data packets: who may send, who receives, nothing twice, nothing forged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import DataPacket, ParticipantInfo, RpcRequest, UserPacket
from livekit.protocol.rtc import DataChannelReceiveState, SyncState

from support.transcript import Guest, Meeting


def says(guest: Guest, packet: DataPacket, channel: str = "reliable") -> None:
    guest.meeting.happens("DataReceived", guest.sid, channel=channel, payload=packet.SerializeToString())


def sent(meeting: Meeting) -> list[tuple[list[str], DataPacket]]:
    """What the core was asked to send."""
    return [
        (peers, DataPacket.FromString(arguments["payload"])) for peers, arguments in meeting.core.named("send_data")
    ]


def user(payload: bytes = b"hi", **fields: Any) -> DataPacket:
    return DataPacket(user=UserPacket(payload=payload), **fields)


@pytest.mark.parametrize("channel", ["reliable", "lossy"])
def test_the_true_sender_is_stamped_and_gets_no_echo(channel: str) -> None:
    meeting = Meeting()
    ann, bob, eve = meeting.enters("ann"), meeting.enters("bob"), meeting.enters("eve")
    forged = DataPacket(
        participant_identity="bob",
        participant_sid=bob.sid,
        user=UserPacket(payload=b"hi", participant_identity="bob", participant_sid=bob.sid),
    )
    says(ann, forged, channel)
    ((peers, packet),) = sent(meeting)
    assert peers == [bob.sid, eve.sid]
    assert (packet.participant_identity, packet.participant_sid) == ("ann", ann.sid)
    assert (packet.user.participant_identity, packet.user.participant_sid) == ("ann", ann.sid)
    assert packet.kind == (DataPacket.RELIABLE if channel == "reliable" else DataPacket.LOSSY)


@pytest.mark.parametrize(
    "packet",
    [
        user(destination_identities=["bob"]),
        DataPacket(user=UserPacket(payload=b"x", destination_identities=["bob"])),
    ],
)
def test_destinations_are_kept(packet: DataPacket) -> None:
    meeting = Meeting()
    ann, bob, _eve = meeting.enters("ann"), meeting.enters("bob"), meeting.enters("eve")
    says(ann, packet)
    says(ann, DataPacket(user=UserPacket(payload=b"x", destination_sids=[bob.sid])))
    assert [peers for peers, _packet in sent(meeting)] == [[bob.sid], [bob.sid]]


@pytest.mark.parametrize(
    ("packet", "who"),
    [
        (user(), {"can_publish_data": False}),
        (DataPacket(speaker={}), {}),
        (DataPacket(transcription={}), {}),
    ],
)
def test_what_may_not_be_sent_is_dropped(packet: DataPacket, who: dict[str, Any]) -> None:
    meeting = Meeting()
    ann, _bob = meeting.enters("ann", **who), meeting.enters("bob")
    says(ann, packet)
    assert sent(meeting) == []


def test_transcriptions_come_from_agents_and_metrics_go_to_whom_they_may() -> None:
    meeting = Meeting()
    agent = meeting.enters("agent", claims={"kind": ParticipantInfo.AGENT})
    bob = meeting.enters("bob")
    watcher = meeting.enters("watcher", can_subscribe_metrics=True)
    says(agent, DataPacket(transcription={}))
    says(bob, DataPacket(metrics={}))
    assert [peers for peers, _packet in sent(meeting)] == [[bob.sid, watcher.sid], [watcher.sid]]


def test_a_reliable_packet_is_delivered_once() -> None:
    meeting = Meeting()
    ann, _bob = meeting.enters("ann"), meeting.enters("bob")
    for sequence in (1, 2, 2, 1, 3):
        says(ann, user(sequence=sequence))
    assert [packet.sequence for _peers, packet in sent(meeting)] == [1, 2, 3]


def test_packets_sent_while_somebody_connects_arrive_a_moment_later() -> None:
    meeting = Meeting()
    ann = meeting.enters("ann")
    says(ann, user(b"before", sequence=1))
    meeting.passes(0.1)
    bob = meeting.enters("bob", connect=False)
    says(ann, user(b"meanwhile", sequence=2))
    says(ann, user(b"not for bob", sequence=3, destination_identities=["eve"]))
    assert sent(meeting) == []
    bob.connects()
    assert [(peers, packet.user.payload) for peers, packet in sent(meeting)] == [([bob.sid], b"meanwhile")]


def test_after_a_resume_what_was_missed_is_repeated() -> None:
    meeting = Meeting()
    ann, bob = meeting.enters("ann"), meeting.enters("bob")
    for sequence in (1, 2, 3):
        says(ann, user(sequence=sequence))
    meeting.core.commands.clear()
    bob.asks(
        sync_state=SyncState(datachannel_receive_states=[DataChannelReceiveState(publisher_sid=ann.sid, last_seq=1)])
    )
    assert [packet.sequence for _peers, packet in sent(meeting)] == [2, 3]


def test_the_memory_is_bounded_in_time_and_size() -> None:
    meeting = Meeting()
    ann, bob = meeting.enters("ann"), meeting.enters("bob")
    for sequence in range(1, 50):
        says(ann, user(bytes(10_000), sequence=sequence))
    meeting.core.commands.clear()
    nothing_seen = SyncState(datachannel_receive_states=[DataChannelReceiveState(publisher_sid=ann.sid, last_seq=1)])
    bob.asks(sync_state=nothing_seen)
    assert sum(len(packet.user.payload) for _peers, packet in sent(meeting)) <= 100_000
    meeting.core.commands.clear()
    meeting.passes(3)
    bob.asks(sync_state=nothing_seen)
    assert sent(meeting) == []


def test_an_answer_to_the_server_api_is_taken_only_from_the_one_called() -> None:
    meeting = Meeting()
    ann, bob = meeting.enters("ann"), meeting.enters("bob")
    answers: list[str] = []
    ann.session.room.data.expect_rpc_answer("RPC_1", ann.session.participant, lambda r: answers.append(r.payload))
    response = DataPacket(rpc_response={"request_id": "RPC_1", "payload": "yes"})
    says(bob, response)
    assert answers == []
    says(ann, DataPacket(rpc_ack={"request_id": "RPC_1"}))
    says(ann, response)
    says(ann, response)
    assert answers == ["yes"]
    says(ann, DataPacket(rpc_request=RpcRequest(id="x", method="m"), destination_identities=["bob"]))
    assert sent(meeting)[-1][1].rpc_request.method == "m"


@given(st.binary(max_size=200))
def test_garbage_is_dropped(payload: bytes) -> None:
    meeting = Meeting()
    ann, _bob = meeting.enters("ann"), meeting.enters("bob")
    for channel in ("reliable", "lossy"):
        meeting.happens("DataReceived", ann.sid, channel=channel, payload=payload)
    for _peers, packet in sent(meeting):
        assert packet.participant_identity == "ann"
