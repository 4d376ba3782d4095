"""The composition root: the one place that knows every part, and the only one that knows the embedded media server."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp

from tertulia.adapters.blobs import open_blobs
from tertulia.adapters.media_server import LiveKitClient, MeetingWebhookSink
from tertulia.app.background import StartTask, background
from tertulia.app.console import RELOAD_SETTINGS_EVERY_S, SettingsWatch, console_handlers, start_console_work
from tertulia.app.garbage_collection import COLLECT_EVERY_S, collect_garbage, tune_garbage_collection
from tertulia.app.installation import Installation, installation, worker_dependencies
from tertulia.app.join_policy import RoomJoinPolicy, ice_servers
from tertulia.app.listening import (
    CertificateWatch,
    HttpServer,
    Limits,
    connection_limits,
    listening_sockets,
    loopback_socket,
)
from tertulia.app.media_addresses import offered_addresses, shared_tcp, shares_https_port
from tertulia.app.services import Services, build_services
from tertulia.app.stop_signals import on_stop_signals
from tertulia.app.telemetry import EmbeddedTelemetry
from tertulia.app.worker import WorkerDependencies, run_worker
from tertulia.errors import ConfigurationError
from tertulia.http.api import internal, public
from tertulia.http.api.authentication import Credentials
from tertulia.http.api.chat import ChatHandlers, chat_operations
from tertulia.http.api.console import console_operations
from tertulia.http.api.docs_page import docs_page
from tertulia.http.api.lobby import LobbyHandlers, lobby_operations
from tertulia.http.api.moderation import ModerationHandlers, moderation_operations
from tertulia.http.api.participants import ParticipantHandlers
from tertulia.http.api.recordings import RecordingHandlers, meet_recording, public_recording
from tertulia.http.api.rooms import RoomHandlers, RoomPresenter
from tertulia.http.api.sessions import SessionHandlers
from tertulia.http.kit.addresses import TrustedProxies
from tertulia.http.kit.connections import ConnectionTimes
from tertulia.http.kit.cors import CurrentCrossOrigin
from tertulia.http.kit.errors import Endpoint
from tertulia.http.kit.operations import BoundedRequest
from tertulia.http.kit.origins import CookieOrigins
from tertulia.http.kit.protocol import bounded_protocol
from tertulia.http.livekit_webhook import LiveKitWebhook
from tertulia.http.metrics import Metrics
from tertulia.http.pages import Pages, content_security_policy
from tertulia.http.server import RootApp
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.draining import WorkerDrain
from tertulia.settings import Settings
from tertulia_sfu.config import CODECS, MediaConfig
from tertulia_sfu.server import MediaServer
from tertulia_sfu.serving import uvicorn_config

_log = structlog.get_logger(__name__)
WEB_BUNDLE: Final = Path(__file__).parent.parent / "web_dist"
_DOCS_SITE: Final = Path(__file__).parent.parent / "docs_dist"
_EXPIRY_TICK_S: Final = 0.1
_EXPIRY_RETRY_S: Final = 1.0
_RECONCILE_EVERY_S: Final = 20.0
_DELETE_EXPIRED_ROWS_EVERY_S: Final = 300.0
_CERTIFICATE_EVERY_S: Final = 2.0
_RESTART_WORKER_AFTER_S: Final = 0.05
_REMOVE_EVERY_S: Final = 5.0
_REPEAT_STOPS_EVERY_S: Final = 2.0
_GRACE_S: Final = 1.5


class Application:
    """The running product over one listening socket, and one without TLS for ourselves where that has TLS.

    `app` is all of it as one ASGI application: add middleware to it before `run`.
    """

    def __init__(self, inst: Installation, sockets: list[socket.socket], loopback: socket.socket | None) -> None:
        self._inst = inst
        self._sockets = sockets
        self._loopback = loopback
        self._port: int = sockets[0].getsockname()[1]
        settings = inst.settings
        proxies = TrustedProxies(settings.trusted_proxies, header=settings.forwarding_header)
        self.app = RootApp(proxies, Metrics(settings.metrics_token))
        self._stop = asyncio.Event()
        self._worker_drain = WorkerDrain()
        self._on_drain: list[Callable[[], None]] = []
        self._telemetry = EmbeddedTelemetry()
        self._is_draining = False
        self._shares_port = shares_https_port(settings)

    @property
    def public_url(self) -> str:
        """Where browsers find us."""
        scheme = "https" if self._inst.settings.tls_cert else "http"
        return self._inst.settings.public_url or f"{scheme}://localhost:{self._port}"

    @property
    def media_url(self) -> str:
        """Where clients find the media server."""
        return self._inst.settings.media_url or self.public_url.replace("http", "ws", 1)

    @property
    def _media_internal_url(self) -> str:
        settings = self._inst.settings
        if settings.media_internal_url or settings.media_url:
            return settings.media_internal_url or settings.media_url
        if self._loopback is not None:
            return f"http://127.0.0.1:{self._loopback.getsockname()[1]}"
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared, not bound
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    def stop(self) -> None:
        """Make `run` end, as SIGTERM and SIGINT do: what runs is finished first."""
        self._stop.set()

    def drain(self) -> None:
        """Take no new meetings for the rest of this server's life, as SIGUSR1 does; those that run go on."""
        self._is_draining = True
        self._telemetry.drain()
        self.app.take_no_meetings(self._telemetry.has_meetings)

    async def run(self) -> None:
        """Serve until told to stop. Raises ConfigurationError when it cannot start."""
        settings = self._inst.settings
        limits = connection_limits(behind_proxy=bool(settings.trusted_proxies), tls=settings.tls_cert is not None)
        config = _uvicorn_config(self.app, limits, settings)
        servers = {HttpServer(config, take_media=self._take_media if self._shares_port else None): self._sockets}
        if self._loopback is not None:
            servers[HttpServer(_uvicorn_config(self.app, connection_limits(behind_proxy=True)))] = [self._loopback]
        on_stop_signals(self.stop)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.drain)
        serving = [asyncio.ensure_future(server.serve(sockets)) for server, sockets in servers.items()]
        try:
            async with AsyncExitStack() as stack:
                await self._start(stack, config)
                if self._is_draining:  # it was told so while it started
                    self.drain()
                tune_garbage_collection()
                _log.info("serving", url=self.public_url, port=self._port, media_url=self.media_url)
                stopping = asyncio.ensure_future(self._stop.wait())
                await asyncio.wait([*serving, stopping], return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
                if self._stop.is_set():
                    await self._drain()
                self.app.close()
        finally:
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*serving)

    async def _drain(self) -> None:
        """Finish what runs, while the port stays open: first a load balancer notices, then nothing new is begun."""
        settings, running = self._inst.settings, self.app.running
        _log.info("stopping", requests=len(running), hint="a second signal ends the server at once")
        self.app.drain()
        for end in self._on_drain:
            end()
        await asyncio.sleep(settings.stop_delay_s)
        try:
            async with asyncio.timeout(settings.stop_timeout_s):
                await running.finished()
                self.app.close()
                await asyncio.gather(running.finished(), self._worker_drain.settled())
        except TimeoutError:
            _log.warning("requests are cut off", requests=len(running), after_s=settings.stop_timeout_s)

    async def _start(self, stack: AsyncExitStack, config: uvicorn.Config) -> None:
        inst, settings = self._inst, self._inst.settings
        store = inst.new_store()
        await store.open()
        stack.push_async_callback(store.close)
        media = await stack.enter_async_context(
            LiveKitClient(self._media_internal_url, api_key=inst.media_api_key, api_secret=inst.media_api_secret)
        )
        files = open_blobs(
            settings.recordings_url,
            default_folder=inst.recordings_dir,
            redirect=settings.recordings_delivery == "redirect",
        )
        changes = RecordingChanges()
        services = build_services(
            inst,
            store=store,
            media=media,
            telemetry=self._telemetry,
            files=files,
            changes=changes,
            media_url=self.media_url,
        )
        await services.settings.reload()
        secrets = (await services.api_keys.prepare(), await services.accounts.prepare())
        _show(*secrets, settings.admin_user, self.public_url)
        worker = replace(
            worker_dependencies(inst, store, files, media_url=self._media_internal_url, changes=changes),
            drain=self._worker_drain,
        )
        self.app.metrics.begin(services.status.look, capacity=worker.capacity)
        prefixes = self._apis(services, worker) | await self._media_apps(stack, services)
        recordings_origin = await files.links_origin()

        def pages() -> Pages:
            origins = services.settings.current.embed_origins
            policy = content_security_policy(
                media_url=self.media_url, embed_origins=origins, recordings_origin=recordings_origin
            )
            return Pages(WEB_BUNDLE, policy=policy, embed_origins=origins, docs=_DOCS_SITE)

        self.app.open(prefixes, pages(), services.readiness.look)
        tasks = await stack.enter_async_context(background())
        self._start_work(tasks, services, worker, config)
        tasks("settings", RELOAD_SETTINGS_EVERY_S, SettingsWatch(services.settings, self.app, pages).look)
        self._on_drain.append(services.feed.close)

    def _start_work(
        self, tasks: StartTask, services: Services, worker: WorkerDependencies, config: uvicorn.Config
    ) -> None:
        settings = self._inst.settings
        tasks("expiry", _EXPIRY_TICK_S, services.meetings.close_expired_rooms)
        tasks("expiry retries", _EXPIRY_RETRY_S, services.meetings.retry_expired_rooms)
        tasks("reconciler", _RECONCILE_EVERY_S, services.meetings.reconcile)
        tasks("recordings", _RESTART_WORKER_AFTER_S, partial(run_worker, worker))
        tasks("recording stops", _REPEAT_STOPS_EVERY_S, services.recordings.repeat_stops)
        tasks("deleted recordings", _REMOVE_EVERY_S, services.recordings.remove_deleted)
        if config.ssl is not None and settings.tls_cert is not None and settings.tls_key is not None:
            certificate = CertificateWatch(config.ssl, settings.tls_cert, settings.tls_key)
            tasks("certificate", _CERTIFICATE_EVERY_S, certificate.look)
        tasks("expired rows", _DELETE_EXPIRED_ROWS_EVERY_S, services.meetings.delete_expired_rows)
        tasks("garbage", COLLECT_EVERY_S, collect_garbage)
        start_console_work(services, tasks)

    async def _media_apps(self, stack: AsyncExitStack, services: Services) -> dict[str, ASGIApp]:
        inst, settings = self._inst, self._inst.settings
        sink = MeetingWebhookSink(services.meetings)
        if not inst.embedded:
            if settings.has_short_media_secret:
                _log.warning(
                    "the secret of the LiveKit server is short: it should have 32 bytes",
                    setting="TERTULIA_MEDIA_API_SECRET",
                )
            webhook = LiveKitWebhook(api_key=inst.media_api_key, api_secret=inst.media_api_secret, sink=sink)
            return {"/livekit/webhook": Endpoint(BoundedRequest, webhook.respond)}
        addresses = await offered_addresses(settings)
        config = MediaConfig(
            keys={inst.media_api_key: inst.media_api_secret},
            udp_port=settings.media_udp_port,
            tcp_port=None if self._shares_port else settings.media_tcp_port,
            shared_tcp=shared_tcp(addresses, self._sockets[0]) if self._shares_port else (),
            addresses=addresses,
            ice_servers=ice_servers(settings),
            codecs=settings.media_codecs or CODECS,
        )
        media = MediaServer(config, join_policy=RoomJoinPolicy(services.admission), webhook_sink=sink)
        try:
            await media.start()
        except OSError as error:
            raise ConfigurationError(f"TERTULIA_MEDIA_UDP_PORT, TERTULIA_MEDIA_TCP_PORT: {error}") from error
        stack.push_async_callback(media.stop, _GRACE_S)
        self._telemetry.media = media
        self.app.metrics.register(media.collector())
        return {"/rtc": media.app, "/twirp": media.app}

    def _take_media(self, connection: socket.socket) -> None:
        media = self._telemetry.media
        if media is None:
            connection.close()
        else:
            media.take_over(connection)

    def _apis(self, services: Services, worker: WorkerDependencies) -> dict[str, ASGIApp]:
        accounts, recordings = services.accounts, services.recordings
        credentials = Credentials(
            accounts=accounts,
            api_keys=services.api_keys,
            participants=services.participants,
            tokens=services.tokens,
            origins=CookieOrigins(self.public_url, services.settings.named_origins),
        )
        secure = self.public_url.startswith("https:")
        presenter = RoomPresenter(self.public_url)
        rooms = RoomHandlers(rooms=services.rooms, presenter=presenter)
        participants = ParticipantHandlers(
            participants=services.participants, credentials=credentials, secure_cookies=secure
        )
        lobby = LobbyHandlers(lobby=services.lobby, participants=services.participants, credentials=credentials)
        meeting = [
            *moderation_operations(ModerationHandlers(services.moderation)),
            *chat_operations(ChatHandlers(services.chat)),
            *lobby_operations(lobby),
        ]
        in_public = RecordingHandlers(recordings=recordings, accounts=accounts, show=public_recording)
        in_internal = RecordingHandlers(recordings=recordings, accounts=accounts, show=meet_recording)
        sessions = SessionHandlers(accounts=accounts, credentials=credentials, secure_cookies=secure)
        docs = docs_page(WEB_BUNDLE)
        public_api = public.public_api(
            public.public_operations(rooms=rooms, participants=participants, meeting=meeting, recordings=in_public),
            credentials=credentials,
            room_of_recording=in_public.room_of,
            public_url=self.public_url,
            docs_page=docs,
        )
        internal_api = internal.internal_api(
            internal.internal_operations(
                rooms=rooms,
                participants=participants,
                meeting=meeting,
                recordings=in_internal,
                sessions=sessions,
                console=console_operations(console_handlers(services, self._inst, rooms=presenter, worker=worker)),
            ),
            credentials=credentials,
            room_of_recording=in_internal.room_of,
            public_url=self.public_url,
            docs_page=docs,
        )
        return {
            public.BASE_PATH: CurrentCrossOrigin(public_api, lambda: services.settings.current.cors_origins),
            internal.BASE_PATH: internal_api,
        }


