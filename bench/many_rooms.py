"""Do 100,000 rooms slow a page, or a look-up by name? Beside 1,000 rooms, on SQLite and PostgreSQL.

    python -m bench.many_rooms

Rooms are put in by SQL; pages of 100 are walked by the REST API, then the first, the middle and the last one and a
look-up are asked for 200 times each. Medians, with HTTP and the client's own half a millisecond.
"""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from sqlalchemy import insert

from support.postgres import running_postgres
from support.rest import API_KEY, FAR, PUBLIC, RestServer, running_server
from tertulia.adapters.sql.tables import rooms
from tertulia.adapters.sql.transaction import SqlTransaction

SIZES = (0, 1_000, 100_000)
PAGE = 100
REPEATED = 200


def add_rooms(server: RestServer, first: int, end: int) -> None:
    def work(tx: SqlTransaction) -> None:
        rows = [
            {
                "name": f"room-{number}", "created_at_ms": 1_700_000_000_000 + number, "expires_at_ms": FAR,
                "chat_enabled": True, "recording_enabled": True, "virtual_background_enabled": True,
                "moderator_secret": "m" * 32, "publisher_secret": "p" * 32, "viewer_secret": "v" * 32,
            }
            for number in range(first, end)
        ]  # fmt: skip
        tx._connection.execute(insert(rooms), rows)  # noqa: SLF001 - one statement for all of them

    server.write(work)


class Client:
    """One kept connection."""

    def __init__(self, server: RestServer) -> None:
        self._connection = http.client.HTTPConnection(server.url.removeprefix("http://"))

    def get(self, path: str) -> tuple[str | None, bytes]:
        self._connection.request("GET", f"{PUBLIC}{path}", headers={"X-API-KEY": API_KEY})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return answer.getheader("X-Next-Page-Token"), body

    def median_ms(self, path: str) -> float:
        took = []
        for _ in range(REPEATED):
            begin = time.perf_counter()
            self.get(path)
            took.append(time.perf_counter() - begin)
        return statistics.median(took) * 1000


def pages(client: Client, total: int) -> list[str]:
    """Walk all pages; return the paths of the first, the middle and the last one."""
    paths, found = [f"/rooms?maxItems={PAGE}"], 0
    while True:
        token, body = client.get(paths[-1])
        found += len(json.loads(body))
        if token is None:
            assert found == total
            return [paths[0], paths[len(paths) // 2], paths[-1]]
        paths.append(f"/rooms?maxItems={PAGE}&nextPageToken={token}")


def measure(what: str, server: RestServer) -> None:
    for before, total in pairwise(SIZES):
        add_rooms(server, before, total)
        client = Client(server)
        first, middle, last = (client.median_ms(path) for path in pages(client, total))
        by_name = client.median_ms(f"/rooms/room-{total // 2}")
        print(
            f"{what:<12} {total:7} rooms, {PAGE} a page: first {first:5.2f} ms, middle {middle:5.2f}, last {last:5.2f};"
            f" by name {by_name:5.2f}",
            flush=True,
        )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with running_server(Path(folder) / "sqlite") as server:
            measure("SQLite", server)
        with running_postgres(durable=True) as cluster:
            url = cluster.new_database()
            with running_server(Path(folder) / "postgres", TERTULIA_DATABASE_URL=url) as server:
                measure("PostgreSQL", server)


if __name__ == "__main__":
    main()
