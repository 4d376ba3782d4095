"""decisions.md, "Authentication": each test quotes the sentence that it holds."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

import pytest

from support.rest import API_KEY, COMMAND, INTERNAL, PASSWORD, PUBLIC, RestServer, TestRoom, now_ms, running_server
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.sql.store import open_store
from tertulia.domain.rooms import RoleSecrets
from tertulia.services.api_keys import ApiKeyService

ACCESS, REFRESH, PARTICIPANT = "OvMeetAccessToken", "OvMeetRefreshToken", "OvMeetParticipantToken"


def test_api_key_header_only(server: RestServer):
    """`X-API-KEY` (header only, never the query string; not as bearer)."""
    assert server.ask("GET", "/rooms?maxItems=1").status_code == 200
    for wrong in (
        {"key": None}, {"key": "wrong"}, {"key": ""}, {"key": f"{API_KEY} "[:-2]}, {"bearer": API_KEY},
        {"cookies": {"X-API-KEY": API_KEY}},
    ):  # fmt: skip
        answer = server.ask("GET", "/rooms", **wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), wrong
        assert "www-authenticate" in answer.headers
    assert server.ask("GET", f"/rooms?X-API-KEY={API_KEY}&x-api-key={API_KEY}", key=None).status_code == 401


def test_cookie_or_bearer(server: RestServer, room: TestRoom):
    """The tokens (not the API key) are accepted as `Authorization: Bearer` too, since cookies are not sent inside a
    foreign site's iframe."""
    session, participant = server.log_in(), server.token(room, "Ana")
    for path, cookie, token in (
        ("/auth/profile", ACCESS, session["accessToken"]),
        (f"/rooms/{room.name}/participants", PARTICIPANT, participant),
    ):
        assert server.internal("GET", path, cookies={cookie: token}).status_code == 200
        assert server.internal("GET", path, bearer=token).status_code == 200
    renewed = server.internal("POST", "/auth/refresh", cookies={REFRESH: session["refreshToken"]})
    assert renewed.status_code == 200
    assert server.internal("POST", "/auth/refresh", bearer=renewed.json()["refreshToken"]).status_code == 200
    assert server.internal("GET", "/auth/profile", bearer=API_KEY).status_code == 401


def test_the_secret_authorises(server: RestServer, room: TestRoom):
    """`POST /participants/token` on the public path has no security in the document: the role's secret is what
    authorises it."""
    body = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("viewer")}
    for key in (None, API_KEY, "wrong"):
        headers = {} if key is None else {"X-API-KEY": key}
        answer = server.ask("POST", "/participants/token", body, key=None, headers=headers)
        assert answer.status_code == 200, key
        assert '"role": "viewer"' in server.claims(answer.json()["token"])["metadata"]
        wrong = server.ask("POST", "/participants/token", body | {"secret": "wrong"}, key=None, headers=headers)
        assert wrong.status_code == 404, key


