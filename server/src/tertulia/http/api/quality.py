"""How good the connections of a meeting's participants are, over HTTP, for administrators."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.http.kit.operations import ROOM_IN_PATH, Operation, OperationRequest, many
from tertulia.http.kit.responses import JsonResponse
from tertulia.services.ports import ParticipantQuality
from tertulia.services.quality import QualityService

_TAG: Final = "Internal API - Console"


class PublishedVideo(BaseModel):
    """A video that a participant publishes, and the layers of it that arrive: low, medium, high."""

    sid: str
    layers: list[str]


class ReceivedVideo(BaseModel):
    """A video that a participant wants: the layer that it is sent, absent while nothing is, and the best there is."""

    sid: str
    layer: str | None = None
    best: str | None = None


class ConnectionQuality(BaseModel):
    """A participant's connection, as the media server measured it in the last five seconds; else absent.

    `Up` is from the participant to the server. Losses are shares from 0 to 1.
    """

    participantName: str
    joinedAt: float
    connected: bool = Field(description="Whether the participant is in the room now.")
    joinMs: int | None = Field(default=None, description="How long it took until its media was connected.")
    reportedAt: float | None = None
    family: str | None = Field(default=None, description="IPv4 or IPv6")
    protocol: str | None = Field(default=None, description="udp, tcp or tls, as the media server sees it.")
    address: str | None = Field(default=None, description="The client's end, or its relay's, shortened to a network.")
    rttMs: int | None = None
    lossUp: float | None = None
    lossDown: float | None = None
    jitterUpMs: int | None = None
    jitterDownMs: int | None = None
    estimateBps: int | None = Field(default=None, description="What the client can receive, by its own estimate.")
    keyframeRequests: int = Field(description="How often it asked for a picture to begin with: also after each freeze.")
    publishedVideos: list[PublishedVideo]
    receivedVideos: list[ReceivedVideo]


class QualityHandlers:
    """Translates between HTTP and the quality of connections."""

    def __init__(self, quality: QualityService) -> None:
        self._quality = quality

    async def get(self, request: OperationRequest) -> Response:
        """GET /console/rooms/{roomName}/quality."""
        return JsonResponse([_shown(each) for each in await self._quality.in_room(request.path_params["roomName"])])


def _shown(quality: ParticipantQuality) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "participantName": quality.identity,
        "joinedAt": quality.joined_at_ms,
        "connected": quality.is_connected,
        "joinMs": quality.join_ms,
        "reportedAt": quality.reported_at_ms,
        "family": quality.family,
        "protocol": quality.protocol,
        "address": quality.address,
        "rttMs": quality.rtt_ms,
        "lossUp": quality.loss_up,
        "lossDown": quality.loss_down,
        "jitterUpMs": quality.jitter_up_ms,
        "jitterDownMs": quality.jitter_down_ms,
        "estimateBps": quality.estimate_bps,
        "keyframeRequests": quality.keyframe_requests,
        "publishedVideos": [{"sid": each.track, "layers": [*each.layers]} for each in quality.published],
        "receivedVideos": [
            _known({"sid": each.track, "layer": each.layer, "best": each.best}) for each in quality.received
        ],
    }
    return _known(shown)


def _known(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if value is not None}


def quality_operation(quality: QualityHandlers) -> Operation:
    """Describe how the console asks how good the connections in a room are."""
    return Operation(
        id="getRoomQuality", method="GET", path="/console/rooms/{roomName}/quality", action=Action.SEE_QUALITY,
        room=ROOM_IN_PATH, handle=quality.get,
        summary="See how good the connections are of all who are or were in the running meeting", tag=_TAG,
        responses=many("Their connections; none over an external media server", ConnectionQuality, 401, 404, 503),
    )  # fmt: skip
