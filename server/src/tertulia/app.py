"""The composition root: the one place that knows every part, and the only one that knows the embedded media server."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import structlog
import uvicorn
import uvloop
from livekit.protocol.models import DisconnectReason

from tertulia.adapters.blobs import Blobs, open_blobs
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.media_server import LiveKitServer, MediaReports
from tertulia.adapters.secret_files import kept_secrets, prepare_data_dir
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.domain.access import INTERNAL, PUBLIC
from tertulia.domain.ids import Identity, Millis
from tertulia.errors import ConfigurationError, Forbidden, NotFound, TertuliaError
from tertulia.http import internal, public
from tertulia.http.api import Api
from tertulia.http.asgi import App, TrustedProxies
from tertulia.http.authentication import Credentials, InternalAuthenticator, PublicAuthenticator
from tertulia.http.cors import CrossOrigin
from tertulia.http.listening import CertificateWatch, HttpServer, listening_sockets, loopback_socket
from tertulia.http.livekit_webhook import LiveKitWebhook
from tertulia.http.pages import Pages, content_security_policy
from tertulia.http.participants import ParticipantHandlers
from tertulia.http.protocol import JsonHttpProtocol
from tertulia.http.recordings import RecordingHandlers
from tertulia.http.rooms import RoomHandlers
from tertulia.http.schemas import RoomPresenter
from tertulia.http.schemas_recordings import meet_recording, public_recording
from tertulia.http.server import Server
from tertulia.http.sessions import AUTH_PATH, SessionHandlers
from tertulia.services.accounts import AccountService, FirstSecrets
from tertulia.services.meetings import MeetingService
from tertulia.services.participants import ParticipantAuth, ParticipantService
from tertulia.services.recordings import RecordingService
from tertulia.services.rooms import RoomService
from tertulia.services.tokens import ParticipantMetadata, ParticipantTokens, RecorderTokens
from tertulia.services.turn import turn_login
from tertulia.settings import Settings
from tertulia.worker import WorkerParts, run_worker
from tertulia_sfu.config import Admission, IceServer, JoinAttempt, MediaConfig, Refusal
from tertulia_sfu.server import MediaServer
from tertulia_sfu.serving import uvicorn_config

_log = structlog.get_logger(__name__)
WEB_BUNDLE: Final = Path(__file__).parent / "web_dist"
_EXPIRY_TICK_S: Final = 0.1
_RECONCILE_EVERY_S: Final = 20.0
_FORGET_EVERY_S: Final = 300.0
_CERTIFICATE_EVERY_S: Final = 2.0
_RECORDINGS_TICK_S: Final = 0.05
_REMOVE_EVERY_S: Final = 5.0
_GRACE_S: Final = 1.5


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings with everything filled in that was left to us."""

    settings: Settings
    data_dir: Path
    secret_key: str
    media_api_key: str
    media_api_secret: str
    database_url: str

    @property
    def needs_loopback(self) -> bool:
        """Tell whether we reach ourselves by a listener of our own: a certificate is good for the public name only."""
        return self.embedded and self.settings.tls_cert is not None and not self.settings.media_internal_url

    @property
    def recordings_dir(self) -> Path:
        """Tell where recordings are made, and kept unless a setting says otherwise."""
        return self.data_dir / "recordings"

    @property
    def embedded(self) -> bool:
        """Tell whether we are our own media server."""
        return not self.settings.media_url


def installation(settings: Settings) -> Installation:
    """Prepare the data directory and the secrets in it. Raises ConfigurationError."""
    data_dir = settings.data_dir.absolute()
    prepare_data_dir(data_dir)
    kept = kept_secrets(data_dir)
    return Installation(
        settings=settings,
        data_dir=data_dir,
        secret_key=settings.secret_key or kept.secret_key,
        media_api_key=settings.media_api_key or kept.media_api_key,
        media_api_secret=settings.media_api_secret or kept.media_api_secret,
        database_url=settings.database_url or f"sqlite:///{data_dir / 'tertulia.db'}",
    )


@asynccontextmanager
async def opened_accounts(inst: Installation) -> AsyncIterator[AccountService]:
    """Open the store for a command that manages credentials."""
    store = open_store(inst.database_url)
    await store.open()
    try:
        yield _accounts(inst, store)
    finally:
        await store.close()


def _accounts(inst: Installation, store: SqlStore) -> AccountService:
    return AccountService(
        store=store,
        clock=SystemClock(),
        secret_key=inst.secret_key,
        api_key=inst.settings.api_key or None,
        admin_user=inst.settings.admin_user,
        admin_password=inst.settings.admin_password or None,
    )


def _worker(inst: Installation, store: SqlStore, files: Blobs, *, media_url: str) -> WorkerParts:
    return WorkerParts(
        root=inst.recordings_dir,
        media_url=media_url,
        store=store,
        files=files,
        tokens=RecorderTokens(api_key=inst.media_api_key, api_secret=inst.media_api_secret),
        settings=inst.settings,
    )


