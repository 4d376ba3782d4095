"""The console put together: its handlers, and the periodic work behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.app.services import Services
from tertulia.app.worker import WorkerDependencies
from tertulia.http.api.console import ConsoleHandlers
from tertulia.http.api.events import EventHandlers
from tertulia.http.api.recording_overview import RecordingOverviewHandlers
from tertulia.http.api.room_overview import RoomOverviewHandlers
from tertulia.http.api.rooms import RoomPresenter
from tertulia.services.recordings.lost import LostRecordings

_WRITE_EVENTS_EVERY_S: Final = 0.25
_READ_EVENTS_EVERY_S: Final = 0.3
_FORGET_EVENTS_EVERY_S: Final = 60.0


def console_handlers(services: Services, *, rooms: RoomPresenter, worker: WorkerDependencies) -> ConsoleHandlers:
    """Return the handlers over a server's services, and the dependencies of its recording worker."""

    def lost() -> LostRecordings:
        return LostRecordings(worker.context(WorkerLock.owner_of(worker.root)))

    return ConsoleHandlers(
        events=EventHandlers(services.feed),
        rooms=RoomOverviewHandlers(overview=services.room_overview, rooms=services.rooms, presenter=rooms),
        recordings=RecordingOverviewHandlers(recordings=services.recordings, lost=lost),
    )


def start_console_work(services: Services, tasks: Callable[[str, float, Callable[[], Awaitable[None]]], None]) -> None:
    """Start the periodic work of the console."""
    tasks("events", _WRITE_EVENTS_EVERY_S, services.events.flush)
    tasks("event feed", _READ_EVENTS_EVERY_S, services.feed.poll)
    tasks("old events", _FORGET_EVENTS_EVERY_S, services.feed.forget)
