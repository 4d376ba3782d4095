"""Values that the API takes and answers. Dates are milliseconds since the Unix epoch.

Generated from the public API's document by `python -m tools.clients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPreferences:
    """Preferences for the chat in the room."""

    enabled: bool | None = field(default=None, metadata={"json": "enabled"})
    """If true, chat messages may be sent."""
    history: bool | None = field(default=None, metadata={"json": "history"})
    """An addition: if true, those who come later see the messages, until the meeting ends. On by default, shown where it is off."""
    files: bool | None = field(default=None, metadata={"json": "files"})
    """An addition: if true, files may be sent in the chat. On by default, shown where it is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPreferences:
    """Preferences for recording the room."""

    enabled: bool | None = field(default=None, metadata={"json": "enabled"})
    """If true, the meeting may be recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBackgroundPreferences:
    """Preferences for virtual backgrounds in the room."""

    enabled: bool | None = field(default=None, metadata={"json": "enabled"})
    """If true, virtual backgrounds may be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyPreferences:
    """Preferences for the lobby of the room: an addition."""

    enabled: bool | None = field(default=None, metadata={"json": "enabled"})
    """If true, publishers and viewers wait until a moderator lets them in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPreferences:
    """Preferences for the media of the room: an addition."""

    codecs: Sequence[Literal["video/VP8", "video/H264", "video/VP9", "video/AV1", "audio/opus", "audio/red"]] | None = (
        field(default=None, metadata={"json": "codecs"})
    )
    """The only codecs that may be used, from the next meeting on: audio/opus and some for video. Empty: all. Media servers other than the embedded one do not look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPreferences:
    """What a room allows."""

    chat_preferences: ChatPreferences | None = field(
        default=None, metadata={"json": "chatPreferences", "of": ChatPreferences}
    )
    recording_preferences: RecordingPreferences | None = field(
        default=None, metadata={"json": "recordingPreferences", "of": RecordingPreferences}
    )
    virtual_background_preferences: VirtualBackgroundPreferences | None = field(
        default=None, metadata={"json": "virtualBackgroundPreferences", "of": VirtualBackgroundPreferences}
    )
    lobby_preferences: LobbyPreferences | None = field(
        default=None, metadata={"json": "lobbyPreferences", "of": LobbyPreferences}
    )
    media_preferences: MediaPreferences | None = field(
        default=None, metadata={"json": "mediaPreferences", "of": MediaPreferences}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A room."""

    room_name: str = field(metadata={"json": "roomName"})
    creation_date: int = field(metadata={"json": "creationDate"})
    expiration_date: int = field(metadata={"json": "expirationDate"})
    preferences: RoomPreferences = field(metadata={"json": "preferences", "of": RoomPreferences})
    moderator_url: str = field(repr=False, metadata={"json": "moderatorURL"})
    publisher_url: str = field(repr=False, metadata={"json": "publisherURL"})
    viewer_url: str = field(repr=False, metadata={"json": "viewerURL"})
    room_name_prefix: str | None = field(default=None, metadata={"json": "roomNamePrefix"})
    max_participants: int | None = field(default=None, metadata={"json": "maxParticipants"})
    locked: Literal[True] | None = field(default=None, metadata={"json": "locked"})
    """An addition, only of a room that is locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTrack:
    """A track that a participant publishes."""

    sid: str = field(metadata={"json": "sid"})
    source: str = field(metadata={"json": "source"})
    muted: bool = field(metadata={"json": "muted"})
    width: int | None = field(default=None, metadata={"json": "width"})
    """An addition: of a picture, in pixels, if it is known."""
    height: int | None = field(default=None, metadata={"json": "height"})
    mime_type: str | None = field(default=None, metadata={"json": "mimeType"})
    """An addition: the codec, as in `video/VP8`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A participant who is in the room."""

    participant_name: str = field(metadata={"json": "participantName"})
    role: Literal["moderator", "publisher", "viewer"] = field(metadata={"json": "role"})
    joined_at: int = field(metadata={"json": "joinedAt"})
    tracks: Sequence[PublishedTrack] = field(metadata={"json": "tracks", "of": PublishedTrack})
    hand_raised_at: int | None = field(default=None, metadata={"json": "handRaisedAt"})


Role = Literal["moderator", "publisher", "viewer"]
"""What a participant is in a room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """A message of the running meeting."""

    message_id: str = field(metadata={"json": "messageId"})
    participant_name: str = field(metadata={"json": "participantName"})
    text: str = field(metadata={"json": "text"})
    sent_at: int = field(metadata={"json": "sentAt"})
    """In milliseconds since the Unix epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyTicket:
    """What proves that a guest is the one who was let in."""

    lobby_ticket: str = field(repr=False, metadata={"json": "lobbyTicket"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyGuest:
    """A guest who waits."""

    participant_name: str = field(metadata={"json": "participantName"})
    waiting_since: int = field(metadata={"json": "waitingSince"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LobbyDecision:
    """What was decided about a guest."""

    state: Literal["waiting", "admitted", "refused"] = field(metadata={"json": "state"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A participant's token: a LiveKit access token."""

    token: str = field(repr=False, metadata={"json": "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording, as the public API shows it."""

    id: str = field(metadata={"json": "id"})
    room_name: str = field(metadata={"json": "roomName"})
    output_mode: Literal["COMPOSED"] = field(metadata={"json": "outputMode"})
    status: Literal["STARTING", "STARTED", "RECORDING", "STOPPING", "STOPPED", "FAILED"] = field(
        metadata={"json": "status"}
    )
    filename: str = field(metadata={"json": "filename"})
    started_at: int | None = field(default=None, metadata={"json": "startedAt"})
    ended_at: int | None = field(default=None, metadata={"json": "endedAt"})
    duration: float | None = field(default=None, metadata={"json": "duration"})
    size: int | None = field(default=None, metadata={"json": "size"})
