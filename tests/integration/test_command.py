"""running.md: the command, its settings, starting and stopping."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import aiohttp
import jwt
import pytest
import requests

from support.command import run_command
from support.livekit_clients import joined
from support.ports import free_port
from support.rest import COMMAND, FAR, INTERNAL, PUBLIC, RestServer, running_server


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "abc", "from 0 to 65535"), ("PORT", "70000", "from 0 to 65535"),
        ("PUBLIC_URL", "meet.example.com", "http:// or https://"), ("PARTICIPANT_AUTH", "some", "moderators_only"),
        ("DATABASE_URL", "mysql://x", "sqlite"), ("MEDIA_URL", "http://x", "ws:// or wss://"),
        ("MEDIA_CODECS", "audio/opus, video/none", "video/VP8"),
        ("MEDIA_ADDRESSES", "1.2.3.4, nonsense", "IP addresses"), ("EMBED_ORIGINS", "example.com", "origins"),
        ("TRUSTED_PROXIES", "x/y", "networks"), ("TLS_CERT", "/none", "can be read"), ("SECRET_KEY", "short", "16"),
        ("RECORDING_MAX_DURATION_S", "-1", "more than 0"), ("RECORDING_PRESET", "8k", "1080p30"),
    ],
)  # fmt: skip
def test_wrong_setting(tmp_path: Path, name, value, allowed):
    """(issue 3) A wrong setting is one clear line naming the setting, the value and what is allowed."""
    done = run_command(tmp_path, "serve", **{f"TERTULIA_{name}": value})
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert f"TERTULIA_{name}" in lines[0]
    assert allowed in lines[0]
    if name not in {"DATABASE_URL", "SECRET_KEY"}:
        assert value.split(",")[-1].strip() in lines[0]


def test_media_url_needs_its_keys(tmp_path: Path):
    """`TERTULIA_MEDIA_API_KEY`, `TERTULIA_MEDIA_API_SECRET`: LiveKit's key and secret."""
    done = run_command(tmp_path, "serve", TERTULIA_MEDIA_URL="wss://x")
    assert "TERTULIA_MEDIA_API_KEY" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_wrong_option_and_file(tmp_path: Path):
    """One name everywhere: option `--x-y`, key `x_y` in `tertulia.toml`."""
    (tmp_path / "tertulia.toml").write_text("prot = 5\n")
    assert "'prot' is not a setting" in run_command(tmp_path, "serve").stderr
    (tmp_path / "tertulia.toml").write_text("port = \n")
    done = run_command(tmp_path, "serve")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "tertulia.toml" in done.stderr


def test_precedence(tmp_path: Path):
    """Options beat the environment, which beats the file."""
    from tertulia.settings import load_settings  # noqa: PLC0415

    was, kept = Path.cwd(), os.environ.pop("TERTULIA_PORT", None)
    (tmp_path / "tertulia.toml").write_text('port = 1111\nadmin_user = "file"\nembed_origins = "https://a.example"\n')
    os.chdir(tmp_path)
    try:
        assert load_settings({}).port == 1111
        os.environ["TERTULIA_PORT"] = "2222"
        assert load_settings({}).port == 2222
        assert load_settings({"port": "3333"}).port == 3333
        assert load_settings({}).admin_user == "file"
        assert load_settings({}).embed_origins == ("https://a.example",)
    finally:
        os.chdir(was)
        os.environ.pop("TERTULIA_PORT")
        if kept is not None:
            os.environ["TERTULIA_PORT"] = kept


def test_taken_port(tmp_path: Path):
    """(issue 3) a port that is taken names the port."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_command(tmp_path, "serve", "--port", str(port))
    assert done.returncode == 2
    assert f"TERTULIA_PORT: {port}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_taken_media_port(tmp_path: Path):
    """(issue 3) a port that is taken names the port: the media port too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = taken.getsockname()[1]
        done = run_command(tmp_path, "serve", "--port", "0", "--media-udp-port", str(port), "--media-tcp-port", "0")
    assert done.returncode == 2
    assert f"UDP port {port}" in done.stderr.splitlines()[-1]


