"""Our documents against the given ones, and the server against the given ones (schemathesis)."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from support.rest import API_KEY, INTERNAL, PUBLIC, RestServer

from .given_documents import OVERLAY, overlaid
from .given_documents import given as given_document

ROOT = Path(__file__).resolve().parents[2]
REST = ROOT / "docs" / "api" / "rest.md"
CONSOLE = ROOT / "docs" / "api" / "console.md"
DOCUMENTS = {PUBLIC: "openvidu-meet-api.yaml", INTERNAL: "openvidu-meet-internal-api.yaml"}


@pytest.fixture(scope="module", params=[PUBLIC, INTERNAL])
def both(request: pytest.FixtureRequest, server: RestServer) -> tuple[str, dict[str, Any], dict[str, Any]]:
    ours = server.ask("GET", "/openapi.json", base=request.param, key=None)
    assert ours.headers["content-type"] == "application/json"
    return request.param, given_document(DOCUMENTS[request.param]), ours.json()


def test_same_operations(both):
    """Rule: each document holds on its own base path. The public document governs `/meet/api/v1`, the internal one
    `/meet/internal-api/v1`. (issue 4) same paths, parameters, schemas, statuses; ours may only add."""
    _base, theirs, ours = both
    for path, methods in theirs["paths"].items():
        for method, operation in methods.items():
            mine = ours["paths"][path][method]
            assert mine["operationId"] == operation["operationId"]
            assert set(operation["responses"]) <= set(mine["responses"]), (path, method)
            wanted = {(p["name"], p["in"], p["required"]) for p in operation.get("parameters", ())}
            assert wanted <= {(p["name"], p["in"], p["required"]) for p in mine["parameters"]}, (path, method)
            assert ("requestBody" in operation) == ("requestBody" in mine)
            schemes = {name for one in operation.get("security", ()) for name in one}
            if path not in {
                "/participants/token",
                "/participants/token/refresh",
            }:  # decisions.md: the secret authorises
                assert schemes <= {name for one in mine.get("security", ()) for name in one}, (path, method)
            for status, answer in operation["responses"].items():
                assert set(answer.get("content", ())) <= set(mine["responses"][status].get("content", ()))
                headers = set(answer.get("headers", ())) - {"Content-Length", "Accept-Ranges"}
                assert headers <= set(mine["responses"][status].get("headers", ())), (path, method, status)


def test_additions_say_so(both):
    """(issue 4) small additions …, documented as additions on both documents; and in the quickstart."""
    base, theirs, ours = both
    added = set()
    for path, methods in ours["paths"].items():
        for method, operation in methods.items():
            is_addition = method not in theirs["paths"].get(path, {})
            assert operation.get("description", "").startswith("An addition") == is_addition, (method, path)
            added |= {path} if is_addition else set()
    told = REST.read_text() + CONSOLE.read_text()
    known = set(given_document(DOCUMENTS[PUBLIC])["paths"]) if base == INTERNAL else set()
    assert [path for path in added - known if path not in told and not path.startswith("/auth/")] == []


def test_same_fields(both):
    """(issue 4) same … schemas: every field of every schema of theirs is in ours, with a type that fits."""
    _base, theirs, ours = both
    same_name = {"Error": "Problem", "MeetRecordingBase": "MeetRecording", "MeetRecordingStart": "MeetRecording"}
    for name, schema in theirs["components"]["schemas"].items():
        mine = ours["components"]["schemas"].get(same_name.get(name, name))
        if mine is None:
            continue  # RoomPreferences' parts are ours by another path; see below
        for field, wanted in _fields(schema, theirs).items():
            assert field in mine["properties"], (name, field)
            if "type" in wanted:
                assert _type(mine["properties"][field], ours) in _fitting(wanted["type"]), (name, field)
        assert set(mine.get("required", ())) <= set(schema.get("required", ())) | {"message"}


def _fields(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _fields(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        found |= _fields(part, document)
    return found


def _type(schema: dict[str, Any], document: dict[str, Any]) -> str:
    ref = schema.get("$ref") or next((part.get("$ref") for part in schema.get("allOf", ())), None)
    if ref is not None:
        return _type(document["components"]["schemas"][ref.rpartition("/")[2]], document)
    return str(schema["type"])


def _fitting(kind: str) -> set[str]:
    return {"number", "integer"} if kind == "number" else {kind}


def test_our_document_is_valid(both):
    """each serves its own document at `…/openapi.json`: one that tools can read."""
    _base, _theirs, ours = both
    schema = schemathesis.openapi.from_dict(ours)
    assert all(result.ok() for result in schema.get_all_operations())


class _Links(HTMLParser):
    """The addresses that a page loads or leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: set[str] = set()
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.addresses |= {named[name] or "" for name in ("src", "href") if name in named}
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in named) else []


