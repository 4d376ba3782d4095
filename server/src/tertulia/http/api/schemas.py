"""What both documents say about rooms, participants and tokens: models of bodies and answers, and their translation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from tertulia.domain.access import Role
from tertulia.domain.ids import LATEST, Identity, Millis
from tertulia.domain.participants import LiveParticipant, name_problem
from tertulia.domain.rooms import MAX_PARTICIPANTS, PreferencesChange, Room
from tertulia.http.kit.validation import Body, NotNull, Query, WholeNumber
from tertulia.services.rooms import RoomOptions


def _participant_name(value: str) -> str:
    problem = name_problem(value)
    if problem is not None:
        raise PydanticCustomError("participant_name", "{problem}", {"problem": problem})
    return value


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_type", "Expected a number")
    return value


ParticipantName = Annotated[str, AfterValidator(_participant_name)]


# ── rooms ──


class ChatPreferences(Body):
    """Preferences for the chat in the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, chat messages may be sent.")


class RecordingPreferences(Body):
    """Preferences for recording the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, the meeting may be recorded.")


class VirtualBackgroundPreferences(Body):
    """Preferences for virtual backgrounds in the room."""

    enabled: Annotated[bool, NotNull] = Field(default=True, description="If true, virtual backgrounds may be used.")


class RoomPreferences(Body):
    """What a room allows."""

    chatPreferences: Annotated[ChatPreferences | None, NotNull] = None
    recordingPreferences: Annotated[RecordingPreferences | None, NotNull] = None
    virtualBackgroundPreferences: Annotated[VirtualBackgroundPreferences | None, NotNull] = None

    def change(self) -> PreferencesChange:
        """Read what is to change; `enabled` that is absent inside a part leaves it as it is."""

        def enabled(part: ChatPreferences | RecordingPreferences | VirtualBackgroundPreferences | None) -> bool | None:
            return None if part is None or "enabled" not in part.model_fields_set else part.enabled

        return PreferencesChange(
            chat_enabled=enabled(self.chatPreferences),
            recording_enabled=enabled(self.recordingPreferences),
            virtual_background_enabled=enabled(self.virtualBackgroundPreferences),
        )


class OpenViduMeetRoomOptions(Body):
    """What a new room shall be."""

    expirationDate: WholeNumber = Field(
        description="When the room ends, in milliseconds since the Unix epoch; in the future.", le=LATEST, ge=-LATEST
    )
    roomNamePrefix: Annotated[str | None, NotNull] = Field(
        default=None, description="The readable part of the room's name."
    )
    maxParticipants: Annotated[WholeNumber | None, NotNull] = Field(
        default=None, ge=1, le=MAX_PARTICIPANTS, description="How many may be in at once."
    )
    preferences: Annotated[RoomPreferences | None, NotNull] = None

    def options(self) -> RoomOptions:
        """Translate to the domain."""
        return RoomOptions(
            expires_at_ms=Millis(self.expirationDate),
            prefix=self.roomNamePrefix,
            max_participants=self.maxParticipants,
            preferences=self.preferences.change() if self.preferences is not None else PreferencesChange(),
        )


class RoomUpdate(RoomPreferences):
    """Preferences to change, bare or wrapped in `preferences`."""

    preferences: Annotated[RoomPreferences | None, NotNull] = None

    @model_validator(mode="after")
    def _not_mixed(self) -> RoomUpdate:
        if "preferences" in self.model_fields_set and len(self.model_fields_set) > 1:
            raise PydanticCustomError("mixed", "Send preferences either bare or wrapped in 'preferences', not both")
        return self

    def wanted(self) -> PreferencesChange:
        """Read the change, whichever way it came."""
        return self.preferences.change() if self.preferences is not None else self.change()


class OpenViduMeetRoom(BaseModel):
    """A room."""

    roomName: str | None = None
    creationDate: float | None = None
    expirationDate: float | None = None
    roomNamePrefix: str | None = None
    preferences: RoomPreferences | None = None
    maxParticipants: int | None = None
    moderatorURL: str | None = None
    publisherURL: str | None = None
    viewerURL: str | None = None


class RoomPresenter:
    """Turns rooms into what the API says about them."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    def url(self, room: Room, secret: str) -> str:
        """Make a link that joins a room with the role of its secret (whose alphabet is a URL's)."""
        return f"{self._public_url}/meet/{room.name}/?secret={secret}"

    def with_links(self, room: Room) -> dict[str, Any]:
        """Show a room to those who administrate it."""
        return self.without_links(room) | {
            "moderatorURL": self.url(room, room.secrets.moderator),
            "publisherURL": self.url(room, room.secrets.publisher),
            "viewerURL": self.url(room, room.secrets.viewer),
        }

    def without_links(self, room: Room) -> dict[str, Any]:
        """Show a room to somebody inside it."""
        answer: dict[str, Any] = {
            "roomName": room.name,
            "creationDate": room.created_at_ms,
            "expirationDate": room.expires_at_ms,
            "preferences": {
                "chatPreferences": {"enabled": room.preferences.chat_enabled},
                "recordingPreferences": {"enabled": room.preferences.recording_enabled},
                "virtualBackgroundPreferences": {"enabled": room.preferences.virtual_background_enabled},
            },
        }
        if room.prefix is not None:
            answer["roomNamePrefix"] = room.prefix
        if room.max_participants is not None:
            answer["maxParticipants"] = room.max_participants
        return answer


