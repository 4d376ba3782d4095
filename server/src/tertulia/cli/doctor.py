"""`tertulia doctor`: can this machine run the server as it is set up?"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tertulia.app.application import WEB_BUNDLE
from tertulia.app.installation import Installation, installation, opened_accounts
from tertulia.app.listening import listening_sockets
from tertulia.errors import ConfigurationError
from tertulia.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    good: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.good else 'FAIL'}  {self.text}"


def examine(settings: Settings) -> list[Finding]:
    """Look at everything a start needs, without starting."""
    inst = installation(settings)
    return [
        _try("data directory", lambda: str(inst.data_dir)),
        _try("database", lambda: _database(inst)),
        _try("HTTP port", lambda: _tcp(settings)),
        _try("media port", lambda: _udp(settings)),
        _try("space for recordings", lambda: _space(inst)),
        _try("web page", _bundle),
    ]


def _try(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(True, f"{what}: {look()}")
    except ConfigurationError as error:
        return Finding(False, f"{what}: {error.message}")


def _database(inst: Installation) -> str:
    async def open_and_close() -> None:
        async with opened_accounts(inst):
            pass

    asyncio.run(open_and_close())
    return "opens, and is up to date"


def _tcp(settings: Settings) -> str:
    for listener in listening_sockets(settings.host, settings.port):
        listener.close()
    return f"{settings.port} on {settings.host} is free"


def _udp(settings: Settings) -> str:
    if settings.media_url:
        return f"not needed: media goes to {settings.media_url}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", settings.media_udp_port))  # noqa: S104 - only to see whether it is free
        except OSError as error:
            raise ConfigurationError(f"{settings.media_udp_port} (UDP) cannot be used: {error.strerror}") from error
    return f"{settings.media_udp_port} (UDP) is free"


def _space(inst: Installation) -> str:
    free_bytes = shutil.disk_usage(inst.data_dir).free
    if free_bytes < inst.settings.recording_min_free_bytes:
        raise ConfigurationError(f"{free_bytes} bytes free, less than TERTULIA_RECORDING_MIN_FREE_BYTES")
    return f"{free_bytes // 1_000_000_000} GB free"


def _bundle() -> str:
    if not Path(WEB_BUNDLE, "index.html").is_file():
        raise ConfigurationError("the page is not built: run `make build`")
    return "there"