async def test_media_dev(tmp_path: Path):
    """`tertulia media --dev` is what `livekit-server --dev` is: port 7880, key devkey, secret secret, loopback only."""
    help_text = " ".join(run_command(tmp_path, "media", "--help").stdout.split())
    assert "their TCP port [default: 7880;" in help_text
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        COMMAND, "media", "--dev", "--port", str(port), "--udp-port", "0", "--tcp-port", "0"
    )
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                assert process.returncode is None
                with suppress(aiohttp.ClientConnectionError):
                    async with http.get(f"http://127.0.0.1:{port}/") as answer:
                        assert answer.status == 200
                        break
                await asyncio.sleep(0.05)
            claims = {"iss": "devkey", "sub": "ann", "exp": 4_000_000_000, "video": {"room": "r", "roomJoin": True}}
            token = jwt.encode(claims, "secret", "HS256")
            async with http.get(f"http://127.0.0.1:{port}/rtc/validate", params={"access_token": token}) as answer:
                assert answer.status == 200
        addresses = subprocess.run(["ss", "-Hlnup"], capture_output=True, text=True, check=True).stdout.splitlines()
        assert {line.split()[3].rpartition(":")[0] for line in addresses if f"pid={process.pid}," in line} == {
            "127.0.0.1"
        }
    finally:
        process.terminate()
        assert await process.wait() == 0


def test_first_start_shows_what_is_there(tmp_path: Path):
    """Generated secrets are printed once, to standard output, with what each of them opens."""
    with running_server(tmp_path, TERTULIA_API_KEY="", TERTULIA_ADMIN_PASSWORD="") as own:
        shown = (tmp_path / "stdout").read_text()
        found = re.search(
            r"API key: (\S+)\nAdministrator: user (\S+)  password (\S+)\n +logs in to the console at (\S+)\n", shown
        )
        assert found is not None, shown
        key, user, password, address = found.groups()
        assert own.ask("GET", "/rooms", key=key).status_code == 200
        body = {"username": user, "password": password}
        assert "console" in requests.get(address, timeout=5).text
        assert own.ask("POST", "/auth/login", body, base=INTERNAL).status_code == 200
        own.stop()
        own.start()
        assert (tmp_path / "stdout").read_text() == shown


