"""`tertulia doctor`: can this machine run the server as it is set up?"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tertulia.adapters.secret_files import check_data_dir
from tertulia.adapters.sql.inspection import inspect_schema
from tertulia.app.application import WEB_BUNDLE
from tertulia.app.installation import database_url_of
from tertulia.app.listening import listening_sockets
from tertulia.cli.database import schema_summary
from tertulia.cli.media_reach import media_ports, media_reach
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
    """Check everything that a start needs, without starting, and without changing anything.

    Raise ConfigurationError when something is missing.
    """
    findings: list[Finding] = []
    with progress("Checking", total=len(_CHECKS)) as report:
        for name, check in _CHECKS.items():
            findings.append(_finding(name, check, settings))
            report(len(findings), len(_CHECKS))
    listing = Listing(
        rows=[("ok  " if each.ok else "FAIL", each.check, each.detail) for each in findings],
        data=[asdict(each) for each in findings],
    )
    print_listing(listing, as_json=as_json)
    if not all(finding.ok for finding in findings):
        raise ConfigurationError("This machine is not ready: see above")


def _finding(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, ok=True, detail=check(settings))
    except ConfigurationError as error:
        return Finding(name, ok=False, detail=error.message)


def _data_dir(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    return str(folder) if check_data_dir(folder) else f"{folder}: the first start makes it"


def _database(settings: Settings) -> str:
    return schema_summary(inspect_schema(database_url_of(settings)))


def _http_port(settings: Settings) -> str:
    for listener in listening_sockets(settings.host, settings.port):
        listener.close()
    return f"{settings.port} on {settings.host} is free"


def _space(settings: Settings) -> str:
    folder = settings.data_dir.absolute()
    free_bytes = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free
    if free_bytes < settings.recording_min_free_bytes:
        raise ConfigurationError(f"{free_bytes} bytes free, less than TERTULIA_RECORDING_MIN_FREE_BYTES")
    return f"{free_bytes // 1_000_000_000} GB free"


def _web_page(_settings: Settings) -> str:
    if not Path(WEB_BUNDLE, "index.html").is_file():
        raise ConfigurationError("the page is not built: run `make build`")
    return "there"


_CHECKS: Final[dict[str, Callable[[Settings], str]]] = {
    "data directory": _data_dir,
    "database": _database,
    "HTTP port": _http_port,
    "media ports": media_ports,
    "media addresses": media_reach,
    "space for recordings": _space,
    "web page": _web_page,
}