async def test_comparisons(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Comparisons are constant-time: every secret goes through `hmac.compare_digest`, whichever is right."""
    compared: list[tuple[bytes | str, bytes | str]] = []
    compare = hmac.compare_digest

    def noting(one: bytes | str, other: bytes | str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    links = RoleSecrets("a" * 22, "b" * 22, "c" * 22)
    for secret in ("a" * 22, "c" * 22, "", "x" * 22):
        links.role_of(secret)
        assert len(compared) == 3
        compared.clear()
    store = open_store(f"sqlite:///{tmp_path / 'x.db'}")
    await store.open()
    keys = ApiKeyService(store=store, clock=SystemClock(), secret_key="x", configured="the-key")
    made = [(await keys.create(name)).secret for name in ("one", "two")]
    for key, is_right in [("wrong", False), ("the-ke", False), ("the-key", True), *((each, True) for each in made)]:
        assert (await keys.identify(key) is not None) == is_right
        assert len(compared) == (1 if key == "the-key" else 4), "all of them, whichever is right"
        assert {len(one) for pair in compared for one in pair} == {64}, "digests"
        compared.clear()
    await store.close()


def test_api_key_not_on_internal(server: RestServer):
    """Internal API: cookies or bearer; the API key is not accepted there."""
    for path in ("/rooms", "/recordings", "/auth/profile"):
        assert server.internal("GET", path, headers={"X-API-KEY": API_KEY}).status_code == 401


def test_admin_on_public(server: RestServer):
    """Public API: the API key; an admin session is accepted as well."""
    tokens = server.log_in()
    assert server.ask("GET", "/rooms?maxItems=1", bearer=tokens["accessToken"]).status_code == 200
    assert server.ask("GET", "/rooms?maxItems=1", cookies={ACCESS: tokens["accessToken"]}).status_code == 200
    # a wrong key is not forgiven for a good cookie
    assert (
        server.ask("GET", "/rooms", cookies={ACCESS: tokens["accessToken"]}, headers={"X-API-KEY": "x"}).status_code
        == 401
    )


def test_cookies(server: RestServer):
    """cookies: `Path=/` – the refresh one under the auth path –, `HttpOnly`, `SameSite=Strict`."""
    answer = server.internal("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
    cookies = answer.raw.headers.getlist("set-cookie")
    by_name = {cookie.partition("=")[0]: cookie for cookie in cookies}
    assert set(by_name) == {ACCESS, REFRESH}
    assert "Path=/;" in by_name[ACCESS]
    assert f"Path={INTERNAL}/auth;" in by_name[REFRESH]
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert "Secure" not in cookie


def test_secure_cookies(tmp_path: Path):
    """`Secure` when the public URL is https."""
    with running_server(tmp_path, TERTULIA_PUBLIC_URL="https://meet.example.com") as own:
        login = own.internal("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        assert all("Secure" in cookie for cookie in login.raw.headers.getlist("set-cookie"))
        room = own.create_room()
        assert room.answer["viewerURL"].startswith("https://meet.example.com/meet/")
        body = {"roomName": room.name, "participantName": "A", "secret": room.secret("viewer")}
        answer = own.ask("POST", "/participants/token", body)
        assert "Secure" in answer.headers["set-cookie"]
        assert '"livekitUrl": "wss://meet.example.com"' in own.claims(answer.json()["token"])["metadata"]


def test_bearer_beats_cookie(server: RestServer, room: TestRoom):
    """Bearer beats cookie where both come … so two tabs can be in two rooms."""
    other = server.create_room()
    mine, theirs = server.token(room, "Ana"), server.token(other, "Ana")
    both = {"bearer": mine, "cookies": {PARTICIPANT: theirs}}
    assert server.internal("GET", f"/rooms/{room.name}", **both).status_code == 200
    assert server.internal("GET", f"/rooms/{other.name}", **both).status_code == 403
    spoilt = {"bearer": "nonsense", "cookies": {PARTICIPANT: theirs}}
    assert server.internal("GET", f"/rooms/{other.name}", **spoilt).status_code == 401


def test_lifetimes(server: RestServer, room: TestRoom):
    """Lifetimes: access 15 min; refresh 1 day; participant 6 h, never beyond the room's expiry."""
    import jwt  # noqa: PLC0415

    tokens = server.log_in()

    def lifetime(token: str) -> int:
        claims = jwt.decode(token, options={"verify_signature": False})
        return claims["exp"] - claims.get("iat", claims.get("nbf"))

    assert lifetime(tokens["accessToken"]) == 15 * 60
    assert lifetime(tokens["refreshToken"]) == 24 * 3600
    assert lifetime(server.token(room, "Ana")) == 6 * 3600
    soon = server.create_room(expirationDate=now_ms() + 60_500)
    assert server.claims(server.token(soon, "Ana"))["exp"] == soon.answer["expirationDate"] // 1000


def test_participant_named_admin(server: RestServer, room: TestRoom):
    """(In the original, joining a room under the name "admin" produced a token that worked as an admin session.)"""
    token = server.token(room, "admin")
    for path in ("/rooms", "/auth/profile"):
        assert server.internal("GET", path, bearer=token).status_code == 401
        assert server.internal("GET", path, cookies={ACCESS: token}).status_code == 401
    assert server.ask("GET", "/rooms", cookies={ACCESS: token}).status_code == 401


def test_no_default_secrets(tmp_path: Path):
    """There are no default secrets. The first start generates an API key and an admin password, stores only what it
    must (the password as argon2id), and prints them once, to standard output."""
    with running_server(tmp_path, TERTULIA_API_KEY="", TERTULIA_ADMIN_PASSWORD="") as own:
        printed = (tmp_path / "stdout").read_text()
        key = re.search(r"API key: (\S+)", printed).group(1)
        password = re.search(r"password (\S+)", printed).group(1)
        assert own.ask("GET", "/rooms", key=key).status_code == 200
        assert own.internal("POST", "/auth/login", {"username": "admin", "password": password}).status_code == 200
        for default in ("admin", "meet-api-key", "secret", "devkey"):
            assert own.ask("GET", "/rooms", key=default).status_code == 401
        assert own.write(lambda tx: tx.accounts.credential("admin_password")).startswith("$argon2id$")
        everything = b"".join(path.read_bytes() for path in own.data_dir.rglob("*") if path.is_file())
        assert key.encode() not in everything
        assert password.encode() not in everything
        assert key not in own.log()
        own.stop()
        own.start()
        assert (tmp_path / "stdout").read_text() == printed
        assert own.ask("GET", "/rooms", key=key).status_code == 200
        assert (own.data_dir.stat().st_mode & 0o777, (own.data_dir / "secrets.json").stat().st_mode & 0o777) == (
            0o700,
            0o600,
        )


def test_rotation_by_cli(tmp_path: Path):
    """the environment or the CLI can set or rotate them."""
    import subprocess  # noqa: PLC0415
    import time  # noqa: PLC0415

    def run(*arguments: str, stdin: str = "") -> str:
        command = [COMMAND, *arguments, "--data-dir", tmp_path / "data"]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True, cwd=tmp_path).stdout

    with running_server(tmp_path, TERTULIA_API_KEY="", TERTULIA_ADMIN_PASSWORD="") as own:
        old = re.search(r"API key: (\S+)", (tmp_path / "stdout").read_text()).group(1)
        new = run("keys", "rotate").removeprefix("API key: ").strip()
        deadline = time.monotonic() + 10
        while own.ask("GET", "/rooms", key=old).status_code == 200:
            assert time.monotonic() < deadline
        assert own.ask("GET", "/rooms", key=new).status_code == 200
        run("admin", "set-password", "--stdin", stdin="correct horse\n")
        login = own.internal("POST", "/auth/login", {"username": "admin", "password": "correct horse"})
        assert login.status_code == 200
        run("admin", "set-password", "--stdin", stdin="battery staple\n")
        assert own.internal("GET", "/auth/profile", bearer=login.json()["accessToken"]).status_code == 401