# ── participants ──


class MeetingLink(Body):
    """What a link to a meeting says."""

    roomName: str = Field(description="The name of the room.")
    secret: str = Field(description="The secret from the room's link.")


class LinkRole(BaseModel):
    """What somebody is in a meeting who joins with that link."""

    role: Role


class TokenOptions(Body):
    """Who wants to join which room, with the secret of the link."""

    roomName: str = Field(description="The name of the room to join.")
    participantName: ParticipantName = Field(description="The name of the participant.")
    secret: str = Field(description="The secret from the room's link.")

    def identity(self) -> Identity:
        """Translate the name to the domain."""
        return Identity(self.participantName)


class Token(BaseModel):
    """A participant's token: a LiveKit access token."""

    token: str | None = None


def _role(value: object) -> object:
    return Role(value) if isinstance(value, str) and value in set(Role) else value


class RoleChange(Body):
    """What a participant is to be."""

    role: Annotated[Role, BeforeValidator(_role)]


class InRoom(Query):
    """Which room a participant is in."""

    roomName: str = Field(description="The name of the room.")


class FieldsQuery(Query):
    """Which fields are wanted."""

    fields_: str | None = Field(
        default=None, alias="fields", description="Comma-separated names of the fields to answer; empty means all."
    )


class PageQuery(Query):
    """Which page of a list is wanted; without `maxItems` the list comes whole."""

    maxItems: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=100)] | None = Field(
        default=None, description="How many items to answer at most."
    )
    nextPageToken: str | None = Field(
        default=None, description="Where to go on: the X-Next-Page-Token of the answer before."
    )


class PublishedTrack(BaseModel):
    """A track that a participant publishes."""

    sid: str | None = None
    source: str | None = None
    muted: bool | None = None


class MeetParticipant(BaseModel):
    """Somebody who is in the room."""

    model_config = ConfigDict(use_enum_values=True)

    participantName: str | None = None
    role: Literal["moderator", "publisher", "viewer"] | None = None
    joinedAt: float | None = None
    tracks: list[PublishedTrack] | None = None


def participant_answer(participant: LiveParticipant) -> dict[str, Any]:
    """Show somebody who is in a room."""
    answer: dict[str, Any] = {
        "participantName": participant.identity,
        "joinedAt": participant.joined_at_ms,
        "tracks": [{"sid": t.sid, "source": t.source, "muted": t.muted} for t in participant.publications],
    }
    if participant.role is not None:
        answer["role"] = participant.role
    return answer


class ListRoomsQuery(FieldsQuery, PageQuery):
    """What of which rooms is wanted."""
