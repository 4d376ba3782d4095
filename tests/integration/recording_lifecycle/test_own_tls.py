"""Recordings of a server with TLS of its own, by a certificate that no machine trusts."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from integration.recording_lifecycle.conftest import MakePlace
from support.film import is_like
from support.publisher import COLOURS


async def test_recorders_need_not_trust_the_certificate(place: MakePlace, tmp_path: Path) -> None:
    """They reach the meetings by a port of the loopback; it stays the same, so that they find the next server."""
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-days", "2", "-subj", "/CN=meet.example", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    here = await place(TLS_CERT=str(certificate), TLS_KEY=str(key), PUBLIC_URL="https://meet.example")
    # people come the same way here: their SDK would not trust the certificate either
    here.media_port = int((tmp_path / "data" / "loopback-port").read_text())
    room = await here.room()
    await here.join(room, "Ann", "red")
    recording = await here.start(room)
    await here.recorded(recording, 2)
    await here.product.stop(signal.SIGKILL)
    await here.people.pop().leave()
    await here.product.start()
    assert (await here.shown(recording))["status"] == "RECORDING"
    await here.join(room, "Bob", "blue")
    before = await here.shown(recording)
    await here.recorded(recording, before["duration"] + 8)
    await here.stop(recording)
    assert (await here.ended(recording))["status"] == "STOPPED"
    film = await here.film(recording)
    assert is_like(film.frame_at(1).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    assert is_like(film.frame_at(film.duration_s - 0.5).reshape(-1, 3).mean(0), COLOURS["blue"], 60)
