"""Every code sample of the documentation runs as it stands, or says here why it does not."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp.test_utils import TestClient, TestServer
from livekit import api

from support.rest import API_KEY, RestServer

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "clients").glob("*/README.md")),
)
MEDIA_KEY: Final = "key-of-the-media-server"
MEDIA_SECRET: Final = "secret-of-the-media-server-0123456789"
KINDS: Final = {"sh", "python", "javascript", "typescript", "toml", "json"}
NOT_RUN: Final = {
    ("README.md", "make run "): ".ci/run is what runs them",
    ("docs/api/quickstart.md", "export URL="): "the test's own server and key stand in for these",
    ("docs/api/quickstart.md", "<!doctype html>"): "tests/e2e/test_doc_pages.py opens it in a browser",
    ("docs/embedding.md", "<!doctype html>"): "tests/e2e/test_embedding_pages.py opens it in a browser",
    ("docs/embedding.md", "<iframe"): "tests/e2e/test_embedding_pages.py has an iframe like it, with a real link",
    ("docs/migration.md", "<script src="): "tests/e2e/test_embedding_openvidu.py loads it in all of its pages",
    (
        "docs/operations.md",
        "scrape_configs:",
    ): "a part of Prometheus's configuration; tests/integration/test_metrics.py reads /metrics",
    ("docs/recordings.md", "POST /recordings ─► "): "a diagram",
    ("clients/python/README.md", "pip install"): "tests/wheels installs it from a wheel of this state",
    ("clients/typescript/README.md", "npm install"): "the TypeScript samples use the package of this state",
}


@dataclass(frozen=True)
class Sample:
    """A fenced block of a document."""

    document: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}-{self.language}"


def _samples() -> list[Sample]:
    found = []
    for path in DOCUMENTS:
        for language, text in re.findall(r"^```(\w*)[^\n]*\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE):
            sample = Sample(str(path.relative_to(ROOT)), language, text)
            if not any(sample.document == name and text.startswith(start) for name, start in NOT_RUN):
                found.append(sample)
    return found


SAMPLES: Final = _samples()


def of(*languages: str) -> pytest.MarkDecorator:
    chosen = [sample for sample in SAMPLES if sample.language in languages]
    return pytest.mark.parametrize("sample", chosen, ids=str)


on_sqlite = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


@pytest.fixture
def environment(server: RestServer) -> dict[str, str]:
    own = {"URL": server.url, "KEY": API_KEY, "MEDIA_KEY": MEDIA_KEY, "MEDIA_SECRET": MEDIA_SECRET}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def run(*command: str | Path, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_sample_is_of_a_kind_that_is_run():
    unknown = [(str(each), each.text.splitlines()[0]) for each in SAMPLES if each.language not in KINDS]
    assert unknown == []
    assert {each.language for each in SAMPLES} == KINDS


@pytest.mark.parametrize(("document", "start"), NOT_RUN)
def test_what_is_not_run_is_there(document: str, start: str):
    assert re.search(rf"^```\w*[^\n]*\n{re.escape(start)}", (ROOT / document).read_text(), re.MULTILINE)


@on_sqlite
@of("sh", "python", "javascript")
def test_script(sample: Sample, server: RestServer, environment: dict[str, str], tmp_path: Path):
    command = {
        "sh": ["bash", "-euo", "pipefail", "-c"],
        "python": [sys.executable, "-c"],
        "javascript": ["node", "--input-type=module", "-e"],
    }[sample.language]
    text = sample.text.replace("localhost:6080", server.url.removeprefix("http://"))
    printed = run(*command, text, folder=tmp_path, environment=environment)
    assert "secret=" in printed or "rooms" not in text


@pytest.fixture(scope="module")
def npm_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the client as npm would install it."""
    folder = tmp_path_factory.mktemp("project")
    command = ["npm", "pack", "--silent", "--pack-destination", folder]
    subprocess.run(command, cwd=ROOT / "clients/typescript", check=True, capture_output=True, timeout=100)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / "node_modules", filter="data")
    (folder / "node_modules/package").rename(folder / "node_modules/tertulia-client")
    (folder / "package.json").write_text('{"type": "module"}')
    options = {"target": "ES2022", "module": "NodeNext", "strict": True, "types": ["node"]}
    options["typeRoots"] = [str(ROOT / "web/node_modules/@types")]
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts"]}))
    for number, sample in enumerate(each for each in SAMPLES if each.language == "typescript"):
        (folder / f"sample{number}.ts").write_text(sample.text)
    compiler = ROOT / "web/node_modules/typescript/bin/tsc"
    run("node", compiler, "-p", ".", folder=folder, environment=dict(os.environ))
    return folder


@on_sqlite
def test_typescript(npm_project: Path, environment: dict[str, str]):
    compiled = sorted(npm_project.glob("sample*.js"))
    assert len(compiled) >= 3
    for path in compiled:
        assert "secret=" in run("node", path, folder=npm_project, environment=environment)


@of("toml")
def test_settings(sample: Sample, tmp_path: Path):
    """Read by `tertulia settings`, with files in place of those that this machine does not have."""
    text = sample.text.replace("/etc/letsencrypt", str(tmp_path))
    for name in re.findall(r'^tls_\w+ = "(.+)"', text, re.MULTILINE):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    (tmp_path / "tertulia.toml").write_text(text)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    command = Path(sys.executable).with_name("tertulia")
    shown = json.loads(run(command, "settings", "--json", folder=tmp_path, environment=clean))
    from_file = {each["name"] for each in shown if each["source"] == "tertulia.toml"}
    assert from_file == {f"TERTULIA_{name.upper()}" for name in re.findall(r"^(\w+) = ", text, re.MULTILINE)}


@on_sqlite
@of("json")
def test_answer(sample: Sample, server: RestServer):
    """The one answer that is shown is that of /health/ready."""
    shown = json.loads(sample.text)
    assert shown.keys() == server.ask("GET", "/health/ready", base="", key=None).json().keys()


async def test_the_receiver_of_webhooks_checks_signatures(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MEDIA_KEY", MEDIA_KEY)
    monkeypatch.setenv("MEDIA_SECRET", MEDIA_SECRET)
    (sample,) = (each for each in SAMPLES if each.document == "docs/api/webhooks.md")
    made: dict[str, Any] = {}
    exec(sample.text, made)
    body = '{"event": "participant_joined", "room": {"name": "a"}}'
    async with TestClient(TestServer(made["app"])) as client:
        for secret, status in ((MEDIA_SECRET, 204), ("another-secret-0123456789-0123456789", 401)):
            token = api.AccessToken(MEDIA_KEY, secret).with_sha256(_sha256(body)).to_jwt()
            answer = await client.post("/livekit", data=body, headers={"Authorization": token})
            assert answer.status == status


def _sha256(body: str) -> str:
    return base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
