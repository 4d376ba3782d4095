"""`tertulia completion`: the script that teaches a shell the commands and options."""

from __future__ import annotations

import sys
from typing import Final

import click

SHELLS: Final = ("bash", "zsh", "fish")


def completion_command(program: str) -> click.Command:
    """Make the command that prints the script for a program."""

    def completion(shell: str) -> None:
        from click.shell_completion import get_completion_class  # noqa: PLC0415 - needed only here

        kind = get_completion_class(shell)
        if kind is None:
            raise click.UsageError(f"click has no completion for {shell}")
        variable = f"_{program.upper()}_COMPLETE"
        script = kind(click.get_current_context().find_root().command, {}, program, variable)
        sys.stdout.write(f"{script.source()}\n")

    return _CompletionCommand(
        "completion",
        callback=completion,
        params=[click.Argument(["shell"], type=click.Choice(SHELLS), help="which shell")],
        help="Print a script that completes commands, options and their values in your shell.",
        short_help="print the completion script of a shell",
        epilog=f'eval "$({program} completion bash)"',
    )


class _CompletionCommand(click.Command):
    """A command whose example stays on one line."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        _ = ctx
        formatter.write_paragraph()
        formatter.write(f"Example: {self.epilog}   (in ~/.bashrc)\n")
