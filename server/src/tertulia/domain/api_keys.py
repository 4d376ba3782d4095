"""API keys: what is kept of a secret by which an application acts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tertulia.domain.ids import ApiKeyId, Millis

CONFIGURED: Final = ApiKeyId("configured")
"""The key that a setting holds."""
INITIAL: Final = ApiKeyId("initial")
"""The key that the first start has generated. Its digest is a credential, where older versions look for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an application: a keyed hash of its secret, and for a while that of the one before.

    `digest` is empty where another place holds the secret: of the configured and the initial key only the use is kept.
    """

    id: ApiKeyId
    name: str = ""
    digest: str = ""
    created_at_ms: Millis | None = None
    last_used_at_ms: Millis | None = None
    previous_digest: str | None = None
    previous_until_ms: Millis | None = None

    def digests(self, now_ms: Millis) -> tuple[str, ...]:
        """Return the hashes of the secrets that count now."""
        current = (self.digest,) if self.digest else ()
        if self.previous_digest is None or self.previous_end_ms(now_ms) is None:
            return current
        return (*current, self.previous_digest)

    def previous_end_ms(self, now_ms: Millis) -> Millis | None:
        """Return until when the secret before this one counts; None when it does not any more."""
        until_ms = self.previous_until_ms
        return until_ms if until_ms is not None and now_ms < until_ms else None
