"""The chat of a meeting over HTTP, the same on both base paths."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.chat import TEXT_LENGTH, could_be_message_id
from tertulia.domain.ids import Identity
from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.operations import ROOM_IN_PATH, Operation, OperationRequest, many, nothing
from tertulia.http.kit.responses import JsonResponse, no_content
from tertulia.http.kit.validation import Body
from tertulia.services.chat import ChatService, shown

_TAG: Final = "Chat"
_BODY_BYTES: Final = 64 * 1024
"""The longest message, every character of it escaped."""


class NewMessage(Body):
    """What a participant writes."""

    text: str = Field(min_length=1, max_length=TEXT_LENGTH, description="The text: plain, never markup.")


class ChatMessage(BaseModel):
    """A message of the running meeting."""

    messageId: str
    participantName: str
    text: str
    sentAt: float = Field(description="In milliseconds since the Unix epoch.")


class ChatHandlers:
    """Translates between HTTP and the chat's service."""

    def __init__(self, chat: ChatService) -> None:
        self._chat = chat

    async def post(self, request: OperationRequest) -> Response:
        """PUT …/messages/{messageId}."""
        room, name, message_id = (request.path_params[part] for part in ("roomName", "participantName", "messageId"))
        if not could_be_message_id(message_id):
            raise InvalidInput("path", [FieldProblem("messageId", "must be 1 to 64 letters, digits, '-' or '_'")])
        await self._chat.post(room, Identity(name), message_id, request.body_as(NewMessage).text)
        return no_content()

    async def list_all(self, request: OperationRequest) -> Response:
        """GET /rooms/{roomName}/messages."""
        history = await self._chat.history(request.path_params["roomName"], asked_by=request.principal.identity)
        return JsonResponse([shown(message) for message in history])


def chat_operations(chat: ChatHandlers) -> list[Operation]:
    """List what is done with the chat."""
    usual: dict[str, Any] = {"room": ROOM_IN_PATH, "tag": _TAG, "is_addition": True}
    room = "/rooms/{roomName}"
    return [
        Operation(
            id="postMessage", method="PUT", path=f"{room}/participants/{{participantName}}/messages/{{messageId}}",
            action=Action.POST_MESSAGE, handle=chat.post, body=NewMessage, max_body_bytes=_BODY_BYTES,
            summary="Show a participant's message to all; with an id that is new, so that one sent again shows once",
            responses=nothing("It was sent", 401, 403, 404, 413, 415, 422, 429, 503), **usual,
        ),
        Operation(
            id="getMessages", method="GET", path=f"{room}/messages", action=Action.LIST_MESSAGES, handle=chat.list_all,
            summary="List the newest messages of the running meeting, oldest first; none where the room keeps none",
            responses=many("The messages", ChatMessage, 401, 403, 404, 503), **usual,
        ),
    ]  # fmt: skip
