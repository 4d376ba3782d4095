"""docs/configuration.md lists every setting as it is."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from tertulia.domain.recordings import limits
from tertulia.errors import ConfigurationError
from tertulia.services.recordings.context import RecordingRules
from tertulia.setting_infos import setting_infos
from tertulia.settings import PREFIX, Settings, load_settings
from tertulia_recorder.job import RecorderJob

DOCUMENT = Path(__file__).parents[3] / "docs/configuration.md"


def table() -> str:
    rows = ["| setting | allowed | what |", "| --- | --- | --- |"]
    for info in setting_infos():
        default = f" (default `{info.default}`)" if info.default else ""
        rows.append(f"| `{info.variable}` | {info.allowed} | {info.description}{default} |")
    return "\n".join(rows)


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
        ("database_url", "postgresql://u:p@127.0.0.1/x?sslmode=require"),
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


@pytest.mark.parametrize(
    ("name", "short", "enough"),
    [("api_key", "hidden-" + "k" * 8, "k" * 16), ("media_api_secret", "hidden-" + "é" * 12, "é" * 16)],
)
def test_short_secrets(name: str, short: str, enough: str):
    """(issue 10) Keys and secrets from settings that are too short are refused with a clear line."""
    others = {"media_api_key": "key"} if name == "media_api_secret" else {}
    with pytest.raises(ConfigurationError, match=f"^{PREFIX}{name.upper()}: <hidden> .* at least ") as refused:
        load_settings(others | {name: short})
    assert len(refused.value.message.splitlines()) == 1
    assert "hidden-" not in refused.value.message
    assert getattr(load_settings(others | {name: enough}), name) == enough
    assert getattr(load_settings({name: ""}), name) == ""


def test_the_secret_of_another_server_may_be_short():
    """the secret of an external LiveKit server is only warned of."""
    external = load_settings({"media_url": "wss://x", "media_api_key": "devkey", "media_api_secret": "secret"})
    assert external.has_short_media_secret


def test_each_heading_begins_with_a_setting():
    assert set(Settings.sections) <= set(Settings.model_fields)
    assert all(info.section for info in setting_infos())


@pytest.mark.parametrize("made", [RecordingRules, RecorderJob])
def test_limits_of_recordings_have_one_default(made: type):
    """Where a worker or a recorder has a default of its own, it is that of the settings."""
    for field in fields(made):
        setting = Settings.model_fields.get(f"recording_{field.name}")
        if setting is not None and field.default is not MISSING:
            assert field.default == setting.default, field.name


def test_settings_take_the_limits_from_the_domain():
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert defaults["recording_preset"] is limits.DEFAULT_PRESET
    assert defaults["recording_max_duration_s"] == limits.DEFAULT_MAX_DURATION_S
    assert defaults["recording_min_free_bytes"] == limits.DEFAULT_MIN_FREE_BYTES
    assert defaults["recording_empty_timeout_s"] == limits.DEFAULT_EMPTY_TIMEOUT_S
