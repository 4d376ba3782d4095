"""The media server, put together: signalling, rooms and the server API over the media core, as an ASGI application."""

import asyncio
import socket
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from tertulia_sfu._core import Event, MediaCore
from tertulia_sfu.addresses import bind_addresses, own_addresses
from tertulia_sfu.config import IceServer, MediaConfig
from tertulia_sfu.ids import new_node_id
from tertulia_sfu.join_policy import Admission, AllowAllJoins, JoinAttempt, JoinPolicy, Refusal
from tertulia_sfu.metrics import MediaCollector, MetricsEndpoint
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.quality import ParticipantQuality
from tertulia_sfu.rooms.timers import DeadlineQueue
from tertulia_sfu.server_api import room_service
from tertulia_sfu.server_api.room_service import RoomServiceHandler
from tertulia_sfu.server_api.twirp import Twirp
from tertulia_sfu.server_api.webhooks import Webhooks, WebhookSink
from tertulia_sfu.signalling.connection import SignalConnections
from tertulia_sfu.signalling.endpoint import SignalEndpoint
from tertulia_sfu.tokens import Tokens

__all__ = ["Admission", "IceServer", "JoinAttempt", "JoinPolicy", "MediaConfig", "MediaServer", "Refusal"]

_log = structlog.get_logger(__name__)

CORS_MAX_AGE_S: Final = 86_400
CORS_METHODS: Final = ("OPTIONS", "HEAD", "GET", "POST", "PATCH", "DELETE")
# a data message has up to 256 KiB, so that a batch takes at most 4 MiB out of the core
EVENTS_AT_ONCE: Final = 16
# the rest waits until the other tasks had their turn: requests and pings are delayed by at most this, and one batch
DRAIN_TIME_S: Final = 0.004


class SteadyClock:
    """Unix seconds that never jump: read once from the system's clock, then counted by the monotonic one."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def __call__(self) -> float:
        return self._offset + time.monotonic()


class MediaServer:
    """A LiveKit-compatible media server.

    Mount `app` at the root of an HTTP server (see `serving.py`), `start` it in the running event loop, and `stop` it
    before the HTTP server closes its sockets.
    """

    def __init__(
        self, config: MediaConfig, *, join_policy: JoinPolicy | None = None, webhook_sink: WebhookSink | None = None
    ) -> None:
        self._config = config
        self._join_policy = join_policy or AllowAllJoins()
        self._webhook_sink = webhook_sink
        self._runtime: _Runtime | None = None

    @property
    def udp_port(self) -> int:
        """The port where media arrives; the configured one until the server has started."""
        return self._config.udp_port if self._runtime is None else self._runtime.core.udp_port

    @property
    def tcp_port(self) -> int | None:
        """The port where media over TCP arrives, None for none; the configured one until the server has started."""
        return self._config.tcp_port if self._runtime is None else self._runtime.core.tcp_port

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve `/rtc…` and `/twirp/…` as an ASGI application. Answer 503 while the server is not running."""
        if self._runtime is not None:
            await self._runtime.app(scope, receive, send)
            return
        response = PlainTextResponse("The media server is not running.", status_code=503)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
        else:
            await response(scope, receive, send)

    async def start(self) -> None:
        """Open the media ports and start to serve. Raise OSError, which names the ports, if one cannot be opened."""
        core = await asyncio.to_thread(_open_core, self._config)
        self._runtime = _Runtime(self._config, core, self._join_policy, self._webhook_sink)
        self._runtime.start(asyncio.get_running_loop())

    async def stop(self, grace_s: float = 2.0) -> None:
        """Disconnect all participants, close the sockets and the media port. Do nothing if not running."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            await runtime.stop(grace_s)

    def take_over(self, connection: socket.socket) -> None:
        """Take over a connection that another server has accepted and that begins as media does (`shared_tcp`)."""
        if self._runtime is None:
            connection.close()
        else:
            self._runtime.core.take_over(connection.detach())

    def quality(self, room: str) -> list[ParticipantQuality]:
        """Return how good the connections are of all who are or were in a meeting; none where there is no meeting."""
        live = None if self._runtime is None else self._runtime.rooms.find(room)
        return [] if live is None else list(live.quality)

    def drain(self) -> None:
        """Take no new rooms from now on; those that are open go on to their end."""
        if self._runtime is not None and not self._runtime.rooms.is_draining:
            self._runtime.rooms.is_draining = True
            _log.info("draining: no new rooms are taken", rooms=len(self._runtime.rooms))

    def has_rooms(self) -> bool:
        """Return whether a room is open."""
        return self._runtime is not None and len(self._runtime.rooms) > 0

    def collector(self) -> MediaCollector:
        """Return the figures for Prometheus, for the registry of an application."""
        return MediaCollector(lambda: () if self._runtime is None else self._runtime.rooms, self.stats)

    def stats(self) -> dict[str, int]:
        """Return the media core's counters since the start."""
        return {} if self._runtime is None else self._runtime.core.stats()


