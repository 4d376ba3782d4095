"""The examples of deploy/ with the real nginx and Caddy: only ports and files are other ones."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import requests
from requests.adapters import HTTPAdapter

from support.ports import free_port
from support.rest import API_KEY, PUBLIC, RestServer, TestRoom, running_server
from support.signal_connection import JOIN, receive, wrapped
from support.tls import self_signed
from support.waiting import until

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
JSON: Final = {"Content-Type": "application/json"}
STRANGER: Final = "127.0.0.9"
NGINX: Final = """
{user}daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


class Proxied:
    """A server behind a proxy, and a client at an address of its own."""

    def __init__(self, server: RestServer, url: str, certificate: Path) -> None:
        self.server = server
        self.url = url
        self.certificate = certificate
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(certificate)
        self.http.headers["X-API-KEY"] = API_KEY
        self.http.mount("https://", _From(STRANGER))


class _From(HTTPAdapter):
    """Connections from an address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._address, 0))  # type: ignore[arg-type]


def replaced(text: str, **others: str) -> str:
    """The example with other ports and files; each must be there, so that the test fails when it changes."""
    for pattern, other in others.items():
        assert pattern in text, pattern
        text = text.replace(pattern, other)
    return text


def nginx(folder: Path, port: int, server_port: int, certificate: Path, key: Path) -> list[str]:
    text = replaced(
        (DEPLOY / "nginx.conf").read_text(),
        **{
            "127.0.0.1:6080": f"127.0.0.1:{server_port}",
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "    listen [::]:443 ssl http2;\n": "",
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "    listen [::]:80;\n": "",
            "/etc/letsencrypt/live/meet.example.com/fullchain.pem": str(certificate),
            "/etc/letsencrypt/live/meet.example.com/privkey.pem": str(key),
            "/var/log/nginx/": f"{folder}/",
            "meet.example.com": "localhost",
        },
    )
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user="user root;\n" if os.geteuid() == 0 else ""))
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert binary, "nginx is not installed: apt-get install nginx"
    return [binary, "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, server_port: int, certificate: Path, key: Path) -> list[str]:
    text = replaced(
        (DEPLOY / "Caddyfile").read_text(),
        **{
            "127.0.0.1:6080": f"127.0.0.1:{server_port}",
            "meet.example.com {": f"https://localhost:{port} {{\n\ttls {certificate} {key}\n\tbind 127.0.0.1",
            "{\n\tservers": "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers",
        },
    )
    (folder / "Caddyfile").write_text(text)
    binary = shutil.which("caddy")
    assert binary, "Caddy is not installed: apt-get install caddy"
    return [binary, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def answers(proxied: Proxied) -> bool:
    try:
        return proxied.http.get(f"{proxied.url}/health").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxy")
    certificate, key = self_signed(folder)
    port, server_port = free_port(), free_port()
    url = f"https://localhost:{port}"
    settings = {
        "TERTULIA_PORT": str(server_port), "TERTULIA_PUBLIC_URL": url, "TERTULIA_TRUSTED_PROXIES": "127.0.0.1",
    }  # fmt: skip
    command = request.param(folder, port, server_port, certificate, key)
    environment = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with running_server(folder / "server", **settings) as server, (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        try:
            proxied = Proxied(server, url, certificate)
            deadline = time.monotonic() + 20
            while not answers(proxied):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield proxied
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def room(proxied: Proxied) -> TestRoom:
    answer = proxied.http.post(f"{proxied.url}{PUBLIC}/rooms", json={"expirationDate": 4_000_000_000_000})
    assert answer.status_code == 200, answer.text
    return TestRoom(answer.json()["roomName"], answer.json())


def test_rest_and_page(proxied: Proxied, room: TestRoom):
    """Links begin with the public URL, and open the page."""
    link = room.answer["moderatorURL"]
    assert link.startswith(f"{proxied.url}/meet/{room.name}")
    page = proxied.http.get(link)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    script = re.search(r'src="(/[^"]+\.js)"', page.text)
    assert script
    assert proxied.http.get(f"{proxied.url}{script[1]}").status_code == 200
    missing = proxied.http.get(f"{proxied.url}{PUBLIC}/rooms/nobody-knows-it")
    assert (missing.status_code, missing.json()["code"]) == (404, "room_not_found")
    large = proxied.http.post(f"{proxied.url}{PUBLIC}/rooms", data=b"x" * 1_500_000, headers=JSON)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large"), "Tertulia's own refusal"


@pytest.mark.parametrize("padding", [0, 150_000])
async def test_signalling(proxied: Proxied, room: TestRoom, padding: int):
    """A WebSocket joins; its request may be as long as Tertulia itself takes."""
    token = proxied.server.token(room, f"ann{padding}", "moderator")
    url = f"{proxied.url.replace('https', 'wss')}/rtc/v1"
    query = {"access_token": token, "join_request": wrapped(JOIN), "padding": "x" * padding}
    trusted = ssl.create_default_context(cafile=str(proxied.certificate))
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, params=query, ssl=trusted, max_msg_size=0) as connection,
    ):
        joined = await receive(connection, "join")
    assert joined.join.participant.identity == f"ann{padding}"


async def test_address(proxied: Proxied, room: TestRoom):
    """The log has the client's address, whatever it says of itself, for requests, pages and signalling."""
    lies = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Request-ID": "looked-for.1"}
    assert proxied.http.get(f"{proxied.url}{PUBLIC}/rooms/{room.name}", headers=lies).status_code == 200
    lies["X-Request-ID"] = "looked-for.2"
    assert proxied.http.get(f"{proxied.url}/rtc/validate?access_token=wrong", headers=lies).status_code == 401
    lies["X-Request-ID"] = "looked-for.3"
    assert proxied.http.get(f"{proxied.url}/", headers=lies).status_code == 200
    for number in (1, 2, 3):
        await until("it is logged", partial(_is_logged, proxied, f"looked-for.{number}"))
    assert _logged(proxied, "looked-for.2", "join refused")["address"] == STRANGER
    assert "6.6.6.6" not in proxied.server.log()
    assert "not believed" not in proxied.server.log()
    kept = [path.read_text() for path in proxied.certificate.parent.glob("*.log")]
    assert not any("wrong" in text or "secret" in text for text in kept), "no query in the proxy's log"


def _logged(proxied: Proxied, request_id: str, event: str = "request") -> dict[str, object]:
    whole, _, _ = proxied.server.log().rpartition("\n")
    lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
    return next((one for one in lines if (one.get("request_id"), one["event"]) == (request_id, event)), {})


async def _is_logged(proxied: Proxied, request_id: str) -> bool:
    return _logged(proxied, request_id).get("address") == STRANGER


def test_recording(proxied: Proxied, room: TestRoom):
    """A large film, whole and in ranges, without a detour over the proxy's disk."""
    media = random.Random(1).randbytes(20_000_000)
    recording = proxied.server.add_recording(room.name, media=media)
    url = f"{proxied.url}{PUBLIC}/recordings/{recording.id}/stream"
    whole = proxied.http.get(url)
    assert (whole.status_code, len(whole.content)) == (200, len(media))
    assert hashlib.sha256(whole.content).digest() == hashlib.sha256(media).digest()
    part = proxied.http.get(url, headers={"Range": "bytes=15000000-15999999"})
    assert (part.status_code, part.content == media[15_000_000:16_000_000]) == (206, True)
    assert part.headers["content-range"] == f"bytes 15000000-15999999/{len(media)}"
    head = proxied.http.head(url)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(media)))
    assert proxied.http.get(url, headers={"Range": f"bytes={len(media)}-"}).status_code == 416
