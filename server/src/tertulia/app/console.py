"""The console put together: its handlers, and the periodic work behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.metadata import version
from typing import Final

from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.app.background import StartTask
from tertulia.app.installation import Installation
from tertulia.app.services import Services
from tertulia.app.worker import WorkerDependencies
from tertulia.http.api.api_keys import ApiKeyHandlers
from tertulia.http.api.console import ConsoleHandlers
from tertulia.http.api.events import EventHandlers
from tertulia.http.api.insight import InsightHandlers
from tertulia.http.api.quality import QualityHandlers
from tertulia.http.api.recording_overview import RecordingOverviewHandlers
from tertulia.http.api.room_overview import RoomOverviewHandlers
from tertulia.http.api.rooms import RoomPresenter
from tertulia.http.api.runtime_settings import ConfiguredSetting, RuntimeSettingHandlers
from tertulia.http.api.status import Facts, StatusHandlers
from tertulia.http.pages import Pages
from tertulia.http.server import RootApp
from tertulia.services.recordings.lost import LostRecordings
from tertulia.services.runtime_settings import RuntimeSettingsService
from tertulia.setting_infos import setting_infos, setting_sources, setting_values
from tertulia.settings import Settings

RELOAD_SETTINGS_EVERY_S: Final = 1.0
_WRITE_EVENTS_EVERY_S: Final = 0.25
_READ_EVENTS_EVERY_S: Final = 0.3
_FORGET_EVENTS_EVERY_S: Final = 60.0
_WRITE_KEY_USES_EVERY_S: Final = 5.0
_SAMPLE_EVERY_S: Final = 10.0
_SUM_UP_EVERY_S: Final = 300.0


def console_handlers(
    services: Services, inst: Installation, *, rooms: RoomPresenter, worker: WorkerDependencies
) -> ConsoleHandlers:
    """Return the handlers over a server's services, and the dependencies of its recording worker."""

    def lost() -> LostRecordings:
        return LostRecordings(worker.context(WorkerLock.owner_of(worker.root)))

    return ConsoleHandlers(
        insight=InsightHandlers(services.insight),
        quality=QualityHandlers(services.quality),
        events=EventHandlers(services.feed),
        rooms=RoomOverviewHandlers(overview=services.room_overview, rooms=services.rooms, presenter=rooms),
        recordings=RecordingOverviewHandlers(recordings=services.recordings, lost=lost),
        settings=RuntimeSettingHandlers(
            settings=services.settings, configured=_configured(inst.settings), presenter=rooms
        ),
        api_keys=ApiKeyHandlers(services.api_keys),
        status=StatusHandlers(
            services.status,
            Facts(
                version=version("tertulia"),
                database_kind="sqlite" if inst.database_url.startswith("sqlite") else "postgresql",
                embedded=inst.embedded,
                capacity=worker.capacity,
            ),
        ),
    )


def _configured(settings: Settings) -> list[ConfiguredSetting]:
    values, sources = setting_values(settings), setting_sources(settings)
    return [
        ConfiguredSetting(
            name=info.variable,
            section=info.section,
            value=values[info.name],
            source=sources[info.name],
            default=info.default,
            allowed=info.allowed,
            description=info.description,
        )
        for info in setting_infos()
    ]


def start_console_work(services: Services, tasks: StartTask) -> None:
    """Start the periodic work of the console."""
    tasks("events", _WRITE_EVENTS_EVERY_S, services.events.flush)
    tasks("event feed", _READ_EVENTS_EVERY_S, services.feed.poll)
    tasks("old events", _FORGET_EVENTS_EVERY_S, services.feed.forget)
    tasks("uses of API keys", _WRITE_KEY_USES_EVERY_S, services.api_keys.write_uses)
    tasks("insight", _SAMPLE_EVERY_S, services.insight.sample)
    tasks("old insight", _SUM_UP_EVERY_S, services.insight.sum_up)


class SettingsWatch:
    """Applies settings that changed, here or on another server; pages say in their headers who may embed them."""

    def __init__(self, settings: RuntimeSettingsService, app: RootApp, pages: Callable[[], Pages]) -> None:
        self._settings = settings
        self._app = app
        self._pages = pages
        self._shown_to = settings.current.embed_origins

    async def look(self) -> None:
        """Read what is stored, and make other pages if that matters to them. Raises Unavailable."""
        await self._settings.reload()
        origins = self._settings.current.embed_origins
        if origins != self._shown_to:
            self._app.show(await asyncio.to_thread(self._pages))  # it reads the bundle
            self._shown_to = origins
