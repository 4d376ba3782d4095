"""Tables, and bars that only a terminal sees."""

from __future__ import annotations

import json

import click
import pytest

from tertulia.cli.output import Listing, plain_table, print_listing, terminal_table, watched

FOUND = Listing(
    columns=("RESULT", "WHAT"),
    rows=[("ok", "one two three four five six seven"), ("FAIL", "")],
    data=[{"ok": True, "what": "näme"}],
)


def test_plain_lines_are_aligned_and_not_wrapped():
    assert plain_table(FOUND) == "RESULT  WHAT\nok      one two three four five six seven\nFAIL\n"
    assert plain_table(Listing(rows=[], data=[], columns=("A", "B"))) == "A  B\n"


def test_on_a_terminal_the_last_column_is_wrapped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    drawn = terminal_table(FOUND, width=30)
    lines = [line.rstrip() for line in click.unstyle(drawn).splitlines()]
    assert lines == ["RESULT  WHAT", "ok      one two three four", "        five six seven", "FAIL"]
    assert "\x1b[32mok" in drawn
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in terminal_table(FOUND, width=30)


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]):
    print_listing(FOUND, as_json=True)
    assert json.loads(capsys.readouterr().out) == FOUND.data


async def test_watched_work_gives_its_result_and_its_errors(capsys: pytest.CaptureFixture[str]):
    async def work(result: int) -> int:
        if not result:
            raise LookupError
        return result

    assert await watched("Working", work(3), lambda: (1, 2)) == 3
    with pytest.raises(LookupError):
        await watched("Working", work(0))
    assert capsys.readouterr() == ("", "")
