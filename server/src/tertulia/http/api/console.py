"""What only administrators need, for the console: the operations of several nouns as one list."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.http.api.api_keys import ApiKeyHandlers, api_key_operations
from tertulia.http.api.events import EventHandlers, event_operation
from tertulia.http.api.insight import InsightHandlers, insight_operation
from tertulia.http.api.quality import QualityHandlers, quality_operation
from tertulia.http.api.recording_overview import RecordingOverviewHandlers, recording_overview_operations
from tertulia.http.api.room_overview import RoomOverviewHandlers, room_overview_operations
from tertulia.http.api.runtime_settings import RuntimeSettingHandlers, runtime_setting_operations
from tertulia.http.api.status import StatusHandlers, status_operation
from tertulia.http.kit.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleHandlers:
    """The handlers of the console's operations."""

    events: EventHandlers
    rooms: RoomOverviewHandlers
    recordings: RecordingOverviewHandlers
    settings: RuntimeSettingHandlers
    api_keys: ApiKeyHandlers
    status: StatusHandlers
    insight: InsightHandlers
    quality: QualityHandlers


def console_operations(handlers: ConsoleHandlers) -> list[Operation]:
    """List the operations of the console, on the internal base path."""
    return [
        event_operation(handlers.events),
        *room_overview_operations(handlers.rooms),
        *recording_overview_operations(handlers.recordings),
        *runtime_setting_operations(handlers.settings),
        *api_key_operations(handlers.api_keys),
        status_operation(handlers.status),
        insight_operation(handlers.insight),
        quality_operation(handlers.quality),
    ]
