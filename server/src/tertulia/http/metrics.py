"""`GET /metrics` for Prometheus: requests, recordings, the parts that the server needs, and its media server."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from tertulia.errors import unauthenticated
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.routing import MethodRoute
from tertulia.services.readiness import PartState
from tertulia.services.status import Status

PATH: Final = "/metrics"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "other"
_USABLE: Final = frozenset({PartState.OK, PartState.LOW})


class Metrics:
    """The figures of one server, in a registry of its own; without a token nobody can ask for them."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode() if token else b""
        self._look: Callable[[], Awaitable[Status]] | None = None
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        labels = ["method", "route"]
        self._requests = Counter(
            "tertulia_http_requests", "Requests that were answered.", [*labels, "status"], registry=registry
        )
        self._seconds = Histogram("tertulia_http_request_seconds", "How long answers took.", labels, registry=registry)
        self._up = Gauge("tertulia_part_up", "Whether a part can be used: 1 or 0.", ["part"], registry=registry)
        self._recordings = Gauge(
            "tertulia_recordings", "Recordings on this database now.", ["state"], registry=registry
        )
        self._capacity = Gauge(
            "tertulia_recorder_capacity", "How many recordings this machine makes at once.", registry=registry
        )
        self._disk = Gauge("tertulia_disk_bytes", "The data directory's disk.", ["kind"], registry=registry)

    @property
    def is_on(self) -> bool:
        """Whether there is a token by which they can be asked for."""
        return bool(self._expected)

    def begin(self, look: Callable[[], Awaitable[Status]], *, capacity: int) -> None:
        """Tell from now on how the installation is."""
        self._look = look
        self._capacity.set(capacity)

    def register(self, collector: Collector) -> None:
        """Add the figures of another part."""
        self._registry.register(collector)

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request. A WebSocket (101) lasts as long as it lasts, so its time is not counted."""
        if not self.is_on:
            return
        labels = (method if method in _METHODS else _OTHER, route or _OTHER)
        self._requests.labels(*labels, str(status)).inc()
        if status != 101:  # noqa: PLR2004 - Switching Protocols
            self._seconds.labels(*labels).observe(seconds)

    def routes(self) -> list[MethodRoute]:
        """List the route; none without a token."""
        return [MethodRoute(PATH, {"GET": Endpoint(Request, self._respond)})] if self.is_on else []

    async def _respond(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            raise unauthenticated()
        if self._look is not None:
            self._take(await self._look())
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _take(self, status: Status) -> None:
        parts = status.readiness
        for part, state in (("database", parts.database), ("media", parts.media), ("disk", parts.disk)):
            self._up.labels(part).set(state in _USABLE)
        known = (
            (self._recordings, "running", status.recordings),
            (self._recordings, "waiting", status.waiting_recordings),
            (self._disk, "free", status.free_bytes),
            (self._disk, "total", status.total_bytes),
        )
        for gauge, label, value in known:
            if value is None:
                gauge.remove(label)  # of what is not known nothing is told, instead of an old value
            else:
                gauge.labels(label).set(value)
