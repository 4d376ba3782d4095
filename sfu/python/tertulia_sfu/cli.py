"""`tertulia-sfu`: the media server alone, as `livekit-server` is started."""

import sys
from collections.abc import Sequence
from typing import Final

import click

from tertulia_sfu.config import MediaConfig

DEV_KEYS: Final = {"devkey": "secret"}
DEV_ADDRESSES: Final = ("127.0.0.1",)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted. Return the exit status."""
    command = media_command("tertulia-sfu", example="tertulia-sfu --dev")
    try:
        status = command.main(argv, prog_name=command.name, standalone_mode=False)
    except click.ClickException as error:
        sys.stderr.write(f"tertulia-sfu: {' '.join(error.format_message().split())}\n")
        return error.exit_code
    except click.Abort:
        return 130
    return status if isinstance(status, int) else 0


def media_command(name: str, *, example: str) -> click.Command:
    """Make the command, alone or as part of another one. It raises click.ClickException when it cannot serve."""
    return _MediaCommand(
        name,
        callback=_run,
        params=_options(),
        help="Run a LiveKit-compatible media server.",
        short_help="run only the embedded media server",
        epilog=example,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


class _MediaCommand(click.Command):
    """A command whose example stays on one line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and how to connect to what it starts."""
        _ = ctx
        formatter.write_paragraph()
        formatter.write(
            f"Example: {self.epilog}\n  (then connect to ws://localhost:7880 with key devkey, secret secret)\n"
        )


class _ApiKey(click.ParamType[tuple[str, str]]):
    """KEY:SECRET."""

    name = "key"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split the pair; the value, a secret, is not repeated in the error."""
        key, _, secret = str(value).partition(":")
        if not (key.strip() and secret.strip()):
            self.fail("expected KEY:SECRET", param, ctx)
        return key.strip(), secret.strip()


def _run(
    *,
    dev: bool,
    host: str,
    port: int,
    udp_port: int,
    tcp_port: int,
    address: tuple[str, ...],
    keys: tuple[tuple[str, str], ...],
    webhook: tuple[str, ...],
    metrics_token: str,
) -> None:
    from tertulia_sfu.standalone import run  # noqa: PLC0415 – help and completion need not wait for the server

    if not (keys or dev):
        raise click.UsageError("no API key: give --keys KEY:SECRET, or --dev to try it out")
    config = MediaConfig(
        keys=dict(keys) or DEV_KEYS,
        udp_port=udp_port,
        tcp_port=tcp_port,
        addresses=address or (DEV_ADDRESSES if dev else ()),
        webhook_urls=webhook,
        metrics_token=metrics_token,
    )
    try:
        run(config, host=host, port=port)
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error


def _options() -> list[click.Parameter]:
    port = click.IntRange(0, 65_535)
    return [
        click.Option(["--dev"], is_flag=True, help="key devkey, secret secret, loopback only"),
        click.Option(["--host"], default="127.0.0.1", show_default=True, help="where signalling and API listen"),
        click.Option(["--port"], type=port, default=7880, show_default=True, help="their TCP port"),
        click.Option(["--udp-port"], type=port, default=7882, show_default=True, help="where media arrives"),
        click.Option(
            ["--tcp-port"], type=port, default=7881, show_default=True, help="where media arrives if UDP is blocked"
        ),
        click.Option(["--address"], multiple=True, help="an address to offer to clients; may be repeated"),
        click.Option(["--keys"], type=_ApiKey(), multiple=True, help="KEY:SECRET; may be repeated"),
        click.Option(
            ["--metrics-token"],
            default="",
            envvar="TERTULIA_METRICS_TOKEN",
            help="serve /metrics (Prometheus) to those who send this bearer token",
        ),
        click.Option(["--webhook"], multiple=True, help="a URL that gets the webhooks; may be repeated"),
    ]
