"""When this process looks for reference cycles."""

import gc
from typing import Final

COLLECT_EVERY_S: Final = 10.0
# Python's 700 has a server look so often that it costs a fifth of a request's CPU time. Much more than this lets
# strangers fill the memory: a connection that has ended is a cycle, and holds a URL of 300 kB until the next look.
_THRESHOLDS: Final = (1_500, 10, 50)


def tune_garbage_collection() -> None:
    """Look for cycles less often, and never among what exists now: to be called when the process has started.

    A full collection looks at every object while nothing else happens, and Python does it whenever there are a quarter
    more of them: several times, of up to 0.4 s each, while ten thousand connections arrive. `collect_garbage` does it
    by time, and what has started lives until the process ends.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


async def collect_garbage() -> None:
    """Collect what many connections have left behind, which with TLS are cycles."""
    if gc.get_count()[2]:
        gc.collect()
