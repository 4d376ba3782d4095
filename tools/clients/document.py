"""What the clients need of the public document: its operations by the names of their methods, and their models."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from tertulia.domain.access import PUBLIC
from tertulia.http.api import public
from tertulia.http.api.authentication import SECURITY_SCHEMES
from tertulia.http.api.chat import ChatHandlers, chat_operations
from tertulia.http.api.lobby import LobbyHandlers, lobby_operations
from tertulia.http.api.moderation import ModerationHandlers, moderation_operations
from tertulia.http.api.participants import ParticipantHandlers
from tertulia.http.api.recordings import RecordingHandlers
from tertulia.http.api.rooms import RoomHandlers
from tertulia.http.kit.openapi import document

METHODS: Final[Mapping[str, str]] = {
    "createRoom": "rooms.create",
    "getRooms": "rooms.list",
    "getRoom": "rooms.get",
    "updateRoom": "rooms.update",
    "deleteRoom": "rooms.delete",
    "rotateRoomLinks": "rooms.rotate_links",
    "endMeeting": "rooms.end",
    "lockRoom": "rooms.lock",
    "unlockRoom": "rooms.unlock",
    "muteAll": "rooms.mute_all",
    "lowerAllHands": "rooms.lower_all_hands",
    "getMessages": "rooms.messages",
    "getParticipants": "participants.list",
    "changeParticipantRole": "participants.change_role",
    "muteParticipant": "participants.mute",
    "stopCamera": "participants.stop_camera",
    "askToUnmute": "participants.ask_to_unmute",
    "raiseHand": "participants.raise_hand",
    "lowerHand": "participants.lower_hand",
    "react": "participants.react",
    "postMessage": "participants.post_message",
    "generateParticipantToken": "participants.token",
    "disconnectParticipant": "participants.disconnect",
    "enterLobby": "lobby.enter",
    "getLobby": "lobby.list",
    "getLobbyState": "lobby.state",
    "admitGuest": "lobby.admit",
    "refuseGuest": "lobby.refuse",
    "admitAllGuests": "lobby.admit_all",
    "createRecording": "recordings.start",
    "getRecordings": "recordings.list",
    "getRecording": "recordings.get",
    "stopRecording": "recordings.stop",
    "deleteRecording": "recordings.delete",
    "deleteMultipleRecordings": "recordings.delete_many",
    "getRecordingStream": "recordings.stream",
}
"""The group and method of each operation. A new operation needs a name here."""
GROUPS: Final[Mapping[str, str]] = {
    "rooms": "Rooms, and what concerns everyone in them.",
    "participants": "Participants of running meetings, and their tokens.",
    "lobby": "Guests who wait to be let in.",
    "recordings": "Recordings.",
}
ALWAYS: Final[Mapping[str, Sequence[str]]] = {
    "OpenViduMeetRoom": (
        *("roomName", "creationDate", "expirationDate", "preferences"),
        *("moderatorURL", "publisherURL", "viewerURL"),
    ),
    "OpenViduMeetRecording": ("id", "roomName", "outputMode", "status", "filename"),
    "MeetParticipant": ("participantName", "role", "joinedAt", "tracks"),
    "PublishedTrack": ("sid", "source", "muted"),
    "Token": ("token",),
}
"""What an answer always has, though the document requires nothing (with `fields`, which clients do not offer)."""
SECRET: Final = frozenset({"moderatorURL", "publisherURL", "viewerURL", "token", "secret", "lobbyTicket"})
"""Properties that are not shown when a value is printed."""
_NOT_OFFERED: Final = frozenset({("updateRoom", "preferences")})
"""Parts of bodies that say again what other parts say."""
_FIRST: Final = ("roomName", "participantName")
T = TypeVar("T")


@dataclass(frozen=True)
class Type:
    """A type of JSON: `name` is a model, or one of `string number integer boolean time enum`."""

    name: str
    is_list: bool = False
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Property:
    """A property of a model, or an argument of a method."""

    name: str
    type: Type
    required: bool
    description: str = ""
    place: str = "body"


@dataclass(frozen=True)
class Model:
    """An object of the document, or a set of values that has a name there."""

    name: str
    description: str
    properties: tuple[Property, ...] = ()
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Operation:
    """An operation and its method."""

    id: str
    group: str
    name: str
    method: str
    path: str
    summary: str
    arguments: tuple[Property, ...]
    result: Type | None
    paged: bool = False
    keyed: bool = False
    is_stream: bool = False


@dataclass
class Api:
    """All operations, and the models that they use."""

    operations: list[Operation] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)

    def of(self, group: str) -> list[Operation]:
        """Return the operations of a group that are plain methods."""
        return [each for each in self.operations if each.group == group and not each.is_stream]


def public_document() -> dict[str, Any]:
    """Return the document that `/meet/api/v1/openapi.json` serves, but for the server's address."""
    operations = public.public_operations(
        rooms=_without_service(RoomHandlers),
        participants=_without_service(ParticipantHandlers),
        meeting=[
            *moderation_operations(_without_service(ModerationHandlers)),
            *chat_operations(_without_service(ChatHandlers)),
            *lobby_operations(_without_service(LobbyHandlers)),
        ],
        recordings=_without_service(RecordingHandlers),
    )
    return document("Tertulia API", public.BASE_PATH, operations, PUBLIC, SECURITY_SCHEMES)


