"""Insight in two tables: fine steps of each server, and coarse steps of all."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import insight, insight_samples
from tertulia.domain.ids import Millis
from tertulia.domain.insight import COARSE_STEP_S, Step, one_after_the_other
from tertulia.services.ports import InsightRepository

_FINE: Final = select(insight_samples).where(insight_samples.c.begin_ms >= bindparam("since"))
_FINE_ONE: Final = select(insight_samples).where(
    insight_samples.c.source == bindparam("source"), insight_samples.c.begin_ms == bindparam("begin")
)
_TAKE_FINE: Final = delete(insight_samples).where(insight_samples.c.begin_ms < bindparam("before"))
_COARSE: Final = (
    select(insight)
    .where(insight.c.step_s == COARSE_STEP_S, insight.c.begin_ms >= bindparam("since"))
    .order_by(insight.c.begin_ms)
)
_COARSE_ONE: Final = select(insight).where(insight.c.step_s == COARSE_STEP_S, insight.c.begin_ms == bindparam("begin"))
_FORGET_COARSE: Final = delete(insight).where(insight.c.begin_ms < bindparam("before"))


class SqlInsightRepository(InsightRepository):
    """Steps in one transaction; a row that is added to is locked until its end (PostgreSQL)."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, source: str, step: Step) -> None:
        before = self._connection.execute(
            _FINE_ONE.with_for_update(), {"source": source, "begin": step.begin_ms}
        ).one_or_none()
        total = step if before is None else one_after_the_other(_fine(before), step)
        row = _counts(total) | {"received_bytes": total.received_bytes, "sent_bytes": total.sent_bytes}
        upsert(self._connection, insight_samples, row | {"source": source})

    def fine(self, *, since_ms: Millis) -> list[Step]:
        return [_fine(row) for row in self._connection.execute(_FINE, {"since": since_ms})]

    def take_fine(self, *, before_ms: Millis) -> list[Step]:
        """Delete and read in one statement: of two servers that do so only one gets a row."""
        taken = self._connection.execute(_TAKE_FINE.returning(*insight_samples.c), {"before": before_ms})
        return [_fine(row) for row in taken]

    def add_coarse(self, step: Step) -> None:
        before = self._connection.execute(_COARSE_ONE.with_for_update(), {"begin": step.begin_ms}).one_or_none()
        total = step if before is None else one_after_the_other(_coarse(before), step)
        row = _counts(total) | {"received_bps": total.received_bps, "sent_bps": total.sent_bps}
        upsert(self._connection, insight, row | {"step_s": COARSE_STEP_S})

    def coarse(self, *, since_ms: Millis) -> list[Step]:
        return [_coarse(row) for row in self._connection.execute(_COARSE, {"since": since_ms})]

    def forget_coarse(self, *, before_ms: Millis) -> None:
        self._connection.execute(_FORGET_COARSE, {"before": before_ms})


def _counts(step: Step) -> dict[str, Any]:
    return {
        "begin_ms": step.begin_ms,
        "participants": step.participants,
        "rooms": step.rooms,
        "recordings": step.recordings,
        "covered_ms": step.covered_ms,
    }


def _fine(row: Row[Any]) -> Step:
    return _step(row, row.received_bytes, row.sent_bytes)


def _coarse(row: Row[Any]) -> Step:
    received, sent = (None if bps is None else bps * row.covered_ms // 8000 for bps in (row.received_bps, row.sent_bps))
    return _step(row, received, sent)


def _step(row: Row[Any], received_bytes: int | None, sent_bytes: int | None) -> Step:
    return Step(
        begin_ms=Millis(row.begin_ms),
        participants=row.participants,
        rooms=row.rooms,
        recordings=row.recordings,
        covered_ms=row.covered_ms,
        received_bytes=received_bytes,
        sent_bytes=sent_bytes,
    )
