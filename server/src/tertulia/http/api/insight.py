"""Insight over HTTP, for administrators."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from tertulia.domain.access import Action
from tertulia.domain.insight import InsightPeriod, Step
from tertulia.http.kit.operations import Operation, OperationRequest, one
from tertulia.http.kit.responses import JsonResponse
from tertulia.http.kit.validation import Query
from tertulia.services.insight import InsightService

_TAG: Final = "Internal API - Console"


class InsightQuery(Query):
    """Which period is wanted."""

    period: Literal["24h", "30d"] = Field(default="24h", description="How far back to look.")


class InsightPoint(BaseModel):
    """What went on in one step: the most at once of what is counted, and the mean of the bandwidth."""

    at: float = Field(description="When the step began, in milliseconds since the Unix epoch.")
    participants: int
    rooms: int
    recordings: int
    receivedBps: int | None = Field(
        default=None, description="Bits a second that the media server received; absent where it does not tell."
    )
    sentBps: int | None = Field(default=None, description="Bits a second that it sent.")


class InsightShown(BaseModel):
    """A period in steps. Those of which nothing is known, because the server was away, are missing."""

    period: Literal["24h", "30d"]
    stepS: int = Field(description="The length of a step in seconds.")
    points: list[InsightPoint]


class InsightHandlers:
    """Translates between HTTP and insight."""

    def __init__(self, insight: InsightService) -> None:
        self._insight = insight

    async def get(self, request: OperationRequest) -> Response:
        """GET /console/insight."""
        period = InsightPeriod(request.query_as(InsightQuery).period)
        steps = await self._insight.look(period)
        points = [_shown(step) for step in steps]
        return JsonResponse({"period": period, "stepS": period.step_s, "points": points})


def _shown(step: Step) -> dict[str, Any]:
    bandwidth = {"receivedBps": step.received_bps, "sentBps": step.sent_bps}
    return {
        "at": step.begin_ms,
        "participants": step.participants,
        "rooms": step.rooms,
        "recordings": step.recordings,
    } | {name: value for name, value in bandwidth.items() if value is not None}


def insight_operation(insight: InsightHandlers) -> Operation:
    """Describe how the console asks how much went on."""
    return Operation(
        id="getInsight", method="GET", path="/console/insight", action=Action.SEE_INSIGHT, handle=insight.get,
        query=InsightQuery, summary="See how much went on: people, meetings, recordings and bandwidth by steps of time",
        tag=_TAG, responses=one("The steps of the period", InsightShown, 401, 422, 503),
    )  # fmt: skip
