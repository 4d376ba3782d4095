"""`tertulia doctor`: can this machine run the server as it is set up?"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tertulia.app.application import WEB_BUNDLE
from tertulia.app.installation import Installation, installation, opened_accounts
from tertulia.app.listening import listening_sockets
from tertulia.cli.output import Listing, print_listing, progress
from tertulia.errors import ConfigurationError
from tertulia.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `detail` says what was found, or what is wrong."""

    check: str
    ok: bool
    detail: str


def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check everything that a start needs, without starting. Raise ConfigurationError when something is missing."""
    inst = installation(settings)
    findings: list[Finding] = []
    with progress("Checking", total=len(_CHECKS)) as report:
        for name, check in _CHECKS.items():
            findings.append(_finding(name, check, inst))
            report(len(findings), len(_CHECKS))
    listing = Listing(
        rows=[("ok  " if each.ok else "FAIL", each.check, each.detail) for each in findings],
        data=[asdict(each) for each in findings],
    )
    print_listing(listing, as_json=as_json)
    if not all(finding.ok for finding in findings):
        raise ConfigurationError("This machine is not ready: see above")


def _finding(name: str, check: Callable[[Installation], str], inst: Installation) -> Finding:
    try:
        return Finding(name, ok=True, detail=check(inst))
    except ConfigurationError as error:
        return Finding(name, ok=False, detail=error.message)


def _data_dir(inst: Installation) -> str:
    return str(inst.data_dir)


def _database(inst: Installation) -> str:
    async def open_and_close() -> None:
        async with opened_accounts(inst):
            pass

    asyncio.run(open_and_close())
    return "opens, and is up to date"


def _http_port(inst: Installation) -> str:
    settings = inst.settings
    for listener in listening_sockets(settings.host, settings.port):
        listener.close()
    return f"{settings.port} on {settings.host} is free"


def _media_port(inst: Installation) -> str:
    settings = inst.settings
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


def _web_page(_inst: Installation) -> str:
    if not Path(WEB_BUNDLE, "index.html").is_file():
        raise ConfigurationError("the page is not built: run `make build`")
    return "there"


_CHECKS: Final[dict[str, Callable[[Installation], str]]] = {
    "data directory": _data_dir,
    "database": _database,
    "HTTP port": _http_port,
    "media port": _media_port,
    "space for recordings": _space,
    "web page": _web_page,
}
