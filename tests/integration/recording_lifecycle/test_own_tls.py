"""Recordings of a server with TLS of its own, by a certificate that no machine trusts."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from support.film import is_like
from support.publisher import COLOURS
from support.recording_server import StartServer


async def test_recorders_need_not_trust_the_certificate(start_server: StartServer, tmp_path: Path) -> None:
    """They reach the meetings by a port of the loopback; it stays the same, so that they find the next server."""
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=meet.example", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    server = await start_server(TLS_CERT=str(certificate), TLS_KEY=str(key), PUBLIC_URL="https://meet.example")
    # participants come the same way here: their SDK would not trust the certificate either
    server.media_port = int((tmp_path / "data" / "loopback-port").read_text())
    room = await server.create_room()
    await server.join(room, "Ann", "red")
    recording = await server.start_recording(room)
    await server.recorded(recording, 2)
    await server.product.stop(signal.SIGKILL)
    await server.participants.pop().leave()
    await server.product.start()
    assert (await server.recording(recording))["status"] == "RECORDING"
    await server.join(room, "Bob", "blue")
    before = await server.recording(recording)
    await server.recorded(recording, before["duration"] + 8)
    await server.stop_recording(recording)
    assert (await server.ended(recording))["status"] == "STOPPED"
    film = await server.film(recording)
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert is_like(film.frame_at(film.duration_s - 0.5).reshape(-1, 3).mean(0), COLOURS["blue"], 60)
