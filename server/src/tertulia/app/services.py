"""The services of a server, put together."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass

from tertulia.adapters.clock import SystemClock
from tertulia.adapters.disk import FolderDisk
from tertulia.app.installation import Installation, accounts_service, api_key_service, recording_rules
from tertulia.services.accounts import AccountService
from tertulia.services.admission import AdmissionService
from tertulia.services.api_keys import ApiKeyService
from tertulia.services.chat import ChatService
from tertulia.services.events import EventFeed, EventLog
from tertulia.services.insight import SHARED_SOURCE, InsightService
from tertulia.services.lobby import LobbyService
from tertulia.services.meetings import MeetingService
from tertulia.services.moderation import ModerationService
from tertulia.services.participants import ParticipantAuth, ParticipantService
from tertulia.services.ports import Files, MediaServerClient, MediaTelemetry, Store
from tertulia.services.quality import QualityService
from tertulia.services.readiness import ReadinessService
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.service import RecordingService
from tertulia.services.room_overview import RoomOverview
from tertulia.services.rooms import RoomService
from tertulia.services.runtime_settings import RuntimeSettings, RuntimeSettingsService
from tertulia.services.status import StatusService
from tertulia.services.tokens import ParticipantTokens
from tertulia.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of a server, for its APIs, its media server and its periodic work."""

    accounts: AccountService
    api_keys: ApiKeyService
    tokens: ParticipantTokens
    admission: AdmissionService
    participants: ParticipantService
    moderation: ModerationService
    chat: ChatService
    lobby: LobbyService
    rooms: RoomService
    meetings: MeetingService
    recordings: RecordingService
    readiness: ReadinessService
    status: StatusService
    events: EventLog
    settings: RuntimeSettingsService
    feed: EventFeed
    room_overview: RoomOverview
    insight: InsightService
    quality: QualityService


def build_services(
    inst: Installation,
    *,
    store: Store,
    media: MediaServerClient,
    telemetry: MediaTelemetry,
    files: Files,
    changes: RecordingChanges,
    media_url: str,
) -> Services:
    """Return the services over a store, a media server and files; `media_url` is where clients reach the meetings."""
    clock, events = SystemClock(), EventLog(store)
    tokens = ParticipantTokens(api_key=inst.media_api_key, api_secret=inst.media_api_secret, media_url=media_url)
    settings = RuntimeSettingsService(store=store, configured=_configured(inst.settings, media_url))
    admission = AdmissionService(store=store, clock=clock, media=media)
    participants = ParticipantService(
        store=store,
        clock=clock,
        media=media,
        admission=admission,
        tokens=tokens,
        auth=lambda: settings.current.participant_auth,
        events=events,
    )
    return Services(
        accounts=accounts_service(inst, store),
        api_keys=api_key_service(inst, store),
        tokens=tokens,
        admission=admission,
        participants=participants,
        moderation=ModerationService(participants=participants, clock=clock, media=media),
        chat=ChatService(store=store, clock=clock, media=media, participants=participants),
        lobby=LobbyService(store=store, clock=clock, media=media),
        rooms=RoomService(store=store, clock=clock, media=media, rules=admission, defaults=settings.room_defaults),
        meetings=MeetingService(
            store=store, clock=clock, media=media, participants=participants, admission=admission, events=events
        ),
        events=events,
        settings=settings,
        room_overview=RoomOverview(store=store, clock=clock, media=media),
        quality=QualityService(store=store, clock=clock, telemetry=telemetry),
        insight=_insight(inst, store, media, telemetry),
        feed=EventFeed(store=store, clock=clock),
        recordings=RecordingService(store=store, clock=clock, media=media, files=files, changes=changes),
        readiness=(readiness := _readiness(inst, store, media)),
        status=StatusService(store=store, media=media, disk=_disk(inst), readiness=readiness),
    )


def _insight(inst: Installation, store: Store, media: MediaServerClient, telemetry: MediaTelemetry) -> InsightService:
    source = SHARED_SOURCE
    if inst.embedded:  # the same before and after a restart, and no other server's
        source = hashlib.sha256(f"{socket.gethostname()}:{inst.data_dir}".encode()).hexdigest()[:16]
    return InsightService(store=store, media=media, telemetry=telemetry, source=source)


def _disk(inst: Installation) -> FolderDisk:
    return FolderDisk(inst.data_dir, inst.recordings_dir)


def _readiness(inst: Installation, store: Store, media: MediaServerClient) -> ReadinessService:
    return ReadinessService(
        store=store,
        media=media,
        disk=_disk(inst),
        low_below_bytes=inst.settings.recording_min_free_bytes,
    )


def _configured(settings: Settings, media_url: str) -> RuntimeSettings:
    return RuntimeSettings(
        participant_auth=ParticipantAuth(settings.participant_auth),
        embed_origins=settings.embed_origins,
        cors_origins=settings.cors_origins,
        recordings=recording_rules(settings, media_url),
    )
