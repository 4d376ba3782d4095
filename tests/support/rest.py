"""The server as an application sees it: a process of its own, spoken to by HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

import jwt
import requests

from tertulia.adapters.sql.store import open_store
from tertulia.adapters.sql.transaction import SqlTransaction
from tertulia.domain.ids import Identity, Millis, RecordingId, RoomName
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.tokens import ParticipantTokens

T = TypeVar("T")
COMMAND: Final = Path(sys.executable).with_name("tertulia")
API_KEY: Final = "an-api-key-for-tests-0123456789"
PASSWORD: Final = "a-password-for-tests"
PUBLIC: Final = "/meet/api/v1"
INTERNAL: Final = "/meet/internal-api/v1"
FAR: Final = 4_000_000_000_000
START_DEADLINE_S: Final = 100


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class TestRoom:
    """A room, and the secrets of its links."""

    __test__ = False
    name: str
    answer: dict[str, Any]

    def secret(self, role: str) -> str:
        return str(self.answer[f"{role}URL"]).partition("secret=")[2]


class RestServer:
    """A running server and what tests do with it."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self._settings = {
            "TERTULIA_HOST": "127.0.0.1",
            "TERTULIA_PORT": "0",
            "TERTULIA_DATA_DIR": str(self.data_dir),
            "TERTULIA_API_KEY": API_KEY,
            "TERTULIA_ADMIN_PASSWORD": PASSWORD,
            "TERTULIA_MEDIA_UDP_PORT": "0",
            "TERTULIA_MEDIA_TCP_PORT": "0",
            "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
        } | (settings or {})
        self.url = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.http = requests.Session()

    # ── life ──

    def start(self) -> RestServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TERTULIA_")}
        environment |= {k: v for k, v in self._settings.items() if v}
        log = self.folder / "log"
        began_at = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stderr, (self.folder / "stdout").open("ab") as stdout:
            self.process = subprocess.Popen(
                [COMMAND, "serve"], env=environment, stdout=stdout, stderr=stderr, cwd=self.folder
            )
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline:
            for line in log.read_bytes()[began_at:].splitlines():
                if line.startswith(b'{"url"') or b'"event":"serving"' in line:
                    port = json.loads(line)["port"]
                    scheme = "https" if "TERTULIA_TLS_CERT" in self._settings else "http"
                    self.url = f"{scheme}://127.0.0.1:{port}"
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(20)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def loop_cpu_s(self) -> float:
        """Return the CPU time of the thread that runs the server's event loop."""
        assert self.process
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9

    # ── HTTP ──

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        base: str = PUBLIC,
        key: str | None = API_KEY,
        bearer: str | None = None,
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
        content_type: str | None = "application/json",
        stream: bool = False,
    ) -> requests.Response:
        """Send a request as it is: nothing is checked, nothing is kept."""
        sent = dict(headers or {})
        if key is not None and base == PUBLIC and bearer is None and cookies is None:
            sent["X-API-KEY"] = key
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        data = raw if raw is not None else (None if body is None else json.dumps(body).encode())
        if data is not None and content_type is not None:
            sent.setdefault("Content-Type", content_type)
        self.http.cookies.clear()
        return self.http.request(
            method, f"{self.url}{base}{path}", data=data, headers=sent, timeout=60, stream=stream, allow_redirects=False
        )

    def internal(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self.ask(method, path, body, base=INTERNAL, **more)

    def create_room(self, **options: Any) -> TestRoom:
        answer = self.ask("POST", "/rooms", {"expirationDate": FAR} | options)
        assert answer.status_code == 200, answer.text
        return TestRoom(answer.json()["roomName"], answer.json())

    def token(self, room: TestRoom, name: str, role: str = "moderator", *, base: str = PUBLIC) -> str:
        body = {"roomName": room.name, "participantName": name, "secret": room.secret(role)}
        answer = self.ask("POST", "/participants/token", body, base=base, key=None)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def log_in(self) -> dict[str, str]:
        answer = self.internal("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    # ── behind the scenes ──

    @property
    def secrets(self) -> dict[str, str]:
        return dict(json.loads((self.data_dir / "secrets.json").read_text()))

    @property
    def database_url(self) -> str:
        return self._settings.get("TERTULIA_DATABASE_URL") or f"sqlite:///{self.data_dir / 'tertulia.db'}"

    def signed(self, claims: dict[str, Any], *, secret: str | None = None, algorithm: str = "HS256") -> str:
        return jwt.encode(claims, secret if secret is not None else self.secrets["media_api_secret"], algorithm)

    def aged(self, token: str, **changes: Any) -> str:
        """The same token with other claims, rightly signed."""
        claims = jwt.decode(token, options={"verify_signature": False})
        return self.signed(claims | changes)

    def claims(self, token: str) -> dict[str, Any]:
        return dict(jwt.decode(token, self.secrets["media_api_secret"], algorithms=["HS256"]))

    def write(self, work: Callable[[SqlTransaction], T]) -> T:
        """Run a transaction of the test's own in the server's database."""

        async def run() -> T:
            store = open_store(self.database_url)
            await store.open()
            try:
                return await store.write(work)
            finally:
                await store.close()

        with ThreadPoolExecutor(1) as thread:  # a test may have a loop of its own running
            return thread.submit(lambda: asyncio.run(run())).result()

    def add_recording(
        self,
        room: str,
        *,
        state: RecordingState = RecordingState.COMPLETE,
        media: bytes | None = b"0123456789" * 1000,
        **changes: Any,
    ) -> Recording:
        """Put a recording's row, and its file, as a recorder would have left them."""
        mark = os.urandom(6).hex()
        recording = replace(
            Recording(
                id=RecordingId(f"{room}--EG_{mark}--{mark}"),
                room=RoomName(room),
                filename=f"{room}--{mark}.mp4",
                state=state,
                created_at_ms=Millis(now_ms()),
                started_at_ms=Millis(now_ms() - 5000),
                lease_owner="test",
                lease_until_ms=Millis(FAR),
            ),
            **changes,
        )
        if state in {RecordingState.COMPLETE, RecordingState.LIMITED_REACHED} and media is not None:
            folder = self.data_dir / "recordings" / recording.id
            folder.mkdir(parents=True)
            (folder / recording.filename).write_bytes(media)
            recording = replace(recording, ended_at_ms=Millis(now_ms()), duration_s=5.0, size_bytes=len(media))
        assert self.write(lambda tx: tx.recordings.insert(recording))
        return recording

    def sign_participant(self, room: TestRoom, name: str, role: str, *, issued_at_ms: int | None = None) -> str:
        """A participant token as the server would make it, without asking the server."""
        from tertulia.domain.access import Role  # noqa: PLC0415

        kept = self.secrets
        tokens = ParticipantTokens(
            api_key=kept["media_api_key"], api_secret=kept["media_api_secret"], media_url=self.ws_url
        )
        found = self.write(lambda tx: tx.rooms.find(RoomName(room.name)))
        assert found is not None
        return tokens.sign(found, Identity(name), Role(role), issued_at_ms=Millis(issued_at_ms or now_ms()))


@contextmanager
def running_server(folder: Path, **settings: str) -> Iterator[RestServer]:
    """Run a server for as long as the block lasts."""
    server = RestServer(folder, settings).start()
    try:
        yield server
    finally:
        server.stop()
        server.http.close()
