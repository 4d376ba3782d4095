"""What services need from outside: the store, the media server, files, recorder processes and the clock.

An adapter implements a protocol of this package. It repeats no docstring of it: it says only what is special about it.
"""

from tertulia.services.ports.clock import Clock
from tertulia.services.ports.console import (
    ApiKeyRepository,
    EventRepository,
    InsightRepository,
    RecordingOrder,
    RecordingSearch,
    RoomOrder,
    RoomSearch,
    SettingRepository,
    SortKey,
)
from tertulia.services.ports.disk import Disk
from tertulia.services.ports.files import FileReader, Files
from tertulia.services.ports.media_server import MediaServerClient
from tertulia.services.ports.recorders import Recorders, RecorderStatus
from tertulia.services.ports.repositories import (
    AccountRepository,
    ChatRepository,
    IdempotencyKey,
    IdempotencyRecord,
    IdempotencyRepository,
    LobbyRepository,
    LoginSession,
    MembershipRepository,
    PageKey,
    RecordingRepository,
    RoomRepository,
)
from tertulia.services.ports.store import Store, Transaction
from tertulia.services.ports.telemetry import MediaTelemetry, ParticipantQuality, Traffic, VideoPublished, VideoReceived

__all__ = [
    "AccountRepository",
    "ApiKeyRepository",
    "ChatRepository",
    "Clock",
    "Disk",
    "EventRepository",
    "FileReader",
    "Files",
    "IdempotencyKey",
    "IdempotencyRecord",
    "IdempotencyRepository",
    "InsightRepository",
    "LobbyRepository",
    "LoginSession",
    "MediaServerClient",
    "MediaTelemetry",
    "MembershipRepository",
    "PageKey",
    "ParticipantQuality",
    "RecorderStatus",
    "Recorders",
    "RecordingOrder",
    "RecordingRepository",
    "RecordingSearch",
    "RoomOrder",
    "RoomRepository",
    "RoomSearch",
    "SettingRepository",
    "SortKey",
    "Store",
    "Traffic",
    "Transaction",
    "VideoPublished",
    "VideoReceived",
]
