"""Settings that change while servers run."""

from __future__ import annotations

import pytest

from tertulia.adapters.sql.store import SqlStore
from tertulia.services.participants import ParticipantAuth
from tertulia.services.recordings.context import RecordingRules
from tertulia.services.runtime_settings import RuntimeSetting, RuntimeSettings, RuntimeSettingsService
from tertulia_recorder.job import RecordingPreset


def service(store: SqlStore) -> RuntimeSettingsService:
    configured = RuntimeSettings(
        participant_auth=ParticipantAuth.NONE,
        embed_origins=("*",),
        cors_origins=(),
        recordings=RecordingRules(media_url="ws://x", max_bytes=5),
    )
    return RuntimeSettingsService(store=store, configured=configured)


@pytest.fixture
def settings(store: SqlStore) -> RuntimeSettingsService:
    return service(store)


async def test_a_change_counts_here_at_once_and_elsewhere_after_a_look(
    store: SqlStore, settings: RuntimeSettingsService
):
    other = service(store)
    await settings.change({
        RuntimeSetting.PARTICIPANT_AUTH: "all_users", RuntimeSetting.CORS_ORIGINS: ["https://a.example"],
    })  # fmt: skip
    assert settings.current.participant_auth is ParticipantAuth.ALL_USERS
    assert other.current.participant_auth is ParticipantAuth.NONE
    await other.reload()
    assert other.current.participant_auth is ParticipantAuth.ALL_USERS
    assert other.named_origins() == ("*", "https://a.example")


async def test_back_to_what_is_configured(settings: RuntimeSettingsService):
    await settings.change({RuntimeSetting.RECORDINGS: {"preset": "audio", "max_bytes": None}})
    assert (settings.current.recordings.preset, settings.current.recordings.max_bytes) == (RecordingPreset.AUDIO, None)
    await settings.change({RuntimeSetting.RECORDINGS: None})
    assert settings.current.recordings == service(settings._store).current.recordings
    assert settings.stored == {}


@pytest.mark.parametrize("text", ['"everyone"', "{}", "5"])
async def test_what_only_a_newer_version_understands_is_left_out(
    store: SqlStore, settings: RuntimeSettingsService, text: str
):
    def work(tx) -> None:
        tx.settings.put("participant_auth", text)
        tx.settings.put("appearance", '{"font": "x"}')
        tx.settings.put("something_else", "[]")
        tx.settings.put("embed_origins", '["https://a.example"]')

    await store.write(work)
    await settings.reload()
    assert settings.current.participant_auth is ParticipantAuth.NONE
    assert settings.current.appearance.name == ""
    assert settings.current.embed_origins == ("https://a.example",)