def test_db_and_doctor(tmp_path: Path):
    """`tertulia keys|admin|db|doctor` – rotate keys, set the admin's password, migrate, check this machine."""
    assert run_command(tmp_path, "db", "migrate").returncode == 0
    done = run_command(tmp_path, "doctor", "--port", "0", "--media-udp-port", "0", "--media-tcp-port", "0")
    assert "ok    database" in done.stdout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run_command(tmp_path, "doctor", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "FAIL  HTTP port" in done.stdout


def test_health_and_json_logs(server: RestServer):
    """`GET /health` → 200 `{"status": "ok", …}` once it serves. Logs go to standard error, one JSON object a line."""
    answer = requests.get(f"{server.url}/health", timeout=5)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert all(json.loads(line)["event"] for line in server.log().split("\n")[:-1])


async def test_clean_stop(tmp_path: Path):
    """(issue 3) clean stop on SIGTERM (people are told, sockets closed, exit 0 within 5 s); they may come back."""
    with running_server(tmp_path) as server:
        room = await asyncio.to_thread(server.create_room)
        token = await asyncio.to_thread(server.token, room, "Ana")
        async with joined(server, token) as ana:
            server.process.send_signal(signal.SIGTERM)
            stopped, _ = await asyncio.gather(
                asyncio.to_thread(server.process.wait, 5), ana.wait_for_event("reconnecting", within_s=5)
            )
            assert stopped == 0
        assert "Traceback" not in server.log()


def test_page_headers(server: RestServer):
    """(issue 3) hashed names, brotli/gzip and a strict CSP."""
    page = requests.get(f"{server.url}/meet/some-room/?secret=x", timeout=5)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors *" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert requests.get(f"{server.url}/etc/passwd", timeout=5).status_code == 404
    assert requests.get(f"{server.url}/../../etc/passwd", timeout=5).json()["code"] == "path_not_found"


def test_embedding_and_cors(tmp_path: Path):
    """`TERTULIA_EMBED_ORIGINS`; (issue 4) CORS by setting."""
    settings = {"TERTULIA_EMBED_ORIGINS": "https://a.example, https://b.example"}
    settings |= {"TERTULIA_CORS_ORIGINS": "https://app.example"}
    with running_server(tmp_path, **settings) as own:
        page = requests.get(f"{own.url}/meet/x/", timeout=5)
        assert "frame-ancestors https://a.example https://b.example" in page.headers["content-security-policy"]
        preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        allowed = own.ask("OPTIONS", "/rooms", key=None, headers=preflight)
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        refused = own.ask("OPTIONS", "/rooms", key=None, headers=preflight | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
        answer = own.ask("GET", "/rooms", headers={"Origin": "https://app.example"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in answer.headers


def test_https_with_renewal(tmp_path: Path):
    """(issue 4) HTTPS by certificate files with reload on change."""
    names = ("one", "two")
    for name in names:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}",
             "-keyout", tmp_path / f"{name}.key", "-out", tmp_path / f"{name}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"

    def put(name: str) -> None:
        certificate.write_bytes((tmp_path / f"{name}.crt").read_bytes())
        key.write_bytes((tmp_path / f"{name}.key").read_bytes())

    def served(port: int) -> bytes:
        return ssl.get_server_certificate(("127.0.0.1", port)).encode()

    put("one")
    with running_server(tmp_path / "run", TERTULIA_TLS_CERT=str(certificate), TERTULIA_TLS_KEY=str(key)) as own:
        own.http.verify, own.http.trust_env = False, False
        room = own.create_room()
        assert room.answer["viewerURL"].startswith("https://localhost:")
        assert own.ask("GET", f"/rooms/{room.name}/participants").json() == []  # our own calls work over TLS
        port = int(own.url.rpartition(":")[2])
        assert served(port).split() == (tmp_path / "one.crt").read_bytes().split()
        put("two")
        deadline = time.monotonic() + 20
        while served(port).split() != (tmp_path / "two.crt").read_bytes().split():
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_starts_again_with_same_data(tmp_path: Path):
    """The data directory holds everything: rooms and generated secrets are the same at the next start."""
    with running_server(tmp_path) as own:
        room, kept = own.create_room(), own.secrets
        token = own.token(room, "Ana")
        own.stop()
        own.start()
        assert own.secrets == kept
        answer = own.ask("GET", f"/rooms/{room.name}")
        assert (
            answer.json()["moderatorURL"].partition("/meet/")[2] == room.answer["moderatorURL"].partition("/meet/")[2]
        )
        assert own.internal("GET", f"/rooms/{room.name}", bearer=token).status_code == 200


def test_forwarded_addresses_only_from_trusted(server: RestServer):
    """`TERTULIA_TRUSTED_PROXIES`: whose `Forwarded` / `X-Forwarded-*` headers are believed (nobody's by default)."""
    room = server.create_room()
    body = {"roomName": room.name, "participantName": "A", "secret": room.secret("viewer")}
    answer = requests.post(
        f"{server.url}{PUBLIC}/participants/token", json=body, headers={"X-Forwarded-For": "not an address"}, timeout=5
    )
    assert answer.status_code == 200
    warnings = [line for line in server.log().splitlines() if "a forwarding header is not believed" in line]
    assert len(warnings) == 1
    assert "TERTULIA_TRUSTED_PROXIES=127.0.0.1" in warnings[0]
    assert FAR
