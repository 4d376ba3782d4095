"""Settings that administrators change while servers run: stored, and applied on all servers within a second or two.

What is stored beats what is configured; without a stored value, what is configured counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import structlog

from tertulia.domain.appearance import Appearance
from tertulia.domain.events import Event, EventKind
from tertulia.services.participants import ParticipantAuth
from tertulia.services.ports import Store, Transaction
from tertulia.services.recordings.context import RecordingRules, with_stored_rules
from tertulia.services.rooms import RoomDefaults

_log = structlog.get_logger(__name__)
Stored = Mapping[str, Any]
"""Values as they are in the store: JSON by the names of settings."""


class RuntimeSetting(StrEnum):
    """A setting that changes while servers run, under its name in the store."""

    PARTICIPANT_AUTH = "participant_auth"
    EMBED_ORIGINS = "embed_origins"
    CORS_ORIGINS = "cors_origins"
    APPEARANCE = "appearance"
    ROOM_DEFAULTS = "room_defaults"
    RECORDINGS = "recordings"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """The values that count now."""

    participant_auth: ParticipantAuth
    embed_origins: tuple[str, ...]
    cors_origins: tuple[str, ...]
    recordings: RecordingRules
    appearance: Appearance = field(default_factory=Appearance)
    room_defaults: RoomDefaults = field(default_factory=RoomDefaults)


_READ: Final[Mapping[RuntimeSetting, Callable[[RuntimeSettings, Any], Any]]] = {
    RuntimeSetting.PARTICIPANT_AUTH: lambda _now, value: ParticipantAuth(value),
    RuntimeSetting.EMBED_ORIGINS: lambda _now, value: tuple(value),
    RuntimeSetting.CORS_ORIGINS: lambda _now, value: tuple(value),
    RuntimeSetting.APPEARANCE: lambda _now, value: Appearance(**value),
    RuntimeSetting.ROOM_DEFAULTS: lambda _now, value: RoomDefaults.from_json(value),
    RuntimeSetting.RECORDINGS: lambda now, value: with_stored_rules(now.recordings, value),
}


class RuntimeSettingsService:
    """The settings that change while this server runs. `configured` are those of its start."""

    def __init__(self, *, store: Store, configured: RuntimeSettings) -> None:
        self._store = store
        self._configured = configured
        self._stored: Stored = {}
        self.current = configured

    @property
    def stored(self) -> Stored:
        """The values that are stored, as far as this server knows."""
        return self._stored

    def named_origins(self) -> tuple[str, ...]:
        """Return the origins whose pages may embed us, or call the API: the one place that tells them."""
        return (*self.current.embed_origins, *self.current.cors_origins)

    def room_defaults(self) -> RoomDefaults:
        """Return what a new room is where its creator does not say."""
        return self.current.room_defaults

    async def reload(self) -> None:
        """Apply what is stored now; other servers may have changed it. Called every second. Raises Unavailable."""
        self._apply(await self._store.read(lambda tx: tx.settings.all()))

    async def change(self, changes: Mapping[RuntimeSetting, object]) -> None:
        """Store values, or forget those that are None, so that what is configured counts again."""

        def work(tx: Transaction) -> Mapping[str, str]:
            for setting, value in changes.items():
                if value is None:
                    tx.settings.delete(setting)
                else:
                    tx.settings.put(setting, json.dumps(value))
            if changes:
                tx.events.add(Event(EventKind.SETTINGS_CHANGED, {}))
            return tx.settings.all()

        self._apply(await self._store.write(work))

    def _apply(self, texts: Mapping[str, str]) -> None:
        stored = {name: json.loads(text) for name, text in texts.items()}
        if stored == self._stored:
            return
        changed = self._configured
        for setting, read in _READ.items():
            if setting in stored:
                try:
                    changed = replace(changed, **{setting.value: read(changed, stored[setting])})
                except (TypeError, ValueError) as error:  # of a newer version
                    _log.warning("a stored setting is not understood", setting=setting, reason=str(error))
        _log.info("settings changed", stored=sorted(stored))
        self._stored, self.current = stored, changed
