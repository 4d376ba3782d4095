"""What the commands are made of: a table of rows, groups with headings, and commands that take every setting.

Nothing here imports the server, or even the settings, before a command needs them: `tertulia --help` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import click

SETTINGS_RULE: Final = (
    "Every setting is an option (--x-y), an environment variable (TERTULIA_X_Y) and a key of tertulia.toml (x_y); "
    "options beat the environment, which beats the file. `tertulia settings` lists them."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A command. `run` names the function that does it, as `module:function`: called with the settings and `params`.

    `sections`: which settings its help shows (None: all). It accepts every one.
    """

    name: str
    summary: str
    example: str
    run: str
    params: tuple[click.Parameter, ...] = ()
    sections: frozenset[str] | None = frozenset({"Storage"})


class SettingsCommand(click.Command):
    """A command that takes every setting as an option."""

    def __init__(self, row: Row) -> None:
        super().__init__(
            row.name,
            params=list(row.params),
            help=f"{row.summary[0].upper()}{row.summary[1:]}.",
            short_help=row.summary,
            epilog=row.example,
        )
        self.row = row
        self._complete = False

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Add the settings when they are asked for: importing them takes longer than everything else."""
        if not self._complete:
            self.params += _setting_options(self.row.sections)
            self._complete = True
        return super().get_params(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their settings."""
        headings: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                headings.setdefault(getattr(param, "section", "Options"), []).append(record)
        _write_sections(formatter, headings)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and where settings come from."""
        _ = ctx
        _write_verbatim(formatter, f"Example: {self.epilog}")
        formatter.write_paragraph()
        formatter.write_text(SETTINGS_RULE)

    def invoke(self, ctx: click.Context) -> None:
        """Load the settings and run the command. Raise ConfigurationError when a setting is wrong."""
        from tertulia.logs import set_up_logs  # noqa: PLC0415 - see the module's docstring
        from tertulia.settings import Settings, load_settings  # noqa: PLC0415

        given: dict[str, Any] = {}
        for name in Settings.model_fields:
            of_group = ctx.parent.params.get(name) if ctx.parent is not None else None
            value = ctx.params.pop(name)
            given[name] = of_group if value is None else value
        settings = load_settings(given)
        set_up_logs("error")
        module, _, function = self.row.run.partition(":")
        getattr(import_module(module), function)(settings, **ctx.params)


class CommandGroup(click.Group):
    """Commands listed under headings, each with its example."""

    def __init__(self, name: str, headings: Mapping[str, Sequence[click.Command]], *, help: str) -> None:  # noqa: A002
        super().__init__(
            name,
            commands=[command for commands in headings.values() for command in commands],
            help=help,
            no_args_is_help=True,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
        self._headings = {heading: [command.name for command in commands] for heading, commands in headings.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table, not of the alphabet."""
        _ = ctx
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first: they are what is looked for."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings."""
        _ = ctx
        _write_sections(
            formatter,
            {
                heading: [(name, self.commands[name].get_short_help_str()) for name in names if name]
                for heading, names in self._headings.items()
            },
        )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write an example of each command."""
        _ = ctx
        examples = list(examples_of(self))
        title = "Example: " if len(examples) == 1 else "Examples:\n  "
        _write_verbatim(formatter, title + "\n  ".join(examples))
        formatter.write_paragraph()
        formatter.write_text(SETTINGS_RULE)


class NounGroup(CommandGroup):
    """What can be done with one thing (`tertulia keys rotate`). Settings may stand before the verb too."""

    def __init__(self, name: str, rows: Sequence[Row], *, summary: str) -> None:
        super().__init__(
            name,
            {"Commands": [SettingsCommand(row) for row in rows]},
            help=f"{summary[0].upper()}{summary[1:]}.",
        )
        self.short_help = summary
        self._complete = False

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Accept the settings, without showing them: the help of each command does."""
        if not self._complete:
            self.params += _setting_options(frozenset())
            self._complete = True
        return super().get_params(ctx)


def examples_of(command: click.Command) -> list[str]:
    """Return the examples of a command, or of those in a group."""
    if isinstance(command, click.Group):
        return [example for each in command.commands.values() for example in examples_of(each)]
    return [command.epilog] if command.epilog else []


def _setting_options(sections: frozenset[str] | None) -> list[click.Parameter]:
    from tertulia.cli.setting_options import setting_options  # noqa: PLC0415 - see the module's docstring

    return setting_options(sections)


def _write_sections(formatter: click.HelpFormatter, sections: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    for heading, records in sections.items():
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)


def _write_verbatim(formatter: click.HelpFormatter, text: str) -> None:
    """Write lines as they are: an example that is wrapped cannot be copied."""
    formatter.write_paragraph()
    formatter.write(f"{text}\n")
