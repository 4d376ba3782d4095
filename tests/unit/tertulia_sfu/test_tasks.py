"""Background tasks: failures are logged, and none outlives its owner."""

from __future__ import annotations

import asyncio

from structlog.testing import capture_logs

from tertulia_sfu.tasks import Tasks


async def test_a_failure_is_logged_with_the_name_of_its_task() -> None:
    async def fail() -> None:
        raise RuntimeError("broken")

    tasks = Tasks()
    with capture_logs() as logs:
        tasks.start(fail(), name="a task")
        await tasks.join(5)
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task failed", "a task")]


async def test_join_waits_no_longer_than_allowed_and_close_cancels() -> None:
    cancelled = asyncio.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    tasks = Tasks()
    tasks.start(wait_for_ever(), name="stuck")
    await tasks.join(0.01)
    assert not cancelled.is_set()
    with capture_logs() as logs:
        await tasks.close()
    assert cancelled.is_set()
    assert logs == []
