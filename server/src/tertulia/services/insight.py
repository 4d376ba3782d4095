"""Insight: how many people, meetings and recordings there were, and how much bandwidth they took.

Each server stores its own figures, so that several on one database are added up and none is lost; those that share an
external media server all see the same meetings, and store them under one name.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tertulia.domain.ids import Millis
from tertulia.domain.insight import (
    COARSE_KEPT_MS,
    FINE_KEPT_MS,
    FINE_STEP_S,
    InsightPeriod,
    Step,
    begin_of_step,
    coarse_steps,
    steps_of_all_servers,
)
from tertulia.domain.recordings.recording import OCCUPYING
from tertulia.services.ports import MediaServerClient, MediaTelemetry, Store, Traffic, Transaction

SHARED_SOURCE: Final = "shared"
"""Under which figures of an external media server are stored: whichever server asks, they are the same."""


class InsightService:
    """Stores figures and shows them. `source` names the server whose figures these are."""

    def __init__(
        self,
        *,
        store: Store,
        media: MediaServerClient,
        telemetry: MediaTelemetry,
        source: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._media = media
        self._telemetry = telemetry
        self._source = source
        self._now_s = now_s
        self._last_traffic: Traffic | None = None
        self._last_at_s = now_s()

    async def sample(self) -> None:
        """Add how much goes on now to the running step. Raises Unavailable, which leaves a gap if it lasts."""
        counts = (await self._media.participant_counts()).values()
        traffic, at_s = self._telemetry.traffic(), self._now_s()
        last, covered_ms = self._last_traffic, int((at_s - self._last_at_s) * 1000)
        known = traffic is not None and last is not None

        def work(tx: Transaction) -> None:
            running = tx.recordings.held_by_others("")
            tx.insight.add(
                self._source,
                Step(
                    begin_ms=begin_of_step(tx.now_ms(), FINE_STEP_S),
                    participants=sum(counts),
                    rooms=sum(count > 0 for count in counts),
                    recordings=sum(each.state in OCCUPYING and each.lease_owner is not None for each in running),
                    covered_ms=covered_ms if known else 0,
                    received_bytes=traffic.received_bytes - last.received_bytes if traffic and last else None,
                    sent_bytes=traffic.sent_bytes - last.sent_bytes if traffic and last else None,
                ),
            )

        await self._store.write(work)
        self._last_traffic, self._last_at_s = traffic, at_s

    async def sum_up(self) -> None:
        """Sum old steps up to coarse ones, and forget what is older still. Raises Unavailable."""

        def work(tx: Transaction) -> None:
            now_ms = tx.now_ms()
            old = tx.insight.take_fine(before_ms=begin_of_step(now_ms - FINE_KEPT_MS, FINE_STEP_S))
            for step in coarse_steps(steps_of_all_servers(old)):
                tx.insight.add_coarse(step)
            tx.insight.forget_coarse(before_ms=Millis(now_ms - COARSE_KEPT_MS))

        await self._store.write(work)

    async def look(self, period: InsightPeriod) -> list[Step]:
        """List the steps of a period of which something is known, the oldest first. Raises Unavailable."""

        def read(tx: Transaction) -> tuple[Millis, list[Step], list[Step]]:
            since_ms = begin_of_step(tx.now_ms() - period.length_ms, period.step_s)
            coarse = tx.insight.coarse(since_ms=since_ms) if period is InsightPeriod.MONTH else []
            return since_ms, tx.insight.fine(since_ms=since_ms), coarse

        since_ms, fine, coarse = await self._store.read(read)
        steps = steps_of_all_servers(fine)
        if period is InsightPeriod.DAY:
            return steps
        return [step for step in coarse_steps([*coarse, *steps]) if step.begin_ms >= since_ms]
