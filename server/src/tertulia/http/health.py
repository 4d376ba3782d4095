"""`/health` and `/health/ready`: is the process alive, and should a load balancer send requests to it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from enum import StrEnum
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.responses import JsonResponse
from tertulia.http.kit.routing import MethodRoute
from tertulia.services.readiness import Readiness

PATH = "/health"


class ServerState(StrEnum):
    """Where the server is in its life. Every state but OK is one in which it is not ready.

    DRAINING: it serves all, but takes no new meetings; those that run go on to their end.
    """

    STARTING = "starting"
    OK = "ok"
    DRAINING = "draining"
    STOPPING = "stopping"

    @property
    def is_serving(self) -> bool:
        """Whether requests are answered."""
        return self in {ServerState.OK, ServerState.DRAINING}


class Health:
    """The two routes. They tell strangers a word for each part, and no more.

    `state` is set by who starts and stops the server; `look` asks the parts that it needs, `has_meetings` whether
    meetings run here, of which a server that drains waits for the end.
    """

    def __init__(self) -> None:
        self.state = ServerState.STARTING
        self.has_meetings: Callable[[], bool] = lambda: False
        self.look: Callable[[], Awaitable[Readiness]] | None = None

    def routes(self) -> list[MethodRoute]:
        """List the routes, which are there from the beginning to the end."""
        return [
            MethodRoute(PATH, {"GET": Endpoint(Request, self._alive)}),
            MethodRoute(f"{PATH}/ready", {"GET": Endpoint(Request, self._ready)}),
        ]

    async def _alive(self, _request: Request) -> Response:
        return _report(is_fine=self.state.is_serving, status=self.state)

    async def _ready(self, _request: Request) -> Response:
        if self.state is ServerState.DRAINING:
            meetings = "running" if self.has_meetings() else "ended"
            return _report(is_fine=False, status=self.state, meetings=meetings)
        if self.state is not ServerState.OK or self.look is None:
            return _report(is_fine=False, status=self.state)
        found = await self.look()
        status = "ready" if found.is_ready else "not_ready"
        return _report(is_fine=found.is_ready, status=status, **asdict(found))


def _report(*, is_fine: bool, **said: str) -> JsonResponse:
    return JsonResponse(said, HTTPStatus.OK if is_fine else HTTPStatus.SERVICE_UNAVAILABLE)
