"""Joining: who is let in, who is seen, and how participants leave."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import jwt
import pytest
from livekit import api, rtc
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, Ping, SignalRequest

from support.livekit_clients import LiveKitClient, joined, token
from support.media_servers import RunningServer
from support.signal_connection import JOIN, raw_connection, receive, wrapped


async def _validate(server: RunningServer, access_token: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{server.http_url}/rtc/validate", params={"access_token": access_token}) as answer,
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return answer.status, await answer.text()


def _forged(
    server: RunningServer, room: str, *, secret: str | None = None, algorithm: str = "HS256", **claims: Any
) -> str:
    payload = {
        "iss": server.key,
        "sub": "mallory",
        "exp": 4_000_000_000,
        "video": {"roomJoin": True, "room": room},
    } | claims
    payload = {key: value for key, value in payload.items() if value is not None}
    return jwt.encode(payload, server.secret if secret is None else secret, algorithm=algorithm)


async def test_a_good_token_is_valid(server: RunningServer, room: str) -> None:
    assert await _validate(server, token(server, "ann", room)) == (200, "success")
    assert await _validate(server, _forged(server, room)) == (200, "success")


@pytest.mark.parametrize(
    "case", ["none", "garbage", "expired", "other secret", "other key", "alg none", "tampered", "no join"]
)
async def test_a_bad_token_is_refused(server: RunningServer, room: str, case: str) -> None:
    good = token(server, "ann", room)
    header, payload, signature = good.split(".")
    bad = {
        "none": "",
        "garbage": "not.a.token",
        "expired": token(server, "ann", room, life=timedelta(minutes=-5)),
        "other secret": _forged(server, room, secret="x" * 40),
        "other key": _forged(server, room, iss="another-key"),
        "alg none": _forged(server, room, secret="", algorithm="none"),
        "tampered": f"{header}.{payload[:-2]}AA.{signature}",
        "no join": _forged(server, room, video={"room": room}),
    }[case]
    status, sentence = await _validate(server, bad)
    assert status == 401
    if server.name == "embedded":  # livekit-server repeats the token
        assert bad == "" or bad not in sentence
    client = LiveKitClient(rtc.Room())
    with pytest.raises(rtc.ConnectError):
        async with asyncio.timeout(20):
            await client.room.connect(server.ws_url, bad)


@pytest.mark.only("embedded", "livekit-server accepts a token that never expires")
async def test_a_token_that_never_expires_is_refused(server: RunningServer, room: str) -> None:
    status, _sentence = await _validate(server, _forged(server, room, exp=None))
    assert status == 401


@pytest.mark.parametrize(
    "claims", [{"video": {"roomJoin": True}}, {"sub": ""}, {"sub": "x" * 257}], ids=["room", "identity", "long"]
)
async def test_a_token_without_a_room_or_identity_is_refused(server: RunningServer, room: str, claims: dict) -> None:
    status, _sentence = await _validate(server, _forged(server, room, **claims))
    assert status in {400, 401}


async def _status(url: str, **query: str) -> tuple[int, int]:
    """Return the status of a WebSocket's handshake and of `validate`."""
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{url}/validate", params=query) as answer:
            validated = answer.status
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect(url, params=query)
        return caught.value.status, validated


async def test_what_is_missing_or_too_long_has_its_status(server: RunningServer, room: str) -> None:
    v0, v1, request = f"{server.http_url}/rtc", f"{server.http_url}/rtc/v1", wrapped(JOIN)
    long, good = token(server, "x" * 300, room), token(server, "ann", room)
    assert await _status(v0) == (401, 401)
    assert await _status(v1) == (401, 401), "the token is looked at first"
    assert await _status(v1, join_request=request) == (401, 401)
    assert await _status(v1, access_token=good) == (400, 400)
    assert await _status(v0, access_token=long) == (400, 400)
    assert await _status(v1, access_token=long, join_request=request) == (400, 400)
    assert await _status(v0, access_token=_forged(server, room, video={"roomJoin": True})) == (400, 400)
    async with aiohttp.ClientSession() as http:
        for url in (v0, v1):
            async with http.get(url, params={"access_token": good}) as answer:
                assert answer.status == 404, "no WebSocket"