def _without_service(kind: type[T]) -> T:
    """Make handlers that can be named but not called: a document needs no more."""
    return kind.__new__(kind)


def read(described: Mapping[str, Any]) -> Api:
    """Read the document. Raise ValueError for an operation that METHODS does not name."""
    schemas = described["components"]["schemas"]
    api = Api()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] not in METHODS:
                raise ValueError(f"tools/clients/document.py: METHODS has no name for {operation['operationId']}")
            api.operations.append(_operation(path, method.upper(), operation, schemas))
    used: dict[str, None] = {}
    for operation in api.operations:
        for each in (*(argument.type for argument in operation.arguments), operation.result):
            if each is not None:
                _collect(each, schemas, used)
    api.models = [_model(name, schemas[name]) for name in used]
    return api


def _operation(path: str, method: str, described: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    group, name = METHODS[described["operationId"]].split(".")
    parameters = {each["name"]: each for each in described.get("parameters", [])}
    answer = next(value for status, value in described["responses"].items() if status.startswith("2"))
    content = answer.get("content", {})
    is_json = "application/json" in content
    return Operation(
        id=described["operationId"],
        group=group,
        name=name,
        method=method,
        path=path,
        summary=described["summary"],
        arguments=tuple(sorted(_arguments(described, parameters, schemas), key=_order)),
        result=_type("", content["application/json"]["schema"]) if is_json else None,
        paged="nextPageToken" in parameters,
        keyed="Idempotency-Key" in parameters,
        is_stream=bool(content) and not is_json,
    )


def _arguments(
    described: Mapping[str, Any], parameters: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Iterator[Property]:
    for name, each in parameters.items():
        if each.get("required"):
            yield Property(name, Type("string"), required=True, place=each["in"])
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is None:
        return
    schema = schemas[_reference(body)]
    for each in _model(_reference(body), schema, is_request=True).properties:
        if (described["operationId"], each.name) not in _NOT_OFFERED:
            yield each


def _order(argument: Property) -> tuple[bool, int]:
    rank = _FIRST.index(argument.name) if argument.name in _FIRST else len(_FIRST)
    return (not argument.required, rank)


def _model(name: str, schema: Mapping[str, Any], *, is_request: bool = False) -> Model:
    if "enum" in schema:
        return Model(name, schema.get("description", ""), values=tuple(schema["enum"]))
    required = {*schema.get("required", ()), *ALWAYS.get(name, ())}
    properties = (
        Property(each, _type(each, of, is_request=is_request), each in required, of.get("description", ""))
        for each, of in schema["properties"].items()
    )
    return Model(name, schema.get("description", ""), tuple(sorted(properties, key=lambda each: not each.required)))


def _type(name: str, schema: Mapping[str, Any], *, is_request: bool = False) -> Type:
    if "allOf" in schema or "$ref" in schema:
        return Type(_reference(schema))
    if "enum" in schema:
        return Type("enum", values=tuple(schema["enum"]))
    if schema["type"] == "array":
        return replace(_type("", schema["items"]), is_list=True)
    if is_request and name.endswith("Date"):
        return Type("time")
    is_whole = schema["type"] == "number" and re.search(r"(?:Date|At|Since)\Z|\Asize\Z", name)
    return Type("integer" if is_whole else schema["type"])


def _reference(schema: Mapping[str, Any]) -> str:
    inner = schema["allOf"][0] if "allOf" in schema else schema
    return str(inner["$ref"]).rpartition("/")[2]


def _collect(used: Type, schemas: Mapping[str, Any], found: dict[str, None]) -> None:
    """Add a model to those that are found, after those that it uses."""
    if used.name not in schemas or used.name in found:
        return
    for name, described in schemas[used.name].get("properties", {}).items():
        _collect(_type(name, described), schemas, found)
    found[used.name] = None


def model_name(name: str) -> str:
    """Return the name of a model in the clients: `Room` for `OpenViduMeetRoom`."""
    return re.sub(r"\A(?:OpenViduMeet|Meet)", "", name)


def snake_case(name: str) -> str:
    """Return `moderator_url` for `moderatorURL`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    """Return `rotateLinks` for `rotate_links`."""
    first, *rest = name.split("_")
    return first + "".join(each.title() for each in rest)