@pytest.mark.parametrize(
    ("mode", "guarded"), [("moderators_only", {"moderator"}), ("all_users", {"moderator", "publisher", "viewer"})]
)
def test_participant_auth(tmp_path: Path, mode, guarded):
    """`TERTULIA_PARTICIPANT_AUTH`: whose `/participants/token` also needs an admin session → 401/403."""
    with running_server(tmp_path, TERTULIA_PARTICIPANT_AUTH=mode) as own:
        room, admin = own.create_room(), own.log_in()["accessToken"]
        for base in (PUBLIC, INTERNAL):
            for role in ("moderator", "publisher", "viewer"):
                ask = lambda role=role, base=base, **more: own.ask(  # noqa: E731
                    "POST",
                    "/participants/token",
                    {"roomName": room.name, "participantName": f"{role}{len(more)}{base[6]}",
                     "secret": room.secret(role)},
                    base=base, key=None, **more,
                )  # fmt: skip
                assert ask().status_code == (401 if role in guarded else 200)
                assert ask(bearer=admin).status_code == 200
                assert ask(cookies={ACCESS: admin}, headers={"x": "y"}).status_code in {200, 409}
        for role in ("moderator", "publisher", "viewer"):
            link = {"roomName": room.name, "secret": room.secret(role)}
            assert own.internal("POST", "/participants/role", link).status_code == (401 if role in guarded else 200)
            assert own.internal("POST", "/participants/role", link, bearer=admin).status_code == 200
        body = {"roomName": room.name, "participantName": "A", "secret": "wrong"}
        assert own.internal("POST", "/participants/token", body).status_code == 403  # the secret comes first
