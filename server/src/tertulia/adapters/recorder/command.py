"""The recorder's command line and environment."""

from __future__ import annotations

import os
import sys
from typing import Final

COMMAND: Final = (sys.executable, "-m", "tertulia_recorder")
_ALLOWED: Final = frozenset({
    "HOME", "LANG", "LANGUAGE", "PATH", "TMPDIR", "TZ",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
    "SSL_CERT_DIR", "SSL_CERT_FILE",
})  # fmt: skip
_ALLOWED_PREFIXES: Final = ("LC_", "MALLOC_")


def environment() -> dict[str, str]:
    """Return what a recorder gets of this process's environment: an allow-list.

    The rest may hold keys of buckets, of the database and of proxies, and a recorder decodes what strangers send.
    """
    return {name: value for name, value in os.environ.items() if name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES)}
