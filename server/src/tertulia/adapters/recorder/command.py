"""The recorder's command line and environment."""

from __future__ import annotations

import os
import sys
from typing import Final

COMMAND: Final = (sys.executable, "-m", "tertulia_recorder")
_SETTINGS_PREFIX: Final = "TERTULIA_"


def environment() -> dict[str, str]:
    """Return this process's environment without the settings: some are secrets, and a recorder needs none of them."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS_PREFIX)}
