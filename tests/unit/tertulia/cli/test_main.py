"""The table of commands is true: each row names a function, and each example can be typed."""

from __future__ import annotations

import inspect
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from tertulia.cli.commands import Row, SettingsCommand, examples_of
from tertulia.cli.main import command_line
from tertulia.errors import Unavailable
from tertulia.settings import Settings


def commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        if isinstance(command, click.Group):
            yield from commands(command)
        else:
            yield command


def rows() -> list[Row]:
    return [command.row for command in commands(command_line()) if isinstance(command, SettingsCommand)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.run)
def test_each_row_names_a_function_that_takes_its_parameters(row: Row):
    module, _, name = row.run.partition(":")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    assert list(parameters) == ["settings", *(param.name for param in row.params)]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.run)
def test_help_shows_sections_that_exist(row: Row):
    assert row.sections is None or row.sections <= set(Settings.sections.values())


@pytest.mark.parametrize("example", examples_of(command_line()))
def test_each_example_can_be_typed(example: str):
    program, *words = shlex.split(example.removeprefix('eval "$(').removesuffix(')"').partition(" <")[0])
    command: click.Command = command_line()
    with click.Context(command, info_name=program) as ctx:
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(ctx, words)
            assert found is not None
            command = found
            assert name == command.name
        command.make_context(command.name, words)


def test_each_command_has_an_example_and_a_summary():
    for command in commands(command_line()):
        assert command.epilog, command.name
        assert command.get_short_help_str(limit=200), command.name


def test_help_imports_neither_server_nor_settings():
    """`tertulia --help` stays quick: what takes long to import is imported by the command that needs it."""
    script = (
        "import sys; from tertulia.cli.main import main; main(['--help']);"
        "print([name for name in ('tertulia.settings', 'tertulia_sfu.server', 'asyncio', 'structlog', 'pydantic')"
        " if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_errors_of_tasks_are_told_as_errors(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """A task group wraps what its tasks raise; the shell is told the reason all the same."""
    from tertulia.cli import main as module  # noqa: PLC0415

    group = click.Group("tertulia")

    @group.command()
    def refused() -> None:
        raise ExceptionGroup("tasks", [Unavailable("store_unavailable", "The database does not answer")])

    @group.command()
    def defect() -> None:
        raise ExceptionGroup("tasks", [ZeroDivisionError()])

    monkeypatch.setattr(module, "command_line", lambda: group)
    assert module.main(["refused"]) == 1
    assert capsys.readouterr().err == "The database does not answer\n"
    with pytest.raises(ExceptionGroup):
        module.main(["defect"])
