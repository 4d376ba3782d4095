"""docs/configuration.md lists every setting as it is."""

from __future__ import annotations

from pathlib import Path

from tertulia.settings import PREFIX, Settings

DOCUMENT = Path(__file__).parents[3] / "docs/configuration.md"


def table() -> str:
    rows = ["| setting | allowed | what |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        default = field.default
        said = (
            ""
            if default in {"", None, ()} or "default" in (field.description or "")
            else f" (default `{_text(default)}`)"
        )
        rows.append(f"| `{PREFIX}{name.upper()}` | {field.title} | {field.description}{said} |")
    return "\n".join(rows)


def _text(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def test_document_is_complete():
    assert table() in DOCUMENT.read_text(), f"docs/configuration.md should hold:\n{table()}"
