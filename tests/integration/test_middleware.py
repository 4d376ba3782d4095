"""Standard ASGI middleware around the whole application: OpenTelemetry's, which nobody wrote for us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from support.rest import API_KEY, FAR, INTERNAL, PUBLIC
from support.signal_connection import JOIN, wrapped
from tertulia.app.application import Application
from tertulia.app.installation import installation
from tertulia.app.listening import listening_sockets
from tertulia.settings import Settings

KEY: Final = {"X-API-KEY": API_KEY}


@asynccontextmanager
async def running(application: Application) -> AsyncIterator[aiohttp.ClientSession]:
    """Run it in this process; the client's requests are relative to it."""
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(application.run(), name="application")
        async with aiohttp.ClientSession(application.public_url) as http, asyncio.timeout(30):
            while (await http.get("/health")).status != 200:
                assert not serving.done()
                await asyncio.sleep(0.02)
            try:
                yield http
            finally:
                application.stop()
                await serving


def application_in(folder: Path) -> Application:
    settings = Settings(
        data_dir=folder,
        host="127.0.0.1",
        port=0,
        api_key=API_KEY,
        media_udp_port=0,
        media_tcp_port=0,
        media_addresses=("127.0.0.1",),
    )
    return Application(installation(settings), listening_sockets("127.0.0.1", 0), None)


async def test_opentelemetry(tmp_path: Path):
    """(issue 9) Standard middleware must work: spans with route and status for the APIs, pages and signalling."""
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    application = application_in(tmp_path)
    application.app.add_middleware(
        OpenTelemetryMiddleware, tracer_provider=tracing, meter_provider=MeterProvider([metrics])
    )
    async with running(application) as http:
        made = await http.post(f"{PUBLIC}/rooms", json={"expirationDate": FAR}, headers=KEY)
        assert made.status == 200
        room = await made.json()
        secret = room["moderatorURL"].partition("secret=")[2]
        asked = {"roomName": room["roomName"], "participantName": "a/b", "secret": secret}
        token = (await (await http.post(f"{INTERNAL}/participants/token", json=asked)).json())["token"]
        for path, headers, status in (
            (f"{PUBLIC}/rooms/{room['roomName']}", KEY, 200),
            (f"{PUBLIC}/rooms/nothing", {}, 401),
            (f"{PUBLIC}/nothing", {}, 404),
            (f"/meet/{room['roomName']}/", {}, 200),
        ):
            assert (await http.get(path, headers=headers)).status == status
        async with http.ws_connect("/rtc/v1", params={"access_token": token, "join_request": wrapped(JOIN)}) as signals:
            assert (await signals.receive_bytes())[:1]
    of_requests = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    seen = {(span.name, (span.attributes or {}).get("http.status_code")) for span in of_requests}
    assert seen >= {
        (f"POST {PUBLIC}/rooms", 200),
        (f"POST {INTERNAL}/participants/token", 200),
        (f"GET {PUBLIC}/rooms/{room['roomName']}", 200),
        (f"GET {PUBLIC}/rooms/nothing", 401),
        (f"GET {PUBLIC}/nothing", 404),
        (f"GET /meet/{room['roomName']}/", 200),
        ("HTTP /rtc/v1", 200),
    }
    assert _routes(metrics) >= {
        (f"{PUBLIC}/rooms", 200),
        (f"{INTERNAL}/participants/token", 200),
        (f"{PUBLIC}/rooms/{{roomName}}", 200),
        (f"{PUBLIC}/rooms/{{roomName}}", 401),
        ("/meet/{roomName}/", 200),
    }


def _routes(reader: InMemoryMetricReader) -> set[tuple[Any, Any]]:
    """Which routes the durations of requests are counted under, with their statuses."""
    data = reader.get_metrics_data()
    assert data is not None
    return {
        (point.attributes.get("http.target"), point.attributes.get("http.status_code"))
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "http.server.duration"
        for point in metric.data.data_points
    }
