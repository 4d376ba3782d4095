"""SIGUSR1: no new meetings, and those that run go on to their end (issue 13)."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import requests

from support.livekit_clients import joined
from support.rest import RestServer, running_server
from support.waiting import until


def ready(server: RestServer) -> dict[str, str]:
    return dict(requests.get(f"{server.url}/health/ready", timeout=10).json())


async def test_meetings_that_run_go_on_and_no_new_one_begins(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        running, other = server.create_room(), server.create_room()
        async with joined(server, server.token(running, "Ana")):
            assert server.process is not None
            server.process.send_signal(signal.SIGUSR1)

            async def is_draining() -> bool:
                return (await asyncio.to_thread(ready, server))["status"] == "draining"

            await until("the server drains", is_draining)
            assert (await asyncio.to_thread(ready, server))["meetings"] == "running"
            assert requests.get(f"{server.url}/health", timeout=10).status_code == 200
            async with joined(server, server.token(running, "Ben")):
                pass
            token = server.token(other, "Eve")
            refused = requests.get(f"{server.url}/rtc/validate", params={"access_token": token}, timeout=10)
            assert refused.status_code == 503
            assert server.ask("GET", f"/rooms/{other.name}").status_code == 200
