"""The product as its users have it: `tertulia serve` in a process of its own, spoken to by HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from .ports import free_port

COMMAND: Final = Path(sys.executable).with_name("tertulia")
API_KEY: Final = "key-of-the-end-to-end-tests-0123456789"
FAR_FUTURE_MS: Final = 1_900_000_000_000
MEDIA_API_KEY: Final = "key-of-the-media-server"
MEDIA_API_SECRET: Final = "secret-of-the-media-server-0123456789"
START_DEADLINE_S: Final = 60
STOP_DEADLINE_S: Final = 15


@dataclass(frozen=True, slots=True)
class RoomLinks:
    """A room and its three links."""

    name: str
    moderator: str
    publisher: str
    viewer: str


class Product:
    """A running server. `url` is what browsers use; tests of a broken network put something in between.

    Its certificate, if it has one, is not checked: the tests make their own.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        public_url: str | None = None,
        settings: dict[str, str] | None = None,
        command: Path = COMMAND,
        port: int | None = None,
    ) -> None:
        self.command = command
        self.port = port or free_port()
        scheme = "https" if "TERTULIA_TLS_CERT" in (settings or {}) else "http"
        self.own_url = f"{scheme}://127.0.0.1:{self.port}"
        self.url = public_url or self.own_url
        self.log_path = data_dir / "server.log"
        self._environment = os.environ | {
            "TERTULIA_HOST": "127.0.0.1",
            "TERTULIA_PORT": str(self.port),
            "TERTULIA_PUBLIC_URL": self.url,
            "TERTULIA_DATA_DIR": str(data_dir / "data"),
            "TERTULIA_API_KEY": API_KEY,
            "TERTULIA_MEDIA_API_KEY": MEDIA_API_KEY,
            "TERTULIA_MEDIA_API_SECRET": MEDIA_API_SECRET,
            "TERTULIA_MEDIA_UDP_PORT": "0",
            "TERTULIA_MEDIA_TCP_PORT": "0",
            "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
            **(settings or {}),
        }
        self._process: asyncio.subprocess.Process | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        assert self._process, "the server has not been started"
        return self._process

    async def start(self) -> None:
        """Start it (again, with the same data) and wait until it serves."""
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                self.command, "serve", env=self._environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(START_DEADLINE_S), aiohttp.ClientSession() as http:
            while not await self._is_healthy(http):
                if self._process.returncode is not None:
                    raise RuntimeError(f"the server did not start:\n{self.log_path.read_text()[-3000:]}")
                await asyncio.sleep(0.05)

    async def _is_healthy(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.own_url}/health", ssl=False) as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(STOP_DEADLINE_S):
            return await self.process.wait()

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the public REST API with the API key; return the decoded body."""
        headers = {"X-API-KEY": API_KEY}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, f"{self.own_url}/meet/api/v1{path}", json=body, ssl=False) as answer,
        ):
            if answer.status >= 400:
                raise RuntimeError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json() if answer.content_type == "application/json" else None

    async def create_room(self, prefix: str = "e2e", **body: Any) -> RoomLinks:
        """Create a room; `body` adds to or replaces what the request says."""
        room = await self.ask("POST", "/rooms", {"expirationDate": FAR_FUTURE_MS, "roomNamePrefix": prefix} | body)
        return RoomLinks(
            name=room["roomName"],
            moderator=room["moderatorURL"],
            publisher=room["publisherURL"],
            viewer=room["viewerURL"],
        )


@asynccontextmanager
async def running_product(
    data_dir: Path, *, public_url: str | None = None, settings: dict[str, str] | None = None, port: int | None = None
) -> AsyncIterator[Product]:
    """Run a server as long as the block lasts."""
    product = Product(data_dir, public_url=public_url, settings=settings, port=port)
    await product.start()
    try:
        yield product
    finally:
        await product.stop(signal.SIGTERM)
