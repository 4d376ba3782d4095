"""The page's TypeScript types of the internal API, generated from its document: stale ones are found.

`python -m tools.checks.api_types` writes them again.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from tools.checks.repository import ROOT, shown

from tertulia.domain.access import INTERNAL
from tertulia.http.api import internal
from tertulia.http.api.api_keys import ApiKeyHandlers
from tertulia.http.api.authentication import SECURITY_SCHEMES
from tertulia.http.api.chat import ChatHandlers, chat_operations
from tertulia.http.api.console import ConsoleHandlers, console_operations
from tertulia.http.api.events import EventHandlers
from tertulia.http.api.insight import InsightHandlers
from tertulia.http.api.lobby import LobbyHandlers, lobby_operations
from tertulia.http.api.moderation import ModerationHandlers, moderation_operations
from tertulia.http.api.participants import ParticipantHandlers
from tertulia.http.api.quality import QualityHandlers
from tertulia.http.api.recording_overview import RecordingOverviewHandlers
from tertulia.http.api.recordings import RecordingHandlers
from tertulia.http.api.room_overview import RoomOverviewHandlers
from tertulia.http.api.rooms import RoomHandlers
from tertulia.http.api.runtime_settings import RuntimeSettingHandlers
from tertulia.http.api.sessions import SessionHandlers
from tertulia.http.api.status import StatusHandlers
from tertulia.http.kit.openapi import document

TYPES: Final = ROOT / "web/src/api/schema.d.ts"
GENERATOR: Final = ROOT / "web/build/api-types/node_modules/.bin/openapi-typescript"
T = TypeVar("T")


def problems() -> Iterator[str]:
    """Yield that the types are stale, if they are."""
    if not TYPES.is_file() or TYPES.read_text() != generated():
        yield f"{shown(TYPES)} is stale: run `python -m tools.checks.api_types`"


def internal_document() -> dict[str, Any]:
    """Return the document that `/meet/internal-api/v1/openapi.json` serves, but for the server's address."""
    operations = internal.internal_operations(
        rooms=_without_service(RoomHandlers),
        participants=_without_service(ParticipantHandlers),
        meeting=[
            *moderation_operations(_without_service(ModerationHandlers)),
            *chat_operations(_without_service(ChatHandlers)),
            *lobby_operations(_without_service(LobbyHandlers)),
        ],
        recordings=_without_service(RecordingHandlers),
        sessions=_without_service(SessionHandlers),
        console=console_operations(
            ConsoleHandlers(
                events=_without_service(EventHandlers),
                rooms=_without_service(RoomOverviewHandlers),
                recordings=_without_service(RecordingOverviewHandlers),
                settings=_without_service(RuntimeSettingHandlers),
                api_keys=_without_service(ApiKeyHandlers),
                status=_without_service(StatusHandlers),
                insight=_without_service(InsightHandlers),
                quality=_without_service(QualityHandlers),
            )
        ),
    )
    return document("Tertulia internal API", internal.BASE_PATH, operations, INTERNAL, SECURITY_SCHEMES)


def _without_service(kind: type[T]) -> T:
    """Make handlers that can be named but not called: a document needs no more."""
    return kind.__new__(kind)


def generated() -> str:
    """Return the types of the document as it is now."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "openapi.json"), Path(folder, "schema.d.ts")
        source.write_text(json.dumps(internal_document()))
        command: list[str | Path] = [GENERATOR, source, "--output", target]
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
        return target.read_text()


if __name__ == "__main__":
    TYPES.write_text(generated())
    sys.stdout.write(f"{shown(TYPES)}\n")
