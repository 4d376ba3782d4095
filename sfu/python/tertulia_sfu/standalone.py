"""The media server in a process of its own, with nothing else."""

import asyncio
import logging
import signal
import sys

import structlog

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.server import MediaServer
from tertulia_sfu.serving import SignallingServer, uvicorn_config


def run(config: MediaConfig, *, host: str, port: int) -> None:
    """Set up logs and serve until SIGINT or SIGTERM. Raise OSError when a port cannot be opened."""
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    asyncio.run(serve(config, host=host, port=port))


async def serve(config: MediaConfig, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; SIGUSR1 drains. Raise OSError when a port cannot be opened."""
    media = MediaServer(config)
    await media.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, media.drain)
    try:
        server = SignallingServer(
            uvicorn_config(media.app, host=host, port=port, log_level="info"), before_shutdown=media.stop
        )
        await server.serve()
    finally:
        await media.stop()