def _open_core(config: MediaConfig) -> MediaCore:
    addresses = list(config.addresses) or own_addresses()
    try:
        return MediaCore(
            udp_port=config.udp_port,
            tcp_port=config.tcp_port,
            shared_tcp=list(config.shared_tcp),
            bind=[config.bind] if config.bind else bind_addresses(addresses),
            addresses=addresses,
            workers=config.workers,
        )
    except OSError as error:
        ports = f"UDP port {config.udp_port}"
        if config.tcp_port is not None:
            ports = f"{ports} and TCP port {config.tcp_port}"
        raise OSError(error.errno, f"cannot use {ports} for media: {error}") from error


class _Runtime:
    """The parts of a running server, wired to each other and to the event loop."""

    def __init__(
        self, config: MediaConfig, core: MediaCore, join_policy: JoinPolicy, webhook_sink: WebhookSink | None
    ) -> None:
        self.core = core
        self._clock = SteadyClock()
        self._timers = DeadlineQueue(self._arm)
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = copy_context()  # deadlines are nobody's request
        tokens = Tokens(config.keys, time.time)
        key = config.webhook_key or next(iter(config.keys))
        self._webhooks = Webhooks(
            sink=webhook_sink, urls=config.webhook_urls, key=key, tokens=tokens, clock=self._clock
        )
        connections = SignalConnections()
        self.rooms = LiveRooms(
            config=config,
            tokens=tokens,
            media=core,
            signals=connections,
            timers=self._timers,
            listener=self._webhooks,
            node_id=new_node_id(),
        )
        self._endpoint = SignalEndpoint(
            rooms=self.rooms, connections=connections, tokens=tokens, join_policy=join_policy, clock=self._clock
        )
        service = RoomServiceHandler(self.rooms, config, self._clock)
        twirp = Twirp(room_service.SERVICE, service.methods(), others=room_service.OTHER_SERVICES, tokens=tokens)
        metrics = MetricsEndpoint(config.metrics_token, MediaCollector(lambda: self.rooms, core.stats))
        self.app: ASGIApp = _application(self._endpoint, twirp, metrics if config.metrics_token else None)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        loop.add_reader(self.core.fileno(), self._drain)
        self._arm()

    async def stop(self, grace_s: float) -> None:
        deadline = self._clock() + grace_s
        self.rooms.close_all(self._clock())
        await self._endpoint.stop(grace_s)
        await self._webhooks.stop(max(0.1, deadline - self._clock()))
        if self._timer is not None:
            self._timer.cancel()
        if self._loop is not None:
            self._loop.remove_reader(self.core.fileno())
            self._loop = None
        await asyncio.to_thread(self.core.close)

    def _drain(self) -> None:
        handle_events(self.core.drain, self.rooms.handle_media_event, self._clock)

    def _arm(self) -> None:
        """Set the event loop's timer for the next deadline."""
        if self._loop is None:
            return
        if self._timer is not None:
            self._timer.cancel()
        at = self._timers.next_at()
        if at is not None:
            self._timer = self._loop.call_later(max(0.0, at - self._clock()), self._run_due, context=self._context)

    def _run_due(self) -> None:
        self._timers.run_due(self._clock())
        self._arm()


def handle_events(
    drain: Callable[[int], list[Event]], handle: Callable[[Event, float], None], clock: Callable[[], float]
) -> None:
    """Hand waiting events on, for about DRAIN_TIME_S. The core's descriptor stays readable while more of them wait."""
    started = now = clock()
    while now - started <= DRAIN_TIME_S:
        events = drain(EVENTS_AT_ONCE)
        for event in events:
            try:
                handle(event, now)
            except Exception:  # noqa: BLE001 – a defect costs one event, and is logged
                _log.exception(
                    "media event failed", media_event=type(event).__name__, participant=getattr(event, "peer", None)
                )
        if len(events) < EVENTS_AT_ONCE:
            return
        now = clock()


def _application(endpoint: SignalEndpoint, twirp: Twirp, metrics: MetricsEndpoint | None) -> ASGIApp:
    operating = [] if metrics is None else [Route("/metrics", metrics.handle)]
    return Starlette(
        routes=[
            *endpoint.routes(),
            Route("/twirp/{service}/{method}", twirp.handle, methods=["POST"]),
            Route("/", _health),
            *operating,
        ],
        middleware=[
            Middleware(
                CORSMiddleware,
                allow_origins=["*"],
                allow_methods=CORS_METHODS,
                allow_headers=["*"],
                max_age=CORS_MAX_AGE_S,
            )
        ],
    )


async def _health(_request: object) -> Response:
    return PlainTextResponse("OK")
