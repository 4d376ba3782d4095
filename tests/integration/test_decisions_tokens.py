"""decisions.md, "Authentication", its tokens: each test quotes the sentence that it holds."""

from __future__ import annotations

import jwt
import pytest

from support.rest import API_KEY, FAR, PASSWORD, RestServer, TestRoom, now_ms

ACCESS, REFRESH, PARTICIPANT = "OvMeetAccessToken", "OvMeetRefreshToken", "OvMeetParticipantToken"


def test_token_confusion(server: RestServer, room: TestRoom):
    """The kinds of token are signed with different keys …; one is never accepted in the place of another (401)."""
    session, participant = server.log_in(), server.token(room, "Ana")
    recording = server.add_recording(room.name)
    ticket = server.internal("POST", f"/recordings/{recording.id}/stream-ticket", bearer=session["accessToken"]).json()[
        "ticket"
    ]
    kinds = {
        "access": session["accessToken"],
        "refresh": session["refreshToken"],
        "participant": participant,
        "ticket": ticket,
    }
    token_body = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("viewer")}
    stream = f"/recordings/{recording.id}/stream"
    places = [  # (what is asked, how a token is shown, which kinds are right there)
        (lambda t: server.ask("GET", "/rooms", bearer=t), {"access"}),
        (lambda t: server.ask("GET", "/rooms", key=t), set()),
        (lambda t: server.ask("GET", "/rooms", cookies={ACCESS: t}), {"access"}),
        (lambda t: server.ask("GET", "/rooms", cookies={PARTICIPANT: t}), set()),
        (lambda t: server.internal("GET", "/rooms", bearer=t), {"access"}),
        (lambda t: server.internal("GET", "/auth/profile", cookies={ACCESS: t}), {"access"}),
        (lambda t: server.internal("POST", "/auth/refresh", cookies={REFRESH: t}), {"refresh"}),
        (lambda t: server.internal("GET", f"/rooms/{room.name}", bearer=t), {"access", "participant"}),
        (lambda t: server.internal("GET", f"/rooms/{room.name}", cookies={PARTICIPANT: t}), {"participant"}),
        (lambda t: server.internal("DELETE", f"/participants/X?roomName={room.name}", bearer=t), {"participant"}),
        (lambda t: server.internal("POST", "/participants/token/refresh", token_body, bearer=t), {"participant"}),
        (lambda t: server.internal("GET", stream, bearer=t), {"access", "participant"}),
        (lambda t: server.internal("GET", f"{stream}?ticket={t}"), {"ticket"}),
        (lambda t: server.ask("GET", f"{stream}?ticket={t}", key=None), set()),
    ]  # fmt: skip
    for number, (ask, right) in enumerate(places):
        for kind, token in kinds.items():
            if kind == "refresh" and "refresh" in right:
                continue  # it is used up by being accepted; see test_session
            status = ask(token).status_code
            assert (status == 401) == (kind not in right), (number, kind, status)


@pytest.mark.parametrize("kind", ["accessToken", "participant"])
def test_forged_tokens(server: RestServer, room: TestRoom, kind):
    """(issue 4) `alg: none`; tampered; expired; other key."""
    token = server.token(room, "Ana") if kind == "participant" else server.log_in()["accessToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    head, body, signature = token.split(".")
    none = jwt.encode(claims, None, algorithm="none")
    kept = server.secrets
    forged = [
        none, none.rstrip(".") + "." + signature, f"{head}.{body}.", f"{head}.{body}x.{signature}", token[:-4] + "AAAA",
        jwt.encode(claims, "x" * 40, algorithm="HS256"), jwt.encode(claims, kept["secret_key"], algorithm="HS256"),
        "", ".", "..", "a.b.c", token * 30,
    ]  # fmt: skip
    if kind == "participant":
        forged += [
            jwt.encode(claims, kept["media_api_secret"], algorithm="HS512"),
            server.signed(claims | {"exp": now_ms() // 1000 - 1}),
            server.signed({k: v for k, v in claims.items() if k != "exp"}),
            server.signed(claims | {"iss": "other"}),
            server.signed(claims | {"metadata": '{"role": "king"}'}),
            server.signed(claims | {"video": {"room": room.name}}),
            server.signed(claims | {"typ": "access", "aud": "tertulia:access"}),
        ]
    for number, one in enumerate(forged):
        answer = server.internal("GET", f"/rooms/{room.name}", bearer=one)
        assert answer.status_code == 401, (number, one)
        if kind == "participant":
            assert server.internal("GET", f"/rooms/{room.name}", cookies={PARTICIPANT: one}).status_code == 401


def test_secrets_are_not_logged(server: RestServer, room: TestRoom):
    """(running.md) never a secret in them (logs)."""
    session = server.log_in()
    recording = server.add_recording(room.name)
    path = f"/recordings/{recording.id}/stream"
    ticket = server.internal("POST", f"{path}-ticket", bearer=session["accessToken"]).json()["ticket"]
    assert server.internal("GET", f"{path}?ticket={ticket}").status_code == 200
    server.ask("GET", f"/rooms?x-api-key={API_KEY}")
    token = server.token(room, "Ana")
    log = server.log()
    for secret in (
        ticket,
        token,
        API_KEY,
        PASSWORD,
        session["accessToken"],
        room.secret("viewer"),
        *server.secrets.values(),
    ):
        assert secret not in log


def test_expired_room_token(server: RestServer):
    """participant 6 h, never beyond the room's expiry: the room bounds even a token that is signed for longer."""
    room = server.create_room(expirationDate=FAR)
    token = server.token(room, "Ana")
    server.ask("DELETE", f"/rooms/{room.name}")
    assert server.internal("GET", f"/rooms/{room.name}", bearer=token).status_code == 401
