"""What both clients share and what does no I/O: requests, and when one is sent again."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote, urljoin

import httpx

from tertulia_client.errors import ApiError, ConnectionFailed, NotFound, TimedOut, UnexpectedAnswer, api_error
from tertulia_client.values import encode

T = TypeVar("T")
BASE_PATH: Final = "/meet/api/v1"
NEXT_PAGE: Final = "x-next-page-token"
_UNAVAILABLE: Final = frozenset({502, 503, 504})
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_FIRST_WAIT_S: Final = 0.2
_MAX_WAIT_S: Final = 5.0
_CONNECT_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """A row of the table of operations; `read` makes the result of an answer's JSON."""

    method: str
    path: str
    read: Callable[[object], T]
    is_keyed: bool = False
    """Whether the server takes an Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server is, and how patient its client is. The key is never shown."""

    url: str
    api_key: str = field(repr=False)
    timeout_s: float = 30.0
    retries: int = 3
    max_retry_after_s: float = 60.0

    def http_options(self) -> dict[str, Any]:
        """Return the options of an httpx client: no cookie is kept, no redirect is followed with our key."""
        return {
            "timeout": httpx.Timeout(self.timeout_s, connect=min(_CONNECT_TIMEOUT_S, self.timeout_s)),
            "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            "follow_redirects": False,
        }


def settings_from(url: str | None, api_key: str | None, *, timeout_s: float, retries: int) -> Settings:
    """Make settings; what is not given comes from TERTULIA_URL and TERTULIA_API_KEY. Raise ValueError without them."""
    where = url or os.environ.get("TERTULIA_URL")
    key = api_key or os.environ.get("TERTULIA_API_KEY")
    if not where or not where.startswith(("http://", "https://")):
        raise ValueError("url: the server's address, as in https://meet.example.com (or TERTULIA_URL)")
    if not key:
        raise ValueError("api_key: the key that the server's first start printed (or TERTULIA_API_KEY)")
    return Settings(where.rstrip("/").removesuffix(BASE_PATH), key, timeout_s, retries)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, which may be sent several times."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    is_repeatable: bool = True
    """Whether it does no harm when the server gets it twice."""

    def options(self) -> dict[str, Any]:
        """Return the arguments of httpx's `build_request`."""
        body = {} if self.body is None else {"json": self.body}
        query = {"params": dict(self.query)} if self.query else {}  # httpx would take the query of the address away
        return {"headers": dict(self.headers), **query, **body}

    def resumed(self, written: int, etag: str | None) -> Call:
        """Return the call that goes on after so many bytes of the same file."""
        if not written or etag is None:
            return self
        return replace(self, headers={**self.headers, "range": f"bytes={written}-", "if-range": etag})


def make_call(
    settings: Settings,
    operation: Operation[Any],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> Call:
    """Make the request of an operation. Raise ValueError for what cannot be part of an address."""
    segments = {name: _segment(name, value) for name, value in (path or {}).items()}
    sent = {"x-api-key": settings.api_key}
    if operation.is_keyed:
        sent["idempotency-key"] = key or str(uuid.uuid4())
    return Call(
        operation.method,
        f"{settings.url}{BASE_PATH}{operation.path.format_map(segments)}",
        sent,
        query or {},
        None if body is None else encode(body),
        is_repeatable=operation.is_keyed or operation.method != "POST",
    )


def _segment(name: str, value: str) -> str:
    if value in {"", ".", ".."}:
        raise ValueError(f"{name}: {value!r} cannot be part of an address")
    return quote(value, safe="")


def check_breaks(settings: Settings, breaks: int, error: httpx.HTTPError) -> None:
    """Raise ConnectionFailed when a download has broken off too often."""
    if breaks > settings.retries:
        raise ConnectionFailed(f"the download from {settings.url} broke off {breaks} times") from error


class Attempts:
    """The attempts of one call: says after each how long to wait before the next, or raises."""

    def __init__(self, call: Call, settings: Settings) -> None:
        self._call = call
        self._settings = settings
        self._made = 0
        self._may_be_done = False

    def failed(self, error: httpx.HTTPError) -> float:
        """Return the seconds to wait after an attempt without an answer. Raise ConnectionFailed after the last."""
        self._made += 1
        was_sent = not isinstance(error, _NOT_SENT)
        if self._made <= self._settings.retries and (self._call.is_repeatable or not was_sent):
            self._may_be_done = self._may_be_done or was_sent
            return self._backoff_s()
        kind, what = (TimedOut, "did not answer in time") if isinstance(error, httpx.TimeoutException) else (
            ConnectionFailed, "cannot be reached")  # fmt: skip
        raise kind(f"{self._settings.url} {what}: {type(error).__name__}") from error

    def answered(self, response: httpx.Response) -> float | None:
        """Return None for success, or the seconds to wait. Raise ApiError when the answer is final."""
        self._made += 1
        if response.is_success:
            return None
        error = _error_of(response)
        if isinstance(error, NotFound) and self._may_be_done and self._call.method == "DELETE":
            return None  # an attempt whose answer was lost has deleted it
        wait_s = self._backoff_s() if error.retry_after_s is None else error.retry_after_s
        # a 429 comes before anything was done
        may_repeat = error.status == httpx.codes.TOO_MANY_REQUESTS or (
            error.status in _UNAVAILABLE and self._call.is_repeatable
        )
        if may_repeat and self._made <= self._settings.retries and wait_s <= self._settings.max_retry_after_s:
            return wait_s
        raise error

    def _backoff_s(self) -> float:
        longest = min(_MAX_WAIT_S, _FIRST_WAIT_S * 2.0**self._made)
        return random.uniform(longest / 2, longest)  # noqa: S311 - spreads clients, hides nothing


def read_result(operation: Operation[T], response: httpx.Response) -> T:
    """Read what an operation answers. Raise UnexpectedAnswer for what is no answer of it."""
    if response.status_code in {httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND}:
        return operation.read(None)
    return operation.read(_json(response))


def next_page(query: Mapping[str, str], response: httpx.Response) -> Mapping[str, str] | None:
    """Return the query of the page after this answer."""
    token = response.headers.get(NEXT_PAGE)
    return None if token is None else {**query, "nextPageToken": token}


def page_query(page_size: int) -> Mapping[str, str]:
    """Return the query of a first page."""
    return {"maxItems": str(page_size)}


def _error_of(response: httpx.Response) -> ApiError:
    after = response.headers.get("retry-after", "")
    body: object = None
    if response.headers.get("content-type", "").startswith("application/json"):
        body = _json(response)
    elif response.is_redirect:
        raise UnexpectedAnswer("the server redirects: give the address that it redirects to")
    return api_error(response.status_code, body, float(after) if after.isdigit() else None)


def _json(response: httpx.Response) -> object:
    try:
        data: object = response.json()
    except ValueError as error:
        raise UnexpectedAnswer("the server's answer is not JSON: is this a Tertulia server?") from error
    return data


def without_key(call: Call, url: str) -> Call:
    """Return the call for another address, which may be another server's: our key stays here."""
    headers = {name: value for name, value in call.headers.items() if name != "x-api-key"}
    return replace(call, url=urljoin(call.url, url), headers=headers, query={})
