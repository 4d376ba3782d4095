"""The services of a server, put together."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.adapters.clock import SystemClock
from tertulia.adapters.disk import FolderDisk
from tertulia.app.installation import Installation, accounts_service
from tertulia.services.accounts import AccountService
from tertulia.services.admission import AdmissionService
from tertulia.services.chat import ChatService
from tertulia.services.lobby import LobbyService
from tertulia.services.meetings import MeetingService
from tertulia.services.moderation import ModerationService
from tertulia.services.participants import ParticipantAuth, ParticipantService
from tertulia.services.ports import Files, MediaServerClient, Store
from tertulia.services.readiness import ReadinessService
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.service import RecordingService
from tertulia.services.rooms import RoomService
from tertulia.services.tokens import ParticipantTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases of a server, for its APIs, its media server and its periodic work."""

    accounts: AccountService
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


def build_services(
    inst: Installation,
    *,
    store: Store,
    media: MediaServerClient,
    files: Files,
    changes: RecordingChanges,
    media_url: str,
) -> Services:
    """Return the services over a store, a media server and files; `media_url` is where clients reach the meetings."""
    clock = SystemClock()
    tokens = ParticipantTokens(api_key=inst.media_api_key, api_secret=inst.media_api_secret, media_url=media_url)
    admission = AdmissionService(store=store, clock=clock, media=media)
    participants = ParticipantService(
        store=store,
        clock=clock,
        media=media,
        admission=admission,
        tokens=tokens,
        auth=ParticipantAuth(inst.settings.participant_auth),
    )
    rooms = RoomService(store=store, clock=clock, media=media, rules=admission)
    return Services(
        accounts=accounts_service(inst, store),
        tokens=tokens,
        admission=admission,
        participants=participants,
        moderation=ModerationService(participants=participants, clock=clock, media=media),
        chat=ChatService(store=store, clock=clock, media=media, participants=participants),
        lobby=LobbyService(store=store, clock=clock, media=media),
        rooms=rooms,
        meetings=MeetingService(store=store, clock=clock, media=media, participants=participants, admission=admission),
        recordings=RecordingService(store=store, clock=clock, media=media, files=files, changes=changes),
        readiness=ReadinessService(
            store=store,
            media=media,
            disk=FolderDisk(inst.data_dir, inst.recordings_dir),
            low_below_bytes=inst.settings.recording_min_free_bytes,
        ),
    )
