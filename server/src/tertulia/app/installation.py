"""An installation: its settings, data directory and secrets, and the parts that commands open."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tertulia.adapters.blobs import Blobs, open_blobs
from tertulia.adapters.clock import SystemClock
from tertulia.adapters.secret_files import load_or_create_secrets, prepare_data_dir
from tertulia.adapters.sql.store import SqlStore, open_store
from tertulia.app.worker import WorkerDependencies
from tertulia.services.accounts import AccountService
from tertulia.services.api_keys import ApiKeyService
from tertulia.services.ports import Store
from tertulia.services.recordings.changes import RecordingChanges
from tertulia.services.recordings.context import RecordingRules
from tertulia.services.tokens import RecorderTokens
from tertulia.settings import Settings
from tertulia_recorder.job import RecordingPreset


@dataclass(frozen=True, slots=True)
class Installation:
    """The settings, with every generated secret and default filled in."""

    settings: Settings
    data_dir: Path
    secret_key: str
    media_api_key: str
    media_api_secret: str
    database_url: str

    @property
    def needs_loopback(self) -> bool:
        """Return whether we reach ourselves by a loopback listener: a certificate is valid for the public name only."""
        return self.embedded and self.settings.tls_cert is not None and not self.settings.media_internal_url

    def new_store(self) -> SqlStore:
        """Return the store of these settings, not yet opened."""
        return open_store(
            self.database_url,
            pool_size=self.settings.database_pool_size,
            pool_timeout_s=self.settings.database_pool_timeout_s,
        )

    @property
    def recordings_dir(self) -> Path:
        """Where recordings are made, and kept unless a setting says otherwise."""
        return self.data_dir / "recordings"

    @property
    def embedded(self) -> bool:
        """Whether the media server is the embedded one."""
        return not self.settings.media_url


def installation(settings: Settings) -> Installation:
    """Prepare the data directory and the secrets in it. Raises ConfigurationError."""
    data_dir = settings.data_dir.absolute()
    prepare_data_dir(data_dir)
    generated = load_or_create_secrets(data_dir)
    return Installation(
        settings=settings,
        data_dir=data_dir,
        secret_key=settings.secret_key or generated.secret_key,
        media_api_key=settings.media_api_key or generated.media_api_key,
        media_api_secret=settings.media_api_secret or generated.media_api_secret,
        database_url=database_url_of(settings),
    )


def database_url_of(settings: Settings) -> str:
    """Return the database of these settings: SQLite in the data directory unless they name another one."""
    return settings.database_url or f"sqlite:///{settings.data_dir.absolute() / 'tertulia.db'}"


@asynccontextmanager
async def opened_store(inst: Installation) -> AsyncIterator[SqlStore]:
    """Open the store for a command that manages credentials."""
    store = inst.new_store()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


def accounts_service(inst: Installation, store: Store) -> AccountService:
    """Make the service of the administrator's account."""
    return AccountService(
        store=store,
        clock=SystemClock(),
        secret_key=inst.secret_key,
        admin_user=inst.settings.admin_user,
        admin_password=inst.settings.admin_password or None,
    )


def api_key_service(inst: Installation, store: Store) -> ApiKeyService:
    """Make the service of the API keys."""
    return ApiKeyService(
        store=store,
        clock=SystemClock(),
        secret_key=inst.secret_key,
        configured=inst.settings.api_key or None,
    )


def worker_dependencies(
    inst: Installation, store: SqlStore, files: Blobs, *, media_url: str, changes: RecordingChanges
) -> WorkerDependencies:
    """Return the dependencies of this installation's recording worker."""
    capacity = inst.settings.recording_capacity
    return WorkerDependencies(
        root=inst.recordings_dir,
        store=store,
        files=files,
        tokens=RecorderTokens(api_key=inst.media_api_key, api_secret=inst.media_api_secret),
        rules=recording_rules(inst.settings, media_url),
        capacity=(os.cpu_count() or 1) if capacity is None else capacity,
        changes=changes,
    )


def recording_rules(settings: Settings, media_url: str) -> RecordingRules:
    """Return the rules of recordings that the settings make."""
    return RecordingRules(
        media_url=media_url.replace("http", "ws", 1) if media_url.startswith("http") else media_url,
        preset=RecordingPreset(settings.recording_preset),
        max_duration_s=settings.recording_max_duration_s,
        max_bytes=settings.recording_max_bytes,
        min_free_bytes=settings.recording_min_free_bytes,
        empty_timeout_s=settings.recording_empty_timeout_s,
    )


@asynccontextmanager
async def opened_worker(inst: Installation) -> AsyncIterator[WorkerDependencies]:
    """Open what a recording worker without a server needs."""
    store = inst.new_store()
    await store.open()
    settings = inst.settings
    try:
        files = open_blobs(settings.recordings_url, default_folder=inst.recordings_dir)
        media_url = settings.media_internal_url or settings.media_url
        yield worker_dependencies(inst, store, files, media_url=media_url, changes=RecordingChanges())
    finally:
        await store.close()
