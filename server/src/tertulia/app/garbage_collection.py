"""How often this process looks for reference cycles."""

import gc
from typing import Final

# Python's 700 has a server with many requests look several times during each one: a fifth of a request's CPU time
_NEW_OBJECTS: Final = 20_000


def tune_garbage_collection() -> None:
    """Look for cycles less often, and never among what exists now: to be called when the process has started.

    What has started lives until the process ends: modules, operations, the document. Walking it costs a pause for
    all participants at each full collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