async def test_participants_see_each_other_join_and_leave_at_once(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        async with joined(server, token(server, "bob", room)) as bob:
            seen = await ann.sees("bob")
            assert seen.sid.startswith("PA_")
            await bob.sees("ann")
            await bob.sounds()
            await ann.wait_for_event("track_subscribed")
        await ann.misses("bob", within_s=2)
        (gone,) = await ann.wait_for_event("participant_disconnected")
        assert gone.identity == "bob"
        assert gone.disconnect_reason == DisconnectReason.CLIENT_INITIATED


async def test_a_leave_counts_also_when_the_socket_is_closed_before_the_answers_are_read(
    server: RunningServer, room: str
) -> None:
    ping = SignalRequest(ping_req=Ping(timestamp=1)).SerializeToString()
    leave = SignalRequest(leave=LeaveRequest(reason=DisconnectReason.CLIENT_INITIATED)).SerializeToString()
    async with joined(server, token(server, "ann", room)) as ann:
        async with raw_connection(server, token(server, "bob", room)) as bob:
            await receive(bob, "join")
            await ann.sees("bob")
            for _ in range(50):
                await bob.send_bytes(ping)
            await bob.send_bytes(leave)
        (gone,) = await ann.wait_for_event("participant_disconnected")
        assert (gone.identity, gone.disconnect_reason) == ("bob", DisconnectReason.CLIENT_INITIATED)


async def test_the_newer_of_two_with_one_identity_stays(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room)) as witness,
        joined(server, token(server, "bob", room)) as older,
    ):
        await witness.sees("bob")
        async with joined(server, token(server, "bob", room)) as newer:
            (reason,) = await older.wait_for_event("disconnected")
            assert reason == DisconnectReason.DUPLICATE_IDENTITY
            new_sid = newer.me.sid
            await witness.until(
                lambda: (bob := witness.room.remote_participants.get("bob")) and bob.sid == new_sid, "the new bob"
            )
            names = [
                event.name
                for event in witness.events
                if event.name.startswith("participant_") and event.arguments[0].identity == "bob"
            ]
            order = [name for name in names if name in {"participant_connected", "participant_disconnected"}]
            assert order == ["participant_connected", "participant_disconnected", "participant_connected"]
            assert newer.room.isconnected()


async def _try_to_join(server: RunningServer, access_token: str) -> LiveKitClient | None:
    client = LiveKitClient(rtc.Room())
    client.record_events()
    try:
        async with asyncio.timeout(30):
            await client.room.connect(server.ws_url, access_token)
    except rtc.ConnectError:
        return None
    return client


async def test_no_more_join_than_the_room_holds_however_they_race(server: RunningServer, room: str) -> None:
    def config(made: api.AccessToken) -> None:
        made.with_room_config(api.RoomConfiguration(max_participants=2))

    def enter(name: str, **grants: Any) -> Any:
        return _try_to_join(server, token(server, name, room, change=config, **grants))

    came = [client for client in await asyncio.gather(*(enter(f"p{n}") for n in range(6))) if client]
    recorder = await enter("recorder", hidden=True, recorder=True)
    try:
        assert len(came) == 2
        assert recorder is not None, "a recorder is not counted"
        assert await enter("late") is None
    finally:
        for client in [*came, recorder]:
            if client is not None:
                await client.leaves()


async def test_a_hidden_participant_sees_all_and_is_not_seen(
    server: RunningServer, room: str, admin: api.LiveKitAPI
) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        await ann.sounds()
        async with joined(server, token(server, "ghost", room, hidden=True, can_publish=False)) as ghost:
            await ghost.sees("ann")
            await ghost.wait_for_event("track_subscribed")
            async with joined(server, token(server, "bob", room)) as bob:
                await bob.sees("ann")
                await bob.wait_for_event("track_subscribed")
                assert "ghost" not in bob.room.remote_participants
                listed = await admin.room.list_participants(api.ListParticipantsRequest(room=room))
                assert {one.identity for one in listed.participants} == {"ann", "bob", "ghost"}
        assert "ghost" not in {about[0].identity for about in ann.events_named("participant_connected")}


async def test_a_recorder_makes_the_room_recorded(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        assert not ann.room.is_recording
        async with joined(server, token(server, "recorder", room, hidden=True, recorder=True)):
            await ann.until(lambda: ann.room.is_recording, "the room to be recorded")
        await ann.until(lambda: not ann.room.is_recording, "the recording to end")


async def test_what_a_token_says_of_a_participant_is_sent_to_others(server: RunningServer, room: str) -> None:
    def profile(made: api.AccessToken) -> None:
        made.with_name("Ann <b>of</b> Cleves").with_metadata('{"a": 1}').with_attributes({"mood": "fine"})

    async with (
        joined(server, token(server, "bob", room)) as bob,
        joined(server, token(server, "ann", room, change=profile)),
    ):
        ann = await bob.sees("ann")
        assert (ann.name, ann.metadata, dict(ann.attributes)) == (
            "Ann <b>of</b> Cleves",
            '{"a": 1}',
            {"mood": "fine"},
        )


async def test_room_settings_travel_in_the_token(server: RunningServer, room: str, admin: api.LiveKitAPI) -> None:
    def config(made: api.AccessToken) -> None:
        made.with_room_config(
            api.RoomConfiguration(max_participants=7, empty_timeout=61, departure_timeout=31, metadata="agenda")
        )

    async with joined(server, token(server, "ann", room, change=config)) as ann:
        assert ann.room.metadata == "agenda"
        (found,) = (await admin.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms
        assert (found.max_participants, found.empty_timeout, found.departure_timeout) == (7, 61, 31)
        assert found.sid.startswith("RM_")