def _show(api_key: str | None, admin_password: str | None, admin_user: str, url: str) -> None:
    """Print what was generated, once: it exists nowhere else in clear."""
    lines = []
    if api_key is not None:
        lines.append(f"API key: {api_key}")
    if admin_password is not None:
        lines += [
            f"Administrator: user {admin_user}  password {admin_password}",
            f"    logs in to the console at {url}/",
        ]
    if lines:
        lines.insert(0, "Keep these: they are shown only now.")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


def _uvicorn_config(app: ASGIApp, limits: Limits, tls: Settings | None = None) -> uvicorn.Config:
    config = uvicorn_config(
        app,
        http=bounded_protocol(limits.connections, limits.websockets, ConnectionTimes()),
        log_config=None,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls and tls.tls_cert,
        ssl_keyfile=tls and tls.tls_key,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(f"TERTULIA_TLS_CERT: the certificate and its key cannot be used: {error}") from error
    return config


def serve_forever(settings: Settings) -> None:
    """Run the server in this thread until SIGTERM or SIGINT. Raises ConfigurationError."""
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    inst = installation(settings)
    sockets = listening_sockets(settings.host, settings.port)
    loopback = loopback_socket(inst.data_dir / "loopback-port") if inst.needs_loopback else None
    await Application(inst, sockets, loopback).run()