@pytest.mark.parametrize("base", [PUBLIC, INTERNAL])
def test_reference(server: RestServer, base):
    """… and a reader at `…/docs`, without any file from a CDN: everything it loads is ours, and nothing is inline.

    What it shows and does is in tests/e2e/test_reference.py."""
    page = server.ask("GET", "/docs", base=base, key=None)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    links = _Links(page.text)
    assert links.inline == []
    assert "openapi.json" in links.addresses
    assets = links.addresses - {"openapi.json"}
    assert len(assets) >= 3
    for address in assets:
        assert address.startswith("/assets/"), address
        assert server.ask("GET", address, base="", key=None).status_code == 200
    assert server.ask("HEAD", "/docs", base=base, key=None).headers["content-length"] == str(len(page.content))
    refused = server.ask("POST", "/docs", base=base, key=None)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_reference_has_no_other_address(server: RestServer):
    """The bundle's file is the page of a base path, and of nothing else."""
    assert server.ask("GET", "/reference.html", base="", key=None).status_code == 404


def test_the_pages_types_are_of_the_served_document(server: RestServer):
    """The page's types are checked against a document that is made without a server: it is the one that is served."""
    made = "import json; from tools.checks.api_types import internal_document; print(json.dumps(internal_document()))"
    without_server = subprocess.run([sys.executable, "-c", made], cwd=ROOT, capture_output=True, check=True).stdout
    served = server.ask("GET", "/openapi.json", base=INTERNAL, key=None).json()
    assert json.loads(without_server) | {"servers": None} == served | {"servers": None}


def test_overlay_lines_name_their_sentence():
    """one small overlay in the tests, each line naming its sentence."""
    assert all(sentence for sentence, _status, _concerns in OVERLAY)


# ── the server against the given documents ──

_OPERATIONS = [
    pytest.param(base, path, method, id=f"{base[6:]} {method} {path}")
    for base, name in DOCUMENTS.items()
    for path, methods in given_document(name)["paths"].items()
    for method in methods
]
_SCHEMAS = {base: schemathesis.openapi.from_dict(overlaid(name)) for base, name in DOCUMENTS.items()}


@pytest.fixture(scope="module")
def internal_bearers(server: RestServer) -> dict[str, str]:
    room = server.create_room()
    return {"admin": server.log_in()["accessToken"], "participant": server.token(room, "Mona")}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("base", "path", "method"), _OPERATIONS)
def test_given_document(server: RestServer, internal_bearers, base, path, method, mode):
    """(issue 4) schemathesis with the two given documents: no server error, status codes, content types, response
    schemas and headers conform, negative data rejected, authentication not ignored. What follows fills what the
    documents leave silent, and narrows them in few places. What a document clearly allows otherwise works as written
    there."""
    operation = _SCHEMAS[base][path][method.upper()]
    who = "participant" if path.startswith("/participants") else "admin"
    headers = {"X-API-KEY": API_KEY} if base == PUBLIC else {"Authorization": f"Bearer {internal_bearers[who]}"}
    # without a body, the given documents ask for nothing but texts: nothing that can be sent is against them
    nothing_wrong = "requestBody" not in given_document(DOCUMENTS[base])["paths"][path][method]
    # decisions: a past date may be refused though it is valid by schema
    excluded = [positive_data_acceptance] + ([negative_data_rejection] if nothing_wrong else [])
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    @settings(
        max_examples=12, deadline=None, derandomize=True, database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case) -> None:
        case.call_and_validate(
            base_url=f"{server.url}{base}", session=session, headers=headers, timeout=60,
            excluded_checks=excluded,
        )  # fmt: skip

    run()
