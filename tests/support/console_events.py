"""A client of the console's live events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from .rest import RestServer


class Events:
    """A client that reads one event after the other."""

    def __init__(self, response: requests.Response) -> None:
        self._lines = response.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> tuple[str, dict[str, Any], str | None]:
        found: dict[str, str] = {}
        for line in self._lines:
            if not line and "event" in found:
                return found["event"], json.loads(found["data"]), found.get("id")
            name, _, value = line.partition(": ")
            found[name] = value
        raise EOFError

    def until(self, kind: str, **data: Any) -> tuple[dict[str, Any], str | None]:
        """Read on to an event of that kind with these data."""
        while True:
            found, told, event_id = self.next()
            if found == kind and data.items() <= told.items():
                return told, event_id


@contextmanager
def following(server: RestServer, bearer: str, after: str | None = None) -> Iterator[Events]:
    headers = {} if after is None else {"Last-Event-ID": after}
    # a connection of its own: the session of the tests goes on meanwhile
    url = f"{server.url}/meet/internal-api/v1/console/events"
    headers["Authorization"] = f"Bearer {bearer}"
    with requests.get(url, headers=headers, stream=True, timeout=20) as response:
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Events(response)
