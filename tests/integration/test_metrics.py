"""`/metrics`: for who has the token, and not there at all without one."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from support.rest import RestServer, running_server
from tertulia.errors import ConfigurationError
from tertulia.settings import load_settings

TOKEN = "a-token-for-prometheus"


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(text)
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for one in families for each in one.samples}


def test_without_a_token_there_are_no_metrics(server: RestServer):
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer x"}):
        answer = requests.get(f"{server.url}/metrics", headers=headers, timeout=10)
        assert "livekit_room_total" not in answer.text
        assert answer.status_code == 404


def test_metrics(tmp_path: Path):
    with running_server(tmp_path, TERTULIA_METRICS_TOKEN=TOKEN) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}):
            assert requests.get(f"{server.url}/metrics", headers=headers, timeout=10).status_code == 401
        room = server.create_room()
        assert server.ask("GET", f"/rooms/{room.name}").status_code == 200
        answer = requests.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
        assert answer.headers["content-type"].startswith("text/plain")
        found = samples(answer.text)
    assert found["livekit_room_total", ()] == 0
    assert found["livekit_participant_total", ()] == 0
    assert found["tertulia_part_up", (("part", "database"),)] == 1
    assert found["tertulia_recordings", (("state", "running"),)] == 0
    assert found["tertulia_recorder_capacity", ()] >= 0
    route = (("method", "GET"), ("route", "/meet/api/v1/rooms/{roomName}"))
    assert found["tertulia_http_requests_total", (*route, ("status", "200"))] == 1
    assert found["tertulia_http_request_seconds_count", route] == 1
    assert room.name not in answer.text


@pytest.mark.parametrize("token", ["short", "has a space in it, and is long"])
def test_a_token_that_is_easy_to_guess_is_refused(token: str):
    with pytest.raises(ConfigurationError, match="TERTULIA_METRICS_TOKEN: <hidden>"):
        load_settings({"metrics_token": token})