@asynccontextmanager
async def opened_worker(inst: Installation) -> AsyncIterator[WorkerParts]:
    """Open what a recording worker without a server needs."""
    store = open_store(inst.database_url)
    await store.open()
    settings = inst.settings
    try:
        files = open_blobs(settings.recordings_url, default_folder=inst.recordings_dir)
        yield _worker(inst, store, files, media_url=settings.media_internal_url or settings.media_url)
    finally:
        await store.close()


# ── the embedded media server ──


class Door:
    """Who comes into the embedded media server: what a token alone cannot hold is decided here, at every join."""

    def __init__(self, participants: ParticipantService) -> None:
        self._participants = participants

    async def admit(self, join: JoinAttempt) -> Admission:
        """Decide about somebody with a valid token."""
        ours = ParticipantMetadata.parse(join.claims.metadata)
        issued_at_ms = ours.issued_at_ms if ours is not None else Millis(int(join.claims.issued_at * 1000))
        try:
            admitted = await self._participants.admit(
                join.room, Identity(join.identity), None if ours is None else ours.role, issued_at_ms
            )
        except NotFound as refusal:
            return Admission(Refusal(404, refusal.message, DisconnectReason.ROOM_DELETED))
        except Forbidden as refusal:
            return Admission(Refusal(403, refusal.message, DisconnectReason.PARTICIPANT_REMOVED))
        except TertuliaError as refusal:
            return Admission(Refusal(503, refusal.message))
        if admitted.grants is None or ours is None or admitted.role is None:
            return Admission(token_not_after=admitted.room_expires_at_ms / 1000)
        return Admission(
            grant=replace(
                join.claims.video,
                can_publish=admitted.grants.can_publish,
                can_subscribe=admitted.grants.can_subscribe,
                can_publish_data=admitted.grants.can_publish_data,
            ),
            metadata=ours.in_text(join.claims.metadata, role=admitted.role),
            token_not_after=admitted.room_expires_at_ms / 1000,
        )


def _ice_servers(settings: Settings) -> Callable[[str], list[IceServer]]:
    clock = SystemClock()

    def servers(participant: str) -> list[IceServer]:
        if not settings.turn_urls:
            return []
        login = turn_login(settings.turn_secret, participant, now_ms=clock.now_ms())
        return [IceServer(settings.turn_urls, login.username, login.credential)]

    return servers


# ── everything together ──


@dataclass(frozen=True, slots=True)
class _Services:
    accounts: AccountService
    tokens: ParticipantTokens
    participants: ParticipantService
    rooms: RoomService
    recordings: RecordingService


