"""How the recorder reaches its media server: by TCP where UDP is blocked, and by IPv6."""

from __future__ import annotations

import pytest

from recorder_process.conftest import StartRecorder
from support.blocked_udp import blocked_udp
from support.film import Film
from support.media_server_process import MediaServerProcess
from support.network_namespace import run_in_network
from support.publisher import COLOURS, Look, Publisher, in_meeting, tone
from tertulia_recorder.drawing.layout import Rect

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

WHOLE = Rect(0, 0, 1280, 720)


async def test_a_meeting_is_recorded_by_tcp_where_udp_is_blocked(
    shared_server: MediaServerProcess, room: str, record: StartRecorder
) -> None:
    ann = Publisher(shared_server, room, "ann", look=Look(COLOURS["red"]), sound=tone(500))
    async with in_meeting(ann), blocked_udp(shared_server) as server:
        recorder = await record(server, room)
        visible_s = await recorder.until_visible(WHOLE, COLOURS["red"])
        await recorder.until_recorded(visible_s + 3)
        await recorder.stop()
    film = Film(recorder.file)
    assert film.loudness(500, visible_s + 1, visible_s + 2.5) > 0.06


async def test_a_server_with_ipv6_alone_serves_and_records() -> None:
    await run_in_network(["2001:db8::7/64"], "support.server_at_address", "2001:db8::7", timeout_s=150)
