"""How the installation is, over HTTP, for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.http.kit.operations import Operation, OperationRequest, one
from tertulia.http.kit.responses import JsonResponse
from tertulia.services.readiness import PartState
from tertulia.services.status import StatusService


class DatabaseStatus(BaseModel):
    """The database."""

    state: PartState
    kind: str = Field(description="sqlite or postgresql")


class DiskStatus(BaseModel):
    """The disk of the data directory, in bytes."""

    state: PartState
    free: int | None = None
    total: int | None = None


class MediaStatus(BaseModel):
    """The media server; `embedded`: it is a part of this server."""

    state: PartState
    embedded: bool
    rooms: int | None = Field(default=None, description="Meetings that are not empty.")
    participants: int | None = None


class RecorderStatus(BaseModel):
    """Recordings: how many this machine makes at once, and how many all machines make now."""

    capacity: int
    running: int | None = None
    waiting: int | None = None


class InstallationStatus(BaseModel):
    """How the installation is. What cannot be asked is absent."""

    version: str
    ready: bool
    database: DatabaseStatus
    disk: DiskStatus
    media: MediaStatus
    recorders: RecorderStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What stays the same while this server runs."""

    version: str
    database_kind: str
    embedded: bool
    capacity: int


class StatusHandlers:
    """Translates between HTTP and the status."""

    def __init__(self, status: StatusService, facts: Facts) -> None:
        self._status = status
        self._facts = facts

    async def get(self, _request: OperationRequest) -> Response:
        """GET /console/status."""
        now, facts = await self._status.look(), self._facts
        parts = now.readiness
        shown: dict[str, Any] = {
            "version": facts.version,
            "ready": parts.is_ready,
            "database": {"state": parts.database, "kind": facts.database_kind},
            "disk": _known(state=parts.disk, free=now.free_bytes, total=now.total_bytes),
            "media": _known(state=parts.media, embedded=facts.embedded, rooms=now.rooms, participants=now.participants),
            "recorders": _known(capacity=facts.capacity, running=now.recordings, waiting=now.waiting_recordings),
        }
        return JsonResponse(shown)


def _known(**values: object) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}


_TAG: Final = "Internal API - Console"


def status_operation(status: StatusHandlers) -> Operation:
    """Describe how the console asks how the installation is."""
    return Operation(
        id="getStatus", method="GET", path="/console/status", action=Action.SEE_STATUS, handle=status.get,
        summary="See how the installation is: database, disk, media server, recorders, version", tag=_TAG,
        responses=one("How it is now", InstallationStatus, 401, 503),
    )  # fmt: skip
