"""What ordinary users notice of attacks: runs tests/abuse and writes the table of figures in docs/security.md.

`python -m bench.abuse [pytest's arguments]`. The figures are the ones that the tests themselves compare with their
bounds: see `Victim.assert_unharmed` in tests/abuse/conftest.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
DOCUMENT: Final = ROOT / "docs/security.md"
BEGIN: Final = "<!-- figures: make bench-abuse -->\n"
END: Final = "<!-- end of figures -->\n"
NO_ATTACK: Final = "tests/abuse/test_bystanders.py"
HEAD: Final = (
    "| attack (`tests/abuse`) | requests p99, quiet | during | longest | ping p99 | sound gap | memory | dropped |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
)


def row(figures: dict[str, Any]) -> str:
    """Return one attack's line of the table."""
    during, quiet, dropped = figures["during"], figures["quiet"], figures["dropped_after_s"]
    cells = [
        f"`{figures['attack'].removeprefix('tests/abuse/')}`",
        f"{quiet['request_p99_ms']:.0f} ms",
        f"{during['request_p99_ms']:.0f} ms",
        f"{during['request_max_ms']:.0f} ms",
        f"{during['ping_p99_ms']:.0f} ms",
        f"{during['longest_silence_ms']:.0f} ms",
        f"{figures['more_memory_bytes'] / 1e6:+.0f} MB",
        "–" if dropped is None else f"{dropped:.1f} s",
    ]
    return f"| {' | '.join(cells)} |\n"


def main() -> int:
    """Run the attacks. Return pytest's status; the table is written of those that were measured."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.jsonl")
        report.touch()
        command = [sys.executable, "-m", "pytest", "tests/abuse", "-q", *sys.argv[1:]]
        environment = os.environ | {"ABUSE_REPORT": str(report)}
        status = subprocess.run(command, check=False, cwd=ROOT, env=environment).returncode
        lines = (json.loads(line) for line in report.read_text().splitlines())
        measured = [figures for figures in lines if not figures["attack"].startswith(NO_ATTACK)]
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(before + BEGIN + HEAD + "".join(map(row, measured)) + END + after)
    return status


if __name__ == "__main__":
    sys.exit(main())
