"""decisions.md, "Authentication": the console's sessions; each test quotes the sentence that it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.rest import PASSWORD, RestServer, running_server

ACCESS, REFRESH = "OvMeetAccessToken", "OvMeetRefreshToken"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory):
    """A server that these tests may upset."""
    with running_server(tmp_path_factory.mktemp("auth"), TERTULIA_TRUSTED_PROXIES="*") as running:
        yield running


def test_session(server: RestServer):
    """Session of the console: login 200 and both cookies; refresh 200 with new cookies; logout 204, both cleared and
    the session revoked; `GET /auth/profile`."""
    tokens = server.log_in()
    profile = server.internal("GET", "/auth/profile", bearer=tokens["accessToken"])
    assert profile.json() == {"username": "admin", "role": "admin"}
    assert server.internal("GET", "/auth/profile", cookies={ACCESS: tokens["accessToken"]}).status_code == 200
    fresh = server.internal("POST", "/auth/refresh", cookies={REFRESH: tokens["refreshToken"]})
    assert fresh.status_code == 200
    assert len(fresh.raw.headers.getlist("set-cookie")) == 2
    newer = server.internal("POST", "/auth/refresh", bearer=fresh.json()["refreshToken"]).json()
    out = server.internal("POST", "/auth/logout", bearer=newer["accessToken"])
    assert (out.status_code, out.content) == (204, b"")
    assert all("Max-Age=0" in cookie for cookie in out.raw.headers.getlist("set-cookie"))
    assert server.internal("GET", "/auth/profile", bearer=newer["accessToken"]).status_code == 401
    assert server.internal("POST", "/auth/refresh", bearer=newer["refreshToken"]).status_code == 401
    assert server.internal("POST", "/auth/logout").status_code == 204


def test_password_changed_in_the_environment(tmp_path: Path):
    """the environment or the CLI can set or rotate them: sessions begun with the old password end, others stay."""
    with running_server(tmp_path) as server:
        session = server.log_in()["accessToken"]
    with running_server(tmp_path) as server:
        assert server.internal("GET", "/auth/profile", bearer=session).status_code == 200
    with running_server(tmp_path, TERTULIA_ADMIN_PASSWORD="another password") as server:
        assert server.internal("GET", "/auth/profile", bearer=session).status_code == 401
        old, new = ({"username": "admin", "password": password} for password in (PASSWORD, "another password"))
        assert server.internal("POST", "/auth/login", old).status_code == 401
        assert server.internal("POST", "/auth/login", new).status_code == 200


def test_refresh_reuse(server: RestServer):
    """the old refresh token dies; reuse revokes the session, 401 without one."""
    first = server.log_in()
    second = server.internal("POST", "/auth/refresh", bearer=first["refreshToken"]).json()
    assert server.internal("POST", "/auth/refresh", bearer=first["refreshToken"]).status_code == 401
    assert server.internal("POST", "/auth/refresh", bearer=second["refreshToken"]).status_code == 401
    assert server.internal("GET", "/auth/profile", bearer=second["accessToken"]).status_code == 401
    for none in (None, "x", second["accessToken"]):
        assert server.internal("POST", "/auth/refresh", bearer=none).status_code == 401


def test_login_failures(own: RestServer):
    """After 10 failures in 5 minutes for an account or an address: 429 with `Retry-After`, without telling whether the
    account exists. Only failures count."""

    def log_in(username: str, password: str, address: str):
        headers = {"X-Forwarded-For": address}
        return own.internal("POST", "/auth/login", {"username": username, "password": password}, headers=headers)

    unknown = [log_in("nobody", "x", "10.0.0.1") for _ in range(11)]
    assert [answer.status_code for answer in unknown] == [401] * 10 + [429]
    assert 0 < int(unknown[-1].headers["retry-after"]) <= 300
    assert log_in("admin", PASSWORD, "10.0.0.1").status_code == 429  # the address
    for _ in range(15):
        assert log_in("admin", PASSWORD, "10.0.0.2").status_code == 200
    known = [log_in("admin", "x", f"10.0.1.{number}") for number in range(11)]
    assert [answer.status_code for answer in known] == [401] * 10 + [429]  # the account
    assert {a.text.replace(a.json()["requestId"], "") for a in (unknown[0], known[0])} == {
        unknown[0].text.replace(unknown[0].json()["requestId"], "")
    }
    assert log_in("admin", PASSWORD, "10.0.0.3").status_code == 429
