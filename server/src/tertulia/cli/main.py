"""The command `tertulia`: every setting is an option; each command explains itself with an example."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Final

from tertulia.errors import ConfigurationError, TertuliaError
from tertulia.settings import PREFIX, Settings, load_settings

Command = Callable[[Settings, argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 done, 1 could not be done, 2 a wrong setting or option."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["media"]:
        from tertulia_sfu.cli import main as media_main  # noqa: PLC0415 - its own command, not part of the others

        return media_main(given[1:])
    options = _parser().parse_args(given)
    settings_given = {name: getattr(options, name, None) for name in Settings.model_fields}
    try:
        options.command(load_settings(settings_given), options)
    except ConfigurationError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    except TertuliaError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    return 0


def _serve(settings: Settings, _options: argparse.Namespace) -> None:
    from tertulia.app.application import serve_forever  # noqa: PLC0415 - `--help` need not wait for the whole server
    from tertulia.logs import set_up_logs  # noqa: PLC0415

    set_up_logs(settings.log_level)
    serve_forever(settings)


def _keys(settings: Settings, options: argparse.Namespace) -> None:
    from tertulia.app.installation import installation, opened_accounts  # noqa: PLC0415

    async def rotate() -> str:
        async with opened_accounts(installation(settings)) as accounts:
            return await accounts.rotate_api_key()

    if options.what == "rotate" and settings.api_key:
        raise ConfigurationError(f"{PREFIX}API_KEY is set: it wins over a stored key. Change it there, or unset it")
    sys.stdout.write(f"API key: {asyncio.run(rotate())}\n")


def _admin(settings: Settings, options: argparse.Namespace) -> None:
    from tertulia.app.installation import installation, opened_accounts  # noqa: PLC0415

    async def set_password(password: str | None) -> str:
        async with opened_accounts(installation(settings)) as accounts:
            return await accounts.set_password(password)

    if settings.admin_password:
        raise ConfigurationError(f"{PREFIX}ADMIN_PASSWORD is set: it wins over a stored password. Change it there")
    chosen = sys.stdin.readline().rstrip("\n") if options.stdin else None
    if options.stdin and not chosen:
        raise ConfigurationError("Send the new password as one line to standard input")
    shown = asyncio.run(set_password(chosen))
    sys.stdout.write("The password is set.\n" if chosen else f"user: {settings.admin_user}  password: {shown}\n")


def _db(settings: Settings, _options: argparse.Namespace) -> None:
    from tertulia.app.installation import installation, opened_accounts  # noqa: PLC0415

    async def migrate() -> None:
        async with opened_accounts(installation(settings)):
            pass

    asyncio.run(migrate())
    sys.stdout.write("The database is up to date.\n")


def _doctor(settings: Settings, _options: argparse.Namespace) -> None:
    from tertulia.cli.doctor import examine  # noqa: PLC0415

    findings = examine(settings)
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    if any(not finding.good for finding in findings):
        raise ConfigurationError("This machine is not ready: see above")


def _recorder(settings: Settings, _options: argparse.Namespace) -> None:
    import uvloop  # noqa: PLC0415

    from tertulia.app.installation import installation  # noqa: PLC0415
    from tertulia.cli.recordings import work  # noqa: PLC0415
    from tertulia.logs import set_up_logs  # noqa: PLC0415

    set_up_logs(settings.log_level)
    uvloop.run(work(installation(settings)))


def _recordings(settings: Settings, options: argparse.Namespace) -> None:
    from tertulia.app.installation import installation  # noqa: PLC0415
    from tertulia.cli import recordings as commands  # noqa: PLC0415
    from tertulia.logs import set_up_logs  # noqa: PLC0415

    if (options.what == "show") != (options.id is not None):
        raise ConfigurationError("tertulia recordings list | show ID | repair: an id belongs to show, and only there")
    set_up_logs("error")
    inst = installation(settings)
    does: dict[str, Callable[[], Coroutine[None, None, str]]] = {
        "list": partial(commands.listing, inst),
        "show": partial(commands.details, inst, options.id),
        "repair": partial(commands.repair, inst),
    }
    sys.stdout.write(asyncio.run(does[options.what]()))


_COMMANDS: Final[tuple[tuple[str, Command, str, str], ...]] = (
    ("serve", _serve, "run the server", "tertulia serve --host 0.0.0.0 --public-url https://meet.example.com"),
    ("recorder", _recorder, "record for a cluster", "tertulia recorder --media-url wss://livekit.example.com"),
    ("recordings", _recordings, "look at recordings, or repair them", "tertulia recordings show ID"),
    ("keys", _keys, "make a new API key and refuse the old one", "tertulia keys rotate --data-dir /var/lib/tertulia"),
    ("admin", _admin, "set the console's password", "tertulia admin set-password --stdin < password.txt"),
    ("db", _db, "bring the database up to date", "tertulia db migrate --database-url postgresql+asyncpg://u:p@db/meet"),
    ("doctor", _doctor, "check this machine and the settings", "tertulia doctor"),
)
_MEDIA_EXAMPLE: Final = "tertulia media --dev"
_PRECEDENCE: Final = "\n\nSettings come from options, then the environment (TERTULIA_…), then tertulia.toml."
_WORDS: Final = {
    "keys": ("rotate",),
    "admin": ("set-password",),
    "db": ("migrate",),
    "recordings": ("list", "show", "repair"),
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tertulia",
        description="Video meetings for your own application.",
        epilog="\n  ".join(("Examples:", *(example for _, _, _, example in _COMMANDS), _MEDIA_EXAMPLE)) + _PRECEDENCE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, command, summary, example in _COMMANDS:
        one = commands.add_parser(
            name,
            help=summary,
            description=f"{summary.capitalize()}.",
            epilog=f"Example: {example}",
            allow_abbrev=False,
        )
        one.set_defaults(command=command)
        if name in _WORDS:
            one.add_argument("what", choices=_WORDS[name])
        if name == "recordings":
            one.add_argument("id", nargs="?", help="which recording to show")
        if name == "admin":
            one.add_argument("--stdin", action="store_true", help="read the password from standard input")
        _add_settings(one)
    commands.add_parser("media", help="run only the embedded media server", add_help=False)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings")
    for name, field in Settings.model_fields.items():
        text = f"{field.description} ({field.title}; {PREFIX}{name.upper()})".replace("%", "%%")
        group.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=text)


if __name__ == "__main__":
    raise SystemExit(main())
