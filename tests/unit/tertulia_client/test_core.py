"""When a request is sent again, and what its errors say: pure rules, without a server."""

from __future__ import annotations

import httpx
import pytest

from tertulia_client.core import Attempts, Call, Settings, make_call, settings_from, without_key
from tertulia_client.errors import ApiError, ConnectionFailed, ServerError, TimedOut, UnexpectedAnswer
from tertulia_client.operations import CREATE_ROOM, DELETE_ROOM, GET_ROOM, ROTATE_ROOM_LINKS

SETTINGS = Settings("https://meet.example.com", "the-key", retries=2)
READ = make_call(SETTINGS, GET_ROOM, path={"room_name": "a"})
CREATE = make_call(SETTINGS, CREATE_ROOM, body={"expirationDate": 1, "roomNamePrefix": None})
DELETE = make_call(SETTINGS, DELETE_ROOM, path={"room_name": "a"})
ROTATE = make_call(SETTINGS, ROTATE_ROOM_LINKS, path={"room_name": "a"})
BROKEN = httpx.ReadError("broken")


def answer(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": "a_code", "message": "A sentence"}, headers=headers)


@pytest.mark.parametrize("call", [READ, CREATE, DELETE])
def test_what_may_be_repeated_is_repeated_twice(call: Call):
    attempts = Attempts(call, SETTINGS)
    waits = [attempts.failed(BROKEN), attempts.failed(BROKEN)]
    assert 0 < waits[0] < waits[1] <= 0.8
    with pytest.raises(ConnectionFailed):
        attempts.failed(BROKEN)


def test_what_the_server_may_have_seen_is_not_repeated():
    with pytest.raises(ConnectionFailed):
        Attempts(ROTATE, SETTINGS).failed(BROKEN)
    with pytest.raises(ApiError):
        Attempts(ROTATE, SETTINGS).answered(answer(503))


def test_what_the_server_has_not_seen_is_repeated():
    assert Attempts(ROTATE, SETTINGS).failed(httpx.ConnectError("refused")) > 0
    assert Attempts(ROTATE, SETTINGS).answered(answer(429, **{"retry-after": "7"})) == 7


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_servers_that_are_busy_are_asked_again(status: int):
    assert Attempts(CREATE, SETTINGS).answered(answer(status, **{"retry-after": "7"})) == 7
    assert 0 < (Attempts(CREATE, SETTINGS).answered(answer(status)) or 0) <= 0.4
    with pytest.raises(ApiError) as caught:
        Attempts(CREATE, SETTINGS).answered(answer(status, **{"retry-after": "61"}))
    assert caught.value.retry_after_s == 61


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_other_refusals_are_final(status: int):
    with pytest.raises(ApiError) as caught:
        Attempts(READ, SETTINGS).answered(answer(status))
    assert (caught.value.status, caught.value.code) == (status, "a_code")
    assert isinstance(caught.value, ServerError) == (status == 500)


def test_a_deletion_whose_answer_was_lost():
    attempts = Attempts(DELETE, SETTINGS)
    attempts.failed(BROKEN)
    assert attempts.answered(answer(404)) is None
    attempts = Attempts(DELETE, SETTINGS)
    attempts.failed(httpx.ConnectError("refused"))
    with pytest.raises(ApiError):
        attempts.answered(answer(404))


def test_errors_in_words():
    with pytest.raises(TimedOut, match=r"https://meet\.example\.com did not answer in time"):
        Attempts(ROTATE, SETTINGS).failed(httpx.ReadTimeout("late"))
    with pytest.raises(UnexpectedAnswer, match="redirects"):
        Attempts(READ, SETTINGS).answered(httpx.Response(301, headers={"location": "https://other.example"}))


def test_keys_and_bodies():
    assert CREATE.headers["idempotency-key"] != make_call(SETTINGS, CREATE_ROOM).headers["idempotency-key"]
    assert CREATE.body == {"expirationDate": 1}
    assert "idempotency-key" not in ROTATE.headers


def test_the_key_goes_to_no_other_server():
    there = without_key(READ, "https://bucket.example/film.mp4?signature=1")
    assert there.url == "https://bucket.example/film.mp4?signature=1"
    assert "the-key" not in str(dict(there.headers))
    assert "params" not in there.options()


def test_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERTULIA_URL", "https://meet.example.com/")
    monkeypatch.setenv("TERTULIA_API_KEY", "the-key")
    assert settings_from(None, None, timeout_s=30, retries=2) == SETTINGS
    assert "the-key" not in repr(SETTINGS)
    with pytest.raises(ValueError, match="server's address"):
        settings_from("meet.example.com", "k", timeout_s=1, retries=0)
