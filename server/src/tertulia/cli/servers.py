"""`tertulia serve` and `tertulia recorder`: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
import uvloop

from tertulia.app.application import serve_forever
from tertulia.app.installation import Installation, installation, opened_worker
from tertulia.app.stop_signals import on_stop_signals
from tertulia.app.worker import run_worker
from tertulia.errors import ConfigurationError
from tertulia.logs import set_up_logs
from tertulia.settings import Settings

_log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Run the server. Raise ConfigurationError when it cannot start."""
    set_up_logs(settings.log_level)
    serve_forever(settings)


def record(settings: Settings) -> None:
    """Run a recording worker without a server. Raise ConfigurationError when it cannot start."""
    set_up_logs(settings.log_level)
    uvloop.run(_record(installation(settings)))


async def _record(inst: Installation) -> None:
    """Make recordings until SIGTERM or SIGINT."""
    if not (inst.settings.media_url or inst.settings.media_internal_url):
        raise ConfigurationError(
            "TERTULIA_MEDIA_URL: a recorder has to be told where the meetings are "
            "(or TERTULIA_MEDIA_INTERNAL_URL), with TERTULIA_MEDIA_API_KEY and TERTULIA_MEDIA_API_SECRET"
        )
    stop = asyncio.Event()
    on_stop_signals(stop.set)
    async with opened_worker(inst) as dependencies, asyncio.TaskGroup() as tasks:
        _log.info("waiting for recordings", folder=str(dependencies.root))
        working = tasks.create_task(run_worker(dependencies), name="recordings")
        await stop.wait()
        _log.info("stopping; recorders that run go on until this worker is back")
        with suppress(TimeoutError):
            async with asyncio.timeout(inst.settings.stop_timeout_s):
                await dependencies.drain.settled()
        working.cancel()
