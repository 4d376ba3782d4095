"""Hands, reactions, and the microphones and cameras of others over HTTP, the same on both base paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from pydantic import Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.ids import Identity
from tertulia.http.kit.operations import ROOM_IN_PATH, Operation, OperationRequest, nothing
from tertulia.http.kit.responses import no_content
from tertulia.http.kit.validation import Body
from tertulia.services.moderation import ModerationService, Reaction

_TAG: Final = "Meeting"
_ROOM: Final = "/rooms/{roomName}"
_PARTICIPANT: Final = f"{_ROOM}/participants/{{participantName}}"
_OfOne = Callable[[str, Identity], Awaitable[None]]


class ShownReaction(Body):
    """What a participant shows to all for a moment."""

    reaction: Reaction = Field(description="One of these.")


class ModerationHandlers:
    """Translates between HTTP and the moderation's service."""

    def __init__(self, moderation: ModerationService) -> None:
        self._moderation = moderation

    async def raise_hand(self, request: OperationRequest) -> Response:
        """PUT …/hand."""
        return await _of_one(request, self._moderation.raise_hand)

    async def lower_hand(self, request: OperationRequest) -> Response:
        """DELETE …/hand."""
        return await _of_one(request, self._moderation.lower_hand)

    async def lower_all_hands(self, request: OperationRequest) -> Response:
        """DELETE /rooms/{roomName}/hands."""
        await self._moderation.lower_all_hands(request.path_params["roomName"])
        return no_content()

    async def react(self, request: OperationRequest) -> Response:
        """POST …/reactions."""
        room, name = request.path_params["roomName"], request.path_params["participantName"]
        await self._moderation.react(room, Identity(name), request.body_as(ShownReaction).reaction)
        return no_content()

    async def mute_all(self, request: OperationRequest) -> Response:
        """POST /rooms/{roomName}/mute-all."""
        await self._moderation.mute_all(request.path_params["roomName"], besides=request.principal.identity)
        return no_content()

    async def stop_camera(self, request: OperationRequest) -> Response:
        """POST …/stop-camera."""
        return await _of_one(request, self._moderation.stop_camera)

    async def ask_to_unmute(self, request: OperationRequest) -> Response:
        """POST …/ask-to-unmute."""
        return await _of_one(request, self._moderation.ask_to_unmute)


async def _of_one(request: OperationRequest, do: _OfOne) -> Response:
    await do(request.path_params["roomName"], Identity(request.path_params["participantName"]))
    return no_content()


def moderation_operations(moderation: ModerationHandlers) -> list[Operation]:
    """List what is shown and asked in a meeting."""
    usual: dict[str, Any] = {"room": ROOM_IN_PATH, "tag": _TAG, "is_addition": True}
    return [
        Operation(
            id="raiseHand", method="PUT", path=f"{_PARTICIPANT}/hand", action=Action.RAISE_HAND,
            handle=moderation.raise_hand, summary="Raise a participant's hand, for all to see in its order",
            responses=nothing("The hand is up", 401, 403, 404, 503), **usual,
        ),
        Operation(
            id="lowerHand", method="DELETE", path=f"{_PARTICIPANT}/hand", action=Action.LOWER_HAND,
            handle=moderation.lower_hand, summary="Lower a participant's hand",
            responses=nothing("The hand is down", 401, 403, 404, 503), **usual,
        ),
        Operation(
            id="lowerAllHands", method="DELETE", path=f"{_ROOM}/hands", action=Action.LOWER_ALL_HANDS,
            handle=moderation.lower_all_hands, summary="Lower all hands",
            responses=nothing("No hand is up", 401, 403, 404, 503), **usual,
        ),
        Operation(
            id="react", method="POST", path=f"{_PARTICIPANT}/reactions", action=Action.REACT,
            handle=moderation.react, body=ShownReaction, summary="Show a participant's reaction to all",
            responses=nothing("It was shown", 401, 403, 404, 413, 415, 422, 429, 503), **usual,
        ),
        Operation(
            id="muteAll", method="POST", path=f"{_ROOM}/mute-all", action=Action.MUTE_ALL,
            handle=moderation.mute_all, summary="Mute every microphone but the own; only their owners can unmute them",
            responses=nothing("The microphones are off", 401, 403, 404, 503), **usual,
        ),
        Operation(
            id="stopCamera", method="POST", path=f"{_PARTICIPANT}/stop-camera", action=Action.STOP_CAMERA,
            handle=moderation.stop_camera, summary="Stop a participant's camera",
            responses=nothing("The camera is off", 401, 403, 404, 503), **usual,
        ),
        Operation(
            id="askToUnmute", method="POST", path=f"{_PARTICIPANT}/ask-to-unmute", action=Action.ASK_TO_UNMUTE,
            handle=moderation.ask_to_unmute, summary="Ask a participant to unmute",
            responses=nothing("It was asked", 401, 403, 404, 503), **usual,
        ),
    ]  # fmt: skip
