"""The generated parts of the clients: stale ones are found."""

from collections.abc import Iterator

from tools.checks.repository import shown
from tools.clients import generated


def problems() -> Iterator[str]:
    """Yield each file that is not what the document says now."""
    for path, text in generated().items():
        if not path.is_file() or path.read_text() != text:
            yield f"{shown(path)} is stale: run `python -m tools.clients`"
