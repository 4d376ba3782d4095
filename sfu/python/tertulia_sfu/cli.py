"""The command `tertulia-sfu`: the media server alone, started like `livekit-server`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.server import MediaServer
from tertulia_sfu.serving import SignallingServer, uvicorn_config

DEV_KEYS: Final = {"devkey": "secret"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted. Return the exit status."""
    options = _parser().parse_args(argv)
    keys = dict(options.keys or ())
    if options.dev:
        keys = keys or DEV_KEYS
    if not keys:
        print("tertulia-sfu: no API key: give --keys KEY:SECRET, or --dev to try it out", file=sys.stderr)  # noqa: T201
        return 2
    config = MediaConfig(
        keys=keys,
        udp_port=options.udp_port,
        addresses=tuple(options.address or (("127.0.0.1",) if options.dev else ())),
        webhook_urls=tuple(options.webhook or ()),
    )
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    try:
        asyncio.run(serve(config, host=options.host, port=options.port))
    except OSError as error:
        print(f"tertulia-sfu: {error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def serve(config: MediaConfig, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. Raise OSError if a port cannot be opened."""
    media = MediaServer(config)
    await media.start()
    try:
        http = uvicorn_config(media.app, host=host, port=port, log_level="info")
        server = SignallingServer(http, before_shutdown=media.stop)
        await server.serve()
    finally:
        await media.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tertulia-sfu",
        description="A LiveKit-compatible media server.",
        epilog="Example: tertulia-sfu --dev   (then connect to ws://localhost:7880 with key devkey, secret secret)",
    )
    parser.add_argument("--dev", action="store_true", help="key devkey, secret secret, loopback only")
    parser.add_argument("--host", default="127.0.0.1", help="where signalling and API listen (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=7880, help="their TCP port (default: %(default)s)")
    parser.add_argument("--udp-port", type=_port, default=7882, help="where media arrives (default: %(default)s)")
    parser.add_argument("--address", action="append", help="an address to offer to clients; may be repeated")
    parser.add_argument("--keys", action="append", type=_key, help="KEY:SECRET; may be repeated")
    parser.add_argument("--webhook", action="append", help="a URL that gets the webhooks; may be repeated")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:  # noqa: PLR2004 – the range of ports
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535)")
    return port


def _key(text: str) -> tuple[str, str]:
    key, colon, secret = text.partition(":")
    if not (key.strip() and colon and secret.strip()):
        raise argparse.ArgumentTypeError("expected KEY:SECRET")
    return key.strip(), secret.strip()