class Application:
    """The running product over one listening socket, and one without TLS for ourselves where that has TLS."""

    def __init__(self, inst: Installation, sockets: list[socket.socket], loopback: socket.socket | None) -> None:
        self._inst = inst
        self._sockets = sockets
        self._loopback = loopback
        self._port: int = sockets[0].getsockname()[1]
        self._root = Server()
        self._stop = asyncio.Event()

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

    async def run(self) -> None:
        """Serve until told to stop. Raises ConfigurationError when it cannot start."""
        config = _uvicorn_config(self._root, self._inst.settings)
        servers = {HttpServer(config): self._sockets}
        if self._loopback is not None:
            servers[HttpServer(_uvicorn_config(self._root))] = [self._loopback]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        serving = [asyncio.ensure_future(server.serve(sockets)) for server, sockets in servers.items()]
        try:
            async with AsyncExitStack() as stack:
                await self._start(stack, config)
                _log.info("serving", url=self.public_url, port=self._port, media_url=self.media_url)
                stopping = asyncio.ensure_future(self._stop.wait())
                await asyncio.wait([*serving, stopping], return_when=asyncio.FIRST_COMPLETED)
                stopping.cancel()
                _log.info("stopping")
                self._root.close()
        finally:
            for server in servers:
                server.should_exit = True
            await asyncio.gather(*serving)

    async def _start(self, stack: AsyncExitStack, config: uvicorn.Config) -> None:
        inst, settings, clock = self._inst, self._inst.settings, SystemClock()
        store = open_store(inst.database_url)
        await store.open()
        stack.push_async_callback(store.close)
        accounts = _accounts(inst, store)
        _show(await accounts.prepare(), settings.admin_user, self.public_url)
        media = await stack.enter_async_context(
            LiveKitServer(self._media_internal_url, api_key=inst.media_api_key, api_secret=inst.media_api_secret)
        )
        tokens = ParticipantTokens(
            api_key=inst.media_api_key, api_secret=inst.media_api_secret, media_url=self.media_url
        )
        participants = ParticipantService(
            store=store, clock=clock, media=media, tokens=tokens, auth=ParticipantAuth(settings.participant_auth)
        )
        files = open_blobs(
            settings.recordings_url,
            default_folder=inst.recordings_dir,
            redirect=settings.recordings_delivery == "redirect",
        )
        services = _Services(
            accounts=accounts,
            tokens=tokens,
            participants=participants,
            rooms=RoomService(store=store, clock=clock, media=media, live=participants),
            recordings=RecordingService(store=store, clock=clock, media=media, files=files),
        )
        meetings = MeetingService(
            store=store, clock=clock, media=media, rooms=services.rooms, participants=participants
        )
        prefixes = await self._media_apps(stack, participants, MediaReports(meetings)) | self._apis(services)
        policy = content_security_policy(
            media_url=self.media_url,
            embed_origins=settings.embed_origins,
            recordings_origin=await files.links_origin(),
        )
        self._root.open(prefixes, Pages(WEB_BUNDLE, policy=policy))
        tasks = await stack.enter_async_context(_background())
        tasks("expiry", _EXPIRY_TICK_S, meetings.expire)
        tasks("reconciler", _RECONCILE_EVERY_S, meetings.reconcile)
        worker = _worker(inst, store, files, media_url=self._media_internal_url)
        tasks("recordings", _RECORDINGS_TICK_S, partial(run_worker, worker))
        tasks("deleted recordings", _REMOVE_EVERY_S, services.recordings.remove_deleted)
        if config.ssl is not None and settings.tls_cert is not None and settings.tls_key is not None:
            certificate = CertificateWatch(config.ssl, settings.tls_cert, settings.tls_key)
            tasks("certificate", _CERTIFICATE_EVERY_S, certificate.look)
        tasks("forgetting", _FORGET_EVERY_S, meetings.forget)

    async def _media_apps(
        self, stack: AsyncExitStack, participants: ParticipantService, reports: MediaReports
    ) -> dict[str, App]:
        inst, settings = self._inst, self._inst.settings
        if not inst.embedded:
            webhook = LiveKitWebhook(api_key=inst.media_api_key, api_secret=inst.media_api_secret, sink=reports)
            return {"/livekit/webhook": webhook}
        config = MediaConfig(
            keys={inst.media_api_key: inst.media_api_secret},
            udp_port=settings.media_udp_port,
            tcp_port=settings.media_tcp_port,
            addresses=settings.media_addresses,
            ice_servers=_ice_servers(settings),
        )
        media = MediaServer(config, door=Door(participants), webhook_sink=reports)
        try:
            await media.start()
        except OSError as error:
            raise ConfigurationError(
                f"TERTULIA_MEDIA_UDP_PORT: {settings.media_udp_port} cannot be used: {error}"
            ) from error
        stack.push_async_callback(media.stop, _GRACE_S)
        return {"/rtc": media.app, "/twirp": media.app}

    def _apis(self, services: _Services) -> dict[str, App]:
        accounts, recordings = services.accounts, services.recordings
        credentials = Credentials(accounts=accounts, participants=services.participants, tokens=services.tokens)
        secure = self.public_url.startswith("https:")
        rooms = RoomHandlers(rooms=services.rooms, presenter=RoomPresenter(self.public_url))
        participants = ParticipantHandlers(
            participants=services.participants, credentials=credentials, secure_cookies=secure
        )
        in_public = RecordingHandlers(recordings=recordings, accounts=accounts, show=public_recording)
        in_internal = RecordingHandlers(recordings=recordings, accounts=accounts, show=meet_recording)
        sessions = SessionHandlers(accounts=accounts, auth_path=AUTH_PATH, secure_cookies=secure)
        proxies = TrustedProxies(self._inst.settings.trusted_proxies)
        public_api = Api(
            "Tertulia API",
            public.BASE_PATH,
            public.public_operations(rooms=rooms, participants=participants, recordings=in_public),
            permissions=PUBLIC,
            authenticator=PublicAuthenticator(credentials),
            proxies=proxies,
            public_url=self.public_url,
        )
        internal_api = Api(
            "Tertulia internal API",
            internal.BASE_PATH,
            internal.internal_operations(
                rooms=rooms, participants=participants, recordings=in_internal, sessions=sessions
            ),
            permissions=INTERNAL,
            authenticator=InternalAuthenticator(credentials),
            proxies=proxies,
            public_url=self.public_url,
        )
        cors = CrossOrigin(public_api, origins=self._inst.settings.cors_origins)
        return {public.BASE_PATH: cors, internal.BASE_PATH: internal_api}


def _show(secrets: FirstSecrets, admin_user: str, url: str) -> None:
    """Print what was generated, once: it exists nowhere else in clear."""
    lines = []
    if secrets.api_key is not None:
        lines.append(f"API key: {secrets.api_key}")
    if secrets.admin_password is not None:
        lines.append(f"Console: {url}  user: {admin_user}  password: {secrets.admin_password}")
    if lines:
        lines.insert(0, "Keep these: they are shown only now.")
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


@asynccontextmanager
async def _background() -> AsyncIterator[Callable[[str, float, Callable[[], Awaitable[None]]], None]]:
    """Own the tasks that do something again and again; they end with this context."""
    running: list[asyncio.Task[None]] = []

    async def repeat(name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                await work()
            except TertuliaError as error:
                _log.warning("background work failed for now", task=name, reason=error.message)
            except Exception:  # noqa: BLE001 - the next turn may go well
                _log.exception("background work failed by a defect", task=name)

    def start(name: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        running.append(asyncio.get_running_loop().create_task(repeat(name, every_s, work), name=name))

    try:
        yield start
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _uvicorn_config(app: App, tls: Settings | None = None) -> uvicorn.Config:
    config = uvicorn_config(
        app,
        http=JsonHttpProtocol,
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
