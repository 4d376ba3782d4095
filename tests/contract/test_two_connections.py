"""The older signalling (`/rtc`): one peer connection for what a client sends, another for what it receives."""

from __future__ import annotations

from typing import Any, Final

import pytest
from livekit import api, rtc
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, RequestResponse, SignalRequest, SignalResponse, UpdateParticipantMetadata

from support.livekit_clients import RED, is_near, joined, mean_colour, token, tone
from support.media_servers import RunningServer
from support.signal_connection import legacy_connection, receive, receive_until

TWO: Final = rtc.RoomOptions(single_peer_connection=False)
CAMERA = rtc.TrackSource.SOURCE_CAMERA
MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


async def test_sound_pictures_and_data_reach_clients_of_both_kinds(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room), options=TWO) as ann,
        joined(server, token(server, "bob", room), options=TWO) as bob,
        joined(server, token(server, "eve", room)) as eve,
    ):
        await ann.shows(RED, simulcast=True)
        await ann.sounds(440)
        for receiver in (bob, eve):
            assert is_near(await mean_colour(await receiver.receives("ann", CAMERA), RED), RED)
            assert await tone(await receiver.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)
        await ann.wait_for_event("local_track_subscribed")
        await ann.me.publish_data(b"to both")
        for receiver in (bob, eve):
            (packet,) = await receiver.wait_for_event("data_received")
            assert (packet.data, packet.participant.identity) == (b"to both", "ann")
        await eve.me.publish_data(b"back", reliable=False)
        (packet,) = await ann.wait_for_event("data_received")
        assert packet.data == b"back"
        await eve.sounds(880)
        assert await tone(await ann.receives("eve", MICROPHONE), 880) == pytest.approx(880, abs=20)


async def test_a_session_is_resumed_and_both_connections_go_on(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room), options=TWO) as ann,
        joined(server, token(server, "bob", room)) as bob,
    ):
        await ann.sounds(440)
        await bob.sounds(880)
        heard = [await bob.receives("ann", MICROPHONE), await ann.receives("bob", MICROPHONE)]
        sid = ann.me.sid
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        await ann.wait_for_event("reconnected")
        assert ann.me.sid == sid
        assert bob.events_named("participant_disconnected") == []
        assert await tone(heard[0], 440) == pytest.approx(440, abs=20)
        assert await tone(heard[1], 880) == pytest.approx(880, abs=20)
        await bob.shows(RED)
        assert is_near(await mean_colour(await ann.receives("bob", CAMERA), RED), RED)
        await bob.me.publish_data(b"after it")
        await ann.wait_for_event("data_received")


async def test_after_a_full_reconnect_everything_is_there_again(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room), options=TWO) as ann,
        joined(server, token(server, "bob", room)) as bob,
    ):
        await bob.sounds(880)
        await ann.receives("bob", MICROPHONE)
        sid = ann.me.sid
        await ann.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await ann.wait_for_event("reconnected", within_s=30)
        await bob.until(
            lambda: (seen := bob.room.remote_participants.get("ann")) and seen.sid != sid, "ann's new session"
        )
        assert await tone(await ann.receives("bob", MICROPHONE), 880) == pytest.approx(880, abs=20)


async def test_who_may_receive_later_is_offered_tracks_then(
    server: RunningServer, room: str, admin: api.LiveKitAPI
) -> None:
    async with (
        joined(server, token(server, "ann", room, can_subscribe=False), options=TWO) as ann,
        joined(server, token(server, "bob", room)) as bob,
    ):
        await bob.sounds(880)
        await bob.me.publish_data(b"before", destination_identities=["ann"])
        await ann.wait_for_event("data_received")
        permission = api.ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True)
        await admin.room.update_participant(
            api.UpdateParticipantRequest(room=room, identity="ann", permission=permission)
        )
        assert await tone(await ann.receives("bob", MICROPHONE), 880) == pytest.approx(880, abs=20)


async def test_the_first_messages(server: RunningServer, room: str) -> None:
    async with legacy_connection(server, token(server, "ann", room)) as connection:
        join = (await receive(connection, "join")).join
        assert (join.subscriber_primary, join.fast_publish, join.server_info.protocol) == (True, True, 17)
        offer = (await receive(connection, "offer")).offer
        assert offer.type == "offer"
        assert offer.id > 0
        assert "m=application" in offer.sdp


@pytest.mark.parametrize(
    ("grants", "query"), [({"can_subscribe": False}, {}), ({}, {"protocol": "2"})], ids=["grants", "old protocol"]
)
async def test_the_connection_that_sends_counts_otherwise(
    server: RunningServer, room: str, grants: dict[str, Any], query: dict[str, str]
) -> None:
    async with legacy_connection(server, token(server, "ann", room, **grants), **query) as connection:
        assert not (await receive(connection, "join")).join.subscriber_primary


async def test_a_resume_of_an_unknown_session_asks_for_a_new_one(server: RunningServer, room: str) -> None:
    async with legacy_connection(server, token(server, "ann", room), reconnect="1", sid="PA_unknown") as connection:
        first = SignalResponse.FromString(await connection.receive_bytes())
        assert first.WhichOneof("message") == "leave"
        assert (first.leave.reason, first.leave.action) == (DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT)


async def test_only_clients_that_know_positive_answers_get_them(server: RunningServer, room: str) -> None:
    access = token(server, "ann", room, can_update_own_metadata=True)
    request = SignalRequest(update_metadata=UpdateParticipantMetadata(metadata="new", request_id=7))
    async with legacy_connection(server, access, protocol="15") as connection:
        await receive(connection, "join")
        await connection.send_bytes(request.SerializeToString())
        answer = (await receive(connection, "request_response")).request_response
        assert (answer.request_id, answer.reason) == (7, RequestResponse.OK)
    async with legacy_connection(server, access, protocol="14") as connection:
        await receive(connection, "join")
        await connection.send_bytes(request.SerializeToString())
        await connection.send_bytes(SignalRequest(ping=1).SerializeToString())
        kinds = [message.WhichOneof("message") for message in await receive_until(connection, "pong")]
        assert "request_response" not in kinds
