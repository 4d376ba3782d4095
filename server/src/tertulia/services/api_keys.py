"""API keys of applications: several with names, each rotated without a gap, revoked alone.

Only keyed hashes are stored. Beside the named keys there is one more: the key that a setting holds or, without one,
the key that the first start has generated.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tertulia.domain.api_keys import CONFIGURED, INITIAL, ApiKey
from tertulia.domain.events import Event, EventKind
from tertulia.domain.ids import ApiKeyId, Millis
from tertulia.errors import Conflict, NotFound
from tertulia.services.ports import Clock, Store, Transaction
from tertulia.services.tokens import derive_key

MAX_KEYS: Final = 100
_INITIAL_CREDENTIAL: Final = "api_key"
_REVOKED: Final = ""
"""In place of the initial key's digest: without any, the next start would generate a key."""
_CACHE_MS: Final = 1000
_WRITE_USE_AFTER_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key whose secret was generated just now: shown once, then only its hash exists."""

    key: ApiKey
    secret: str


class ApiKeyService:
    """The API keys. `configured` is the one of the settings: it counts in place of the initial one."""

    def __init__(self, *, store: Store, clock: Clock, secret_key: str, configured: str | None) -> None:
        self._store = store
        self._clock = clock
        self._pepper = derive_key(secret_key, "api-key")
        self._configured_digest = None if configured is None else self._digest(configured)
        self._known: list[ApiKey] = []
        self._known_at_ms = Millis(0)
        self._changes = 0
        self._used_at_ms: dict[ApiKeyId, Millis] = {}
        self._written_at_ms: dict[ApiKeyId, Millis] = {}

    def _digest(self, secret: str) -> str:
        return hmac.digest(self._pepper, secret.encode(), hashlib.sha256).hex()

    async def prepare(self) -> str | None:
        """Generate the initial key unless there is one, or a setting holds the key. None when nothing was generated."""
        if self._configured_digest is not None:
            return None
        if await self._store.read(lambda tx: tx.accounts.credential(_INITIAL_CREDENTIAL)) is not None:
            return None
        secret = _new_secret()
        digest, now_ms = self._digest(secret), self._clock.now_ms()

        def work(tx: Transaction) -> bool:
            if not tx.accounts.add_credential(_INITIAL_CREDENTIAL, digest):
                return False  # another server was faster
            tx.api_keys.put(ApiKey(id=INITIAL, created_at_ms=now_ms))
            return True

        return secret if await self._store.write(work) else None

    # ── who may act ──

    async def identify(self, offered: str) -> ApiKeyId | None:
        """Return which key a text is, compared in constant time; None when none that counts. Raises Unavailable."""
        if not offered.isascii():
            return None
        digest, now_ms = self._digest(offered), self._clock.now_ms()
        if self._configured_digest is not None and hmac.compare_digest(self._configured_digest, digest):
            self._used_at_ms[CONFIGURED] = now_ms
            return CONFIGURED
        found = None
        for key in await self._current(now_ms):
            for known in key.digests(now_ms):
                if hmac.compare_digest(known, digest):
                    found = key.id
        if found is not None:
            self._used_at_ms[found] = now_ms
        return found

    async def _current(self, now_ms: Millis) -> list[ApiKey]:
        if not 0 <= now_ms - self._known_at_ms < _CACHE_MS:
            changes = self._changes
            known = await self._store.read(self._read)
            if changes != self._changes:  # what was read may be older than a change of ours
                return known
            self._known, self._known_at_ms = known, now_ms
        return self._known

    def _read(self, tx: Transaction) -> list[ApiKey]:
        """Return the keys that count: first the configured or the initial one."""
        kept = {key.id: key for key in tx.api_keys.all()}
        configured, initial = (kept.pop(each, ApiKey(id=each)) for each in (CONFIGURED, INITIAL))
        if self._configured_digest is not None:
            first = replace(configured, digest=self._configured_digest)
        else:
            first = replace(initial, digest=tx.accounts.credential(_INITIAL_CREDENTIAL) or _REVOKED)
        return [*([first] if first.digest else []), *kept.values()]

    async def write_uses(self) -> None:
        """Write when keys were last used, of each at most once a minute. Called often. Raises Unavailable."""
        due = {
            key_id: used_at_ms
            for key_id, used_at_ms in self._used_at_ms.items()
            if used_at_ms - self._written_at_ms.get(key_id, 0) >= _WRITE_USE_AFTER_MS
        }

        def work(tx: Transaction) -> None:
            for key_id, used_at_ms in due.items():
                if key_id in {CONFIGURED, INITIAL} and tx.api_keys.lock(key_id) is None:
                    tx.api_keys.put(ApiKey(id=key_id))
                older_than_ms = Millis(used_at_ms - _WRITE_USE_AFTER_MS)
                tx.api_keys.note_use(key_id, now_ms=used_at_ms, older_than_ms=older_than_ms)

        if due:
            await self._store.write(work)
            self._written_at_ms |= due

    # ── managing them ──

    async def all(self) -> list[ApiKey]:
        """List the keys that count, the configured or initial one first. Raises Unavailable."""
        return [self._as_now(key) for key in await self._store.read(self._read)]

    def _as_now(self, key: ApiKey) -> ApiKey:
        """Return a key with its last use as far as we know, and without a secret before that has expired."""
        used_at_ms = max(key.last_used_at_ms or 0, self._used_at_ms.get(key.id, 0))
        return replace(
            key,
            last_used_at_ms=Millis(used_at_ms) if used_at_ms else None,
            previous_until_ms=key.previous_end_ms(self._clock.now_ms()),
        )

    async def create(self, name: str) -> MadeKey:
        """Make a key. Raises Conflict when there are too many."""
        secret = _new_secret()
        key = ApiKey(
            id=ApiKeyId(secrets.token_hex(8)),
            name=name,
            digest=self._digest(secret),
            created_at_ms=self._clock.now_ms(),
        )

        def work(tx: Transaction) -> None:
            if len(self._read(tx)) >= MAX_KEYS:
                raise Conflict("too_many_api_keys", f"There are {MAX_KEYS} API keys: revoke one that is not used")
            tx.api_keys.put(key)
            tx.events.add(Event(EventKind.API_KEYS_CHANGED, {}))

        await self._change(work)
        return MadeKey(key, secret)

    async def rotate(self, key_id: ApiKeyId, *, grace_ms: int) -> MadeKey:
        """Give a key another secret; the one before counts for the grace period. Raises NotFound, Conflict."""
        secret = _new_secret()
        digest, until_ms = self._digest(secret), Millis(self._clock.now_ms() + grace_ms)
        rotated: list[ApiKey] = []

        def work(tx: Transaction) -> None:
            key = self._locked(tx, key_id)
            previous = key.digest if grace_ms > 0 else None
            key = replace(
                key, digest=digest, previous_digest=previous, previous_until_ms=until_ms if previous else None
            )
            if key_id == INITIAL:
                tx.accounts.put_credential(_INITIAL_CREDENTIAL, digest)
            tx.api_keys.put(replace(key, digest="") if key_id == INITIAL else key)
            tx.events.add(Event(EventKind.API_KEYS_CHANGED, {}))
            rotated[:] = [key]

        await self._change(work)
        return MadeKey(self._as_now(rotated[0]), secret)

    async def replace_initial(self) -> str:
        """Generate another initial key, also after the last one was revoked; that is refused within a second."""
        secret = _new_secret()
        digest, now_ms = self._digest(secret), self._clock.now_ms()

        def work(tx: Transaction) -> None:
            tx.accounts.put_credential(_INITIAL_CREDENTIAL, digest)
            tx.api_keys.put(ApiKey(id=INITIAL, created_at_ms=now_ms))
            tx.events.add(Event(EventKind.API_KEYS_CHANGED, {}))

        await self._change(work)
        return secret

    async def revoke(self, key_id: ApiKeyId) -> None:
        """Refuse a key from now on, here at once and on other servers within a second. Raises NotFound, Conflict."""

        def work(tx: Transaction) -> None:
            self._locked(tx, key_id)
            if key_id == INITIAL:
                tx.accounts.put_credential(_INITIAL_CREDENTIAL, _REVOKED)
            tx.api_keys.delete(key_id)
            tx.events.add(Event(EventKind.API_KEYS_CHANGED, {}))

        await self._change(work)
        self._used_at_ms.pop(key_id, None)
        self._written_at_ms.pop(key_id, None)

    def _locked(self, tx: Transaction, key_id: ApiKeyId) -> ApiKey:
        """Return a key that may be changed, and keep others from changing it. Raises NotFound, Conflict."""
        key: ApiKey | None = None
        if key_id == CONFIGURED and self._configured_digest is not None:
            raise Conflict("api_key_configured", "TERTULIA_API_KEY holds this key: change it there")
        if key_id == INITIAL and self._configured_digest is None:
            digest = tx.accounts.lock_credential(_INITIAL_CREDENTIAL)
            key = replace(tx.api_keys.lock(INITIAL) or ApiKey(id=INITIAL), digest=digest) if digest else None
        elif key_id.isalnum() and key_id not in {CONFIGURED, INITIAL}:  # others may hold what PostgreSQL refuses
            key = tx.api_keys.lock(key_id)
        if key is None:
            raise NotFound("api_key_not_found", f"There is no API key '{key_id}'", name="API Key Error")
        return key

    async def _change(self, work: Callable[[Transaction], None]) -> None:
        try:
            await self._store.write(work)
        finally:  # it may have been written even where that cannot be told
            self._changes += 1
            self._known_at_ms = Millis(0)


def _new_secret() -> str:
    return f"tk_{secrets.token_urlsafe(32)}"
