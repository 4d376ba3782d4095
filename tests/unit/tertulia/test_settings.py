"""docs/configuration.md lists every setting as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tertulia.errors import ConfigurationError
from tertulia.settings import PREFIX, Settings, load_settings

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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql://u:hidden@127.0.0.1:port/x"),
        ("recordings_url", "ftp://somewhere"),
        ("recordings_url", "s3://"),
        ("embed_origins", "https://a.example;script-src *"),
        ("cors_origins", "https://a.example x"),
        ("public_url", "https://a.example'"),
        ("recording_max_duration_s", "inf"),
        ("recording_empty_timeout_s", "inf"),
    ],
)
def test_what_cannot_be(name: str, value: str):
    """A wrong setting is named, with what is allowed; a secret in it is not shown."""
    with pytest.raises(ConfigurationError, match=f"^{PREFIX}{name.upper()}: ") as refused:
        load_settings({name: value})
    assert "hidden@" not in refused.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "postgresql+asyncpg://u:p%40ss@[::1]:5432/x?ssl=require"),
        ("database_url", "sqlite:////srv/tertulia/x.db"),
        ("recordings_url", "s3://bucket/prefix"),
        ("recordings_url", "/srv/recordings"),
        ("embed_origins", "https://a.example,http://localhost:8080"),
        ("public_url", "https://meet.example.com/"),
    ],
)
def test_what_can_be(name: str, value: str):
    load_settings({name: value})
