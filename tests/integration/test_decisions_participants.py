"""decisions.md, "Participants": each test quotes the sentence that it holds."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from support.livekit_clients import joined
from support.rest import API_KEY, INTERNAL, PUBLIC, RestServer, TestRoom, now_ms
from support.waiting import until


def token_body(room: TestRoom, name: str, role: str = "publisher") -> dict[str, str]:
    return {"roomName": room.name, "participantName": name, "secret": room.secret(role)}


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("Ana", True), ("x" * 128, True), ("👩‍👩‍👧" * 20, True), ("<script>alert(1)</script>", True), ("a/b?c#d", True),
        ("\u202eevil", True), ("O'Brien \"Q\"", True),
        ("", False), ("   ", False), ("\u3000", False), ("x" * 129, False), ("a\nb", False), ("a\u0000b", False),
        ("\u0085", False), (5, False), (None, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("base", [PUBLIC, INTERNAL])
def test_names(server: RestServer, room: TestRoom, base, name, good):
    """Identity = `participantName` (1–128 characters, not blank, no control characters (Unicode Cc); hostile markup is
    only text)."""
    answer = server.ask("POST", "/participants/token", token_body(room, name), base=base, key=None)
    assert answer.status_code == (200 if good else 422), answer.text
    if good:
        assert server.claims(answer.json()["token"])["sub"] == name


@pytest.mark.parametrize("base", [PUBLIC, INTERNAL])
def test_token_and_cookie(server: RestServer, room: TestRoom, base):
    """Reply body `{"token": …}` and the participant cookie (both paths) hold the same token."""
    answer = server.ask("POST", "/participants/token", token_body(room, "Ana"), base=base, key=None)
    assert set(answer.json()) == {"token"}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"OvMeetParticipantToken={answer.json()['token']};")
    for attribute in ("Path=/", "HttpOnly", "SameSite=Strict"):
        assert attribute in cookie
    assert "Secure" not in cookie


def test_metadata(server: RestServer, room: TestRoom):
    """(running.md) Its `metadata` claim is a JSON string that holds at least `livekitUrl` and `role`."""
    claims = server.claims(server.token(room, "Ana", "viewer"))
    metadata = json.loads(claims["metadata"])
    assert metadata["role"] == "viewer"
    assert metadata["livekitUrl"].startswith("ws://localhost:")


def test_public_unknown_room_or_secret(server: RestServer, room: TestRoom):
    """Public path: unknown room or wrong secret → 404; a name that is taken is no error there."""
    for wrong in ({"roomName": "unknown"}, {"secret": "wrong"}, {"secret": ""}):
        answer = server.ask("POST", "/participants/token", token_body(room, "Ana") | wrong, key=None)
        assert (answer.status_code, answer.json()["code"]) == (404, "room_not_found")
    for _ in range(2):
        assert server.ask("POST", "/participants/token", token_body(room, "Ana"), key=None).status_code == 200


def test_internal_unknown_secret_taken(server: RestServer, room: TestRoom):
    """Internal path: unknown room 404, wrong secret 403, name taken 409: … was given a token in the last 10 s."""
    ask = lambda body: server.internal("POST", "/participants/token", body)  # noqa: E731
    assert ask(token_body(room, "Ana") | {"roomName": "unknown"}).status_code == 404
    assert ask(token_body(room, "Ana") | {"secret": "wrong"}).status_code == 403
    assert ask(token_body(room, "Ana")).status_code == 200
    taken = ask(token_body(room, "Ana"))
    assert (taken.status_code, taken.json()["code"]) == (409, "participant_exists")


def test_of_many_who_ask_at_once(server: RestServer, room: TestRoom):
    """so of many who ask at once exactly one gets it."""
    with ThreadPoolExecutor(20) as threads:
        import requests  # noqa: PLC0415

        url = f"{server.url}{INTERNAL}/participants/token"
        asked = [threads.submit(requests.post, url, json=token_body(room, "Ana"), timeout=30) for _ in range(40)]
        statuses = sorted(one.result().status_code for one in asked)
    assert statuses == [200] + [409] * 39


async def test_taken_is_who_is_in(server: RestServer, room: TestRoom):
    """taken is who is in the room;
    whoever presents the valid participant token of the same room and name is the same person (page reload)
    and gets a new one."""
    token = server.token(room, "Ana", "publisher")
    ask = lambda **more: server.internal("POST", "/participants/token", token_body(room, "Ana"), **more)  # noqa: E731
    async with joined(server, token):
        server.write(lambda tx: tx.memberships.put(_free(tx, room, "Ana")))
        assert (await asyncio.to_thread(ask)).status_code == 409
        assert (await asyncio.to_thread(ask, bearer=token)).status_code == 200
        assert (await asyncio.to_thread(ask, cookies={"OvMeetParticipantToken": token})).status_code == 200
        other_room = server.token(server.create_room(), "Ana")
        other_name = server.token(room, "Bea")
        for not_the_same in (other_room, other_name, server.aged(token, exp=1)):
            assert (await asyncio.to_thread(ask, bearer=not_the_same)).status_code == 409


def _free(tx, room: TestRoom, name: str):
    from dataclasses import replace  # noqa: PLC0415

    return replace(tx.memberships.find(room.name, name), reserved_until_ms=0)


async def test_name_is_free_after_leaving(server: RestServer, room: TestRoom):
    """taken is who is in the room (and no longer who has left it)."""
    answer = await asyncio.to_thread(server.internal, "POST", "/participants/token", token_body(room, "Ana"))
    async with joined(server, answer.json()["token"]):
        pass

    async def is_free() -> bool:
        again = await asyncio.to_thread(server.internal, "POST", "/participants/token", token_body(room, "Ana"))
        return again.status_code == 200

    await until("the name is free", is_free, deadline_s=9)  # sooner than its reservation ends


async def test_refresh(server: RestServer, room: TestRoom):
    """Refresh: 409 while the presented token is still valid for that room and name; 404 if that participant is not in
    the room; 401 for what is no token of this kind; else a new token and cookie."""
    token = server.token(room, "Ana", "publisher")
    run_out = server.aged(token, exp=now_ms() // 1000 - 60)
    body = token_body(room, "Ana")

    async def refresh(wanted=body, **more) -> int:
        answer = await asyncio.to_thread(server.internal, "POST", "/participants/token/refresh", wanted, **more)
        if answer.status_code == 200:
            assert answer.headers["set-cookie"].startswith(f"OvMeetParticipantToken={answer.json()['token']};")
            assert server.claims(answer.json()["token"])["sub"] == "Ana"
        return answer.status_code

    admin = server.log_in()
    for no_token in (None, "nonsense", admin["accessToken"], admin["refreshToken"], server.aged(token, metadata="")):
        assert await refresh(bearer=no_token) == 401
    assert await refresh(wanted={}, bearer=None) == 401  # authentication comes before validation
    assert await refresh(bearer=token) == 409
    assert await refresh(bearer=run_out) == 404
    async with joined(server, token):
        assert await refresh(bearer=token) == 409
        assert await refresh(bearer=run_out) == 200
        assert await refresh(cookies={"OvMeetParticipantToken": run_out}) == 200
        assert await refresh(body | {"secret": "wrong"}, bearer=run_out) == 403
        assert await refresh(body | {"roomName": "unknown"}, bearer=run_out) == 404
        stranger = server.aged(server.token(room, "Mallory"), exp=1)
        assert await refresh(bearer=stranger) == 403


async def test_disconnect(server: RestServer, room: TestRoom):
    """Disconnect: public with API key; internal with a moderator's participant token of the same room (401, 403). 204;
    not there → 404; everyone else is told. The token of someone who was disconnected is dead."""
    hostile = "a/b <i>ü</i>?"
    path = f"/participants/{quote(hostile, safe='')}?roomName={room.name}"
    moderator, token = server.token(room, "Mona"), server.token(room, hostile, "publisher")
    internal = lambda **more: asyncio.to_thread(server.internal, "DELETE", path, **more)  # noqa: E731
    assert (await asyncio.to_thread(server.ask, "DELETE", path)).status_code == 404
    for by_key in (False, True):
        async with joined(server, moderator) as mona, joined(server, token) as other:
            await mona.sees(hostile)
            if by_key:
                assert (await asyncio.to_thread(server.ask, "DELETE", path, key=None)).status_code == 401
                assert (await asyncio.to_thread(server.ask, "DELETE", path)).status_code == 204
            else:
                assert (await internal()).status_code == 401
                assert (await internal(bearer=server.token(room, "Pia", "publisher"))).status_code == 403
                assert (await internal(bearer=server.token(server.create_room(), "Mo"))).status_code == 403
                assert (await internal(bearer=moderator)).status_code == 204
            await other.wait_for_event("disconnected")
            await mona.misses(hostile)
        with pytest.raises(Exception, match=r".+"):
            async with joined(server, token):
                pass
        assert server.internal("GET", f"/rooms/{room.name}", bearer=token).status_code == 401
        token = server.token(room, hostile, "publisher")
    unknown = f"/participants/Nobody?roomName={room.name}"
    assert (await asyncio.to_thread(server.ask, "DELETE", unknown)).status_code == 404
    assert (await asyncio.to_thread(server.ask, "DELETE", "/participants/Nobody?roomName=none")).status_code == 404
    assert (await asyncio.to_thread(server.ask, "DELETE", "/participants/Nobody")).status_code == 422


async def test_role_is_kept(server: RestServer, room: TestRoom):
    """The role of a participant is kept by (room, identity): a moderator can change it, and it beats the role inside an
    older token."""
    moderator, token = server.token(room, "Mona"), server.token(room, "Vera", "viewer")
    path = f"/rooms/{room.name}/participants/Vera"
    async with joined(server, token) as vera:
        change = await asyncio.to_thread(server.internal, "PUT", path, {"role": "publisher"}, bearer=moderator)
        assert (change.status_code, change.json()["role"]) == (200, "publisher")
        await vera.until(lambda: vera.me.permissions.can_publish, "the right to publish")
        assert json.loads(vera.me.metadata)["role"] == "publisher"
    async with joined(server, token) as vera:
        assert vera.me.permissions.can_publish
        people = await asyncio.to_thread(server.ask, "GET", f"/rooms/{room.name}/participants")
        assert [(one["participantName"], one["role"]) for one in people.json()] == [("Vera", "publisher")]
        await asyncio.to_thread(server.internal, "PUT", path, {"role": "moderator"}, bearer=moderator)
        ended = await asyncio.to_thread(server.internal, "POST", f"/rooms/{room.name}/end", bearer=token)
        assert ended.status_code == 204
    # a demotion stays with the name, for everyone who asks; a promotion stays with its holder
    body = token_body(room, "Vera", "viewer")
    again = server.ask("POST", "/participants/token", body, key=None).json()["token"]
    assert json.loads(server.claims(again)["metadata"])["role"] == "viewer"
    same = server.ask("POST", "/participants/token", body, base=PUBLIC, bearer=token).json()["token"]
    assert json.loads(server.claims(same)["metadata"])["role"] == "moderator"


async def test_demotion(server: RestServer, room: TestRoom):
    """a moderator can change it, and it beats the role inside an older token: a demoted moderator has no say."""
    mona, max_ = server.token(room, "Mona"), server.token(room, "Max")
    path = f"/rooms/{room.name}/participants/Max"
    async with joined(server, max_):
        assert (
            await asyncio.to_thread(server.internal, "PUT", path, {"role": "viewer"}, bearer=mona)
        ).status_code == 200
    assert server.internal("POST", f"/rooms/{room.name}/end", bearer=max_).status_code == 403
    again = server.token(room, "Max", "moderator")
    assert server.claims(again)["video"]["canPublish"] is False
    for wrong in ({"role": "king"}, {"role": None}, {}, {"role": "viewer", "x": 1}):
        assert server.internal("PUT", path, wrong, bearer=mona).status_code == 422
    assert server.internal("PUT", path, {"role": "viewer"}, bearer=max_).status_code == 403

    async def is_empty() -> bool:
        return (await asyncio.to_thread(server.ask, "GET", f"/rooms/{room.name}/participants")).json() == []

    await until("the room is empty", is_empty)
    assert server.internal("PUT", path, {"role": "viewer"}, bearer=mona).status_code == 404


async def test_who_may_change_a_role(server: RestServer, room: TestRoom):
    """a moderator can change it: one of the same room, and nobody else; a demotion ends at once what it forbids."""
    mona = server.token(room, "Mona")
    elsewhere = server.token(server.create_room(), "Mona")
    path = f"/rooms/{room.name}/participants/Pia"

    def change(role: str, **credential: Any) -> int:
        return server.internal("PUT", path, {"role": role}, **credential).status_code

    def published() -> list[dict[str, Any]]:
        (participant,) = server.ask("GET", f"/rooms/{room.name}/participants").json()
        return list(participant["tracks"])

    async def is_heard() -> bool:
        return await asyncio.to_thread(published) != []

    async with joined(server, server.token(room, "Pia", "publisher")) as pia:
        for credential, status in (
            ({"bearer": elsewhere}, 403),
            ({"bearer": server.token(room, "Paul", "publisher")}, 403),
            ({"bearer": server.token(room, "Vera", "viewer")}, 403),
            ({"headers": {"X-API-KEY": API_KEY}}, 401),
            ({}, 401),
        ):
            assert await asyncio.to_thread(change, "viewer", **credential) == status, credential
        assert pia.me.permissions.can_publish
        await pia.sounds()
        await until("the microphone is published", is_heard)
        assert await asyncio.to_thread(change, "viewer", bearer=mona) == 200
        assert await asyncio.to_thread(published) == []
        await pia.until(lambda: not pia.me.permissions.can_publish, "the right to publish to go", within_s=2)


async def test_mute(server: RestServer, room: TestRoom):
    """Roles: **moderator** (publish, subscribe, chat, record, kick, mute, end): of the own room; who is muted is told,
    and can speak again."""
    path = f"/rooms/{room.name}/participants/Pia/mute"

    def mute(path: str = path, **credential: Any) -> int:
        return server.internal("POST", path, **credential).status_code

    mona, elsewhere = server.token(room, "Mona"), server.token(server.create_room(), "Mona")
    async with (
        joined(server, server.token(room, "Pia", "publisher")) as pia,
        joined(server, server.token(room, "Vera", "viewer")) as vera,
    ):
        await pia.sounds()
        await vera.wait_for_event("track_subscribed")
        for bearer in (elsewhere, server.token(room, "Paul", "publisher"), server.token(room, "Vic", "viewer")):
            assert await asyncio.to_thread(mute, bearer=bearer) == 403
        assert vera.events_named("track_muted") == []
        assert await asyncio.to_thread(mute, bearer=mona) == 204
        await vera.wait_for_event("track_muted")
        await pia.wait_for_event("track_muted")
        (track,) = pia.me.track_publications.values()
        track.track.unmute()
        await vera.wait_for_event("track_unmuted")
        answer = await asyncio.to_thread(server.ask, "POST", path)
        assert answer.status_code == 204
        await vera.until(lambda: len(vera.events_named("track_muted")) == 2, "to hear of it again")
        nobody = path.replace("Pia", "Nobody")
        assert await asyncio.to_thread(mute, nobody, bearer=mona) == 404


def test_role_of_link(server: RestServer, room: TestRoom):
    """(addition `POST /participants/role`, internal) what a link is good for, before anybody is asked for a name: no
    token, no cookie, no place taken; refused as a token would be."""
    for role in ("moderator", "publisher", "viewer"):
        answer = server.internal("POST", "/participants/role", {"roomName": room.name, "secret": room.secret(role)})
        assert (answer.status_code, answer.json()) == (200, {"role": role})
        assert "set-cookie" not in answer.headers
    for body, status in (
        ({"roomName": "unknown", "secret": room.secret("viewer")}, 404),
        ({"roomName": room.name, "secret": "wrong"}, 403),
        ({"roomName": room.name}, 422),
        ({"roomName": room.name, "secret": room.secret("viewer"), "participantName": "Ana"}, 422),
    ):
        assert server.internal("POST", "/participants/role", body).status_code == status, body


async def test_list_participants(server: RestServer, room: TestRoom):
    """(issue 4) `GET /rooms/{roomName}/participants` (who is in, role, since when, publishing what)."""
    before = now_ms()
    async with joined(server, server.token(room, "Ana", "publisher")) as ana:
        await ana.sounds()
        async with asyncio.timeout(10):
            while True:
                people = (await asyncio.to_thread(server.ask, "GET", f"/rooms/{room.name}/participants")).json()
                if people and people[0]["tracks"]:
                    break
        (one,) = people
        assert (one["participantName"], one["role"]) == ("Ana", "publisher")
        assert before - 1000 <= one["joinedAt"] <= now_ms()
        assert [track["source"] for track in one["tracks"]] == ["microphone"]
        bearer = server.token(room, "Bea", "viewer")
        shown = await asyncio.to_thread(server.internal, "GET", f"/rooms/{room.name}/participants", bearer=bearer)
        assert shown.json() == people
    assert server.ask("GET", "/rooms/unknown/participants").status_code == 404


def test_guessing_secrets_is_slowed_down(server: RestServer, room: TestRoom):
    """At the token paths only wrong tries count and only wrong tries are refused: more than 30 a minute and address get
    429 instead of their 403/404; a right secret is always let in."""
    from support.rest import running_server  # noqa: PLC0415

    with running_server(server.folder / f"guess-{room.name}", TERTULIA_TRUSTED_PROXIES="127.0.0.0/8") as own:
        mine = own.create_room()
        wrong = token_body(mine, "Ana") | {"secret": "wrong"}

        def ask(body, address: str):
            headers = {"X-Forwarded-For": f"9.9.9.9, {address}"}
            return own.ask("POST", "/participants/token", body, key=None, headers=headers)

        for _ in range(40):
            assert ask(token_body(mine, "Ana"), "1.2.3.4").status_code == 200
        unknown = wrong | {"roomName": "unknown"}
        assert [ask(wrong, "1.2.3.4").status_code for _ in range(15)] == [404] * 15
        assert [ask(unknown, "1.2.3.4").status_code for _ in range(15)] == [404] * 15
        for refused in (ask(wrong, "1.2.3.4"), ask(unknown, "1.2.3.4"), ask(wrong, "::ffff:1.2.3.4")):
            assert refused.status_code == 429
            assert 0 < int(refused.headers["retry-after"]) <= 60
        assert ask(token_body(mine, "Ana"), "1.2.3.4").status_code == 200
        assert ask(wrong, "5.6.7.8").status_code == 404
        assert ask(token_body(mine, "Ana"), "5.6.7.8").status_code == 200
