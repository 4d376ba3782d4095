"""The command `tertulia`: one table of commands, and what the shell is told about how they ended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import click
from click.exceptions import NoArgsIsHelpError

from tertulia.cli.commands import CommandGroup, NounGroup, Row, SettingsCommand
from tertulia.cli.completion import completion_command
from tertulia.errors import ConfigurationError, TertuliaError
from tertulia_sfu.cli import media_command

PROGRAM: Final = "tertulia"
FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
_SERVER_SECTIONS: Final = frozenset({"Storage", "Media", "Recordings", "Logs"})
_ACCESS_SECTIONS: Final = frozenset({"Storage", "Access"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 could not be done, 2 a wrong setting or option."""
    try:
        status = command_line().main(arguments, prog_name=PROGRAM, standalone_mode=False)
    except NoArgsIsHelpError as help_wanted:
        help_wanted.show()
        return WRONG_USAGE
    except click.Abort:
        return INTERRUPTED
    except (click.ClickException, TertuliaError, OSError, ExceptionGroup) as error:
        message, status = _refusal(error)
        sys.stderr.write(f"{message}\n")
    return status if isinstance(status, int) else 0


def _refusal(error: Exception) -> tuple[str, int]:
    """Return what is said about an error, and the exit status."""
    match error:
        case click.UsageError(ctx=click.Context() as context):
            return f"{context.command_path}: {_one_line(error)}", WRONG_USAGE
        case click.ClickException():
            return f"{PROGRAM}: {_one_line(error)}", error.exit_code
        case TertuliaError():
            return error.message, WRONG_USAGE if isinstance(error, ConfigurationError) else FAILED
        case ExceptionGroup() if error.split(TertuliaError)[1] is None:  # tasks that ended for reasons that we know
            return _refusal(error.exceptions[0])
        case OSError():
            return f"{PROGRAM}: {error}", FAILED
        case _:
            raise error


def _one_line(error: click.ClickException) -> str:
    return " ".join(error.format_message().split())


def command_line() -> click.Group:
    """Put the commands together, under headings by task."""
    group = CommandGroup(
        PROGRAM,
        {
            "Run": [
                SettingsCommand(_SERVE),
                media_command("media", example="tertulia media --dev"),
                SettingsCommand(_RECORDER),
            ],
            "Operate": [
                NounGroup(
                    "recordings", _RECORDINGS, summary="list recordings, show one, repair them, take lost ones back"
                ),
                SettingsCommand(_DOCTOR),
                SettingsCommand(_SETTINGS),
                NounGroup("db", _DB, summary="show the state of the database, or bring it up to date"),
            ],
            "Manage access": [
                NounGroup("keys", _KEYS, summary="make a new API key and refuse the old one"),
                NounGroup("admin", _ADMIN, summary="set the administrator's password"),
            ],
            "Set up the shell": [completion_command(PROGRAM)],
        },
        help="Video meetings for your own application.",
    )
    group.params.append(
        click.Option(
            ["--version"], is_flag=True, expose_value=False, is_eager=True, callback=_version, help="show the version"
        )
    )
    return group


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version  # noqa: PLC0415 - slow to import, and needed only here

        sys.stdout.write(f"{PROGRAM} {version('tertulia')}\n")
        ctx.exit()


def _json() -> click.Option:
    return click.Option(["--json", "as_json"], is_flag=True, help="print JSON, for programs")


_SERVE: Final = Row(
    name="serve",
    summary="run the server",
    example="tertulia serve --host 0.0.0.0 --public-url https://meet.example.com",
    run="tertulia.cli.servers:serve",
    sections=None,
)
_RECORDER: Final = Row(
    name="recorder",
    summary="record for a cluster",
    example="tertulia recorder --media-url wss://livekit.example.com",
    run="tertulia.cli.servers:record",
    sections=_SERVER_SECTIONS,
)
_RECORDINGS: Final = (
    Row(
        name="list",
        summary="list the newest recordings",
        example="tertulia recordings list",
        run="tertulia.cli.recordings:list_recordings",
        params=(
            click.Option(["--lost"], is_flag=True, help="list media that is here and has no recording instead"),
            _json(),
        ),
    ),
    Row(
        name="show",
        summary="show everything about one recording",
        example="tertulia recordings show ID",
        run="tertulia.cli.recordings:show_recording",
        params=(click.Argument(["recording_id"], metavar="ID", help="which recording"), _json()),
    ),
    Row(
        name="repair",
        summary="finish what crashes left, as every start of a server does",
        example="tertulia recordings repair",
        run="tertulia.cli.recordings:repair_recordings",
        params=(_json(),),
    ),
    Row(
        name="adopt",
        summary="take back a recording that `list --lost` shows",
        example="tertulia recordings adopt ID",
        run="tertulia.cli.recordings:adopt_recording",
        params=(click.Argument(["recording_id"], metavar="ID", help="which recording"), _json()),
    ),
)
_DOCTOR: Final = Row(
    name="doctor",
    summary="check this machine and the settings",
    example="tertulia doctor",
    run="tertulia.cli.doctor:doctor",
    params=(_json(),),
    sections=None,
)
_SETTINGS: Final = Row(
    name="settings",
    summary="list the settings, their values and where each comes from",
    example="tertulia settings --json",
    run="tertulia.cli.settings_list:list_settings",
    params=(_json(),),
    sections=None,
)
_DB: Final = (
    Row(
        name="status",
        summary="show which schema the database has, and change nothing",
        example="tertulia db status --json",
        run="tertulia.cli.database:show_status",
        params=(_json(),),
    ),
    Row(
        name="migrate",
        summary="bring the database up to date, as every start of a server does",
        example="tertulia db migrate --database-url postgresql://u:p@db/meet",
        run="tertulia.cli.database:migrate",
    ),
)
_KEYS: Final = (
    Row(
        name="rotate",
        summary="make a new API key and refuse the old one",
        example="tertulia keys rotate --data-dir /var/lib/tertulia",
        run="tertulia.cli.maintenance:rotate_api_key",
        sections=_ACCESS_SECTIONS,
    ),
)
_ADMIN: Final = (
    Row(
        name="set-password",
        summary="set the administrator's password, or make a new one",
        example="tertulia admin set-password --stdin < password.txt",
        run="tertulia.cli.maintenance:set_password",
        params=(click.Option(["--stdin", "from_stdin"], is_flag=True, help="read the password from standard input"),),
        sections=_ACCESS_SECTIONS,
    ),
)


if __name__ == "__main__":
    raise SystemExit(main())
