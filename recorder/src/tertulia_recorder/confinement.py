"""Takes away from this process what it does not need: what gets past a decoder by hostile media finds little here.

Nothing here may keep a recording from being made: what the system cannot do is logged, and the process goes on.
"""

import logging
import os
import resource
from typing import Final

from tertulia_sfu.receiver import deny_unneeded_system_calls

_log = logging.getLogger(__name__)

_GIB: Final = 1024**3
_MIN_MEMORY_BYTES, _MAX_MEMORY_BYTES = _GIB, 4 * _GIB
_MAX_OPEN_FILES: Final = 256


def confine() -> None:
    """Limit memory and open files, forbid core dumps, new privileges and system calls, for good."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    # Not the address space: on a machine with many cores the allocator reserves gigabytes of it that it never uses.
    _limit(resource.RLIMIT_DATA, memory_limit_bytes())
    try:
        deny_unneeded_system_calls()
    except OSError as error:
        _log.warning("system calls cannot be restricted here: %s", error)


def memory_limit_bytes() -> int:
    """Return how much memory a recorder may use: half of the machine's, within limits."""
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(max(installed // 2, _MIN_MEMORY_BYTES), _MAX_MEMORY_BYTES)


def _limit(what: int, value: int) -> None:
    _, hard = resource.getrlimit(what)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(what, (value, value))
    except (OSError, ValueError) as error:
        _log.warning("limit %d cannot be set to %d: %s", what, value, error)
