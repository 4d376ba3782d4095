"""The web bundle's files: their encodings, and what has not changed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from support.asgi import http_scope, response_of
from tertulia.http.pages import Pages, content_security_policy


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    for folder in ("assets", "meet/v1"):
        (tmp_path / folder).mkdir(parents=True)
    for name, content in {
        "index.html": b"<title>x</title>", "index.html.br": b"br", "console.html": b"<title>c</title>",
        "assets/a.js": b"script", "assets/a.js.gz": b"gzip", "logo.svg": b"<svg/>",
        "meet/v1/tertulia-meet.js": b"element",
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    return Pages(tmp_path, policy="default-src 'none'", embed_origins=("https://a.example",))


@pytest.mark.parametrize(
    ("path", "accepted", "encoding", "body"),
    [
        ("/", "", None, b"<title>c</title>"),
        ("/meet/a", "", None, b"<title>x</title>"),
        ("/meet/a", "gzip, br", "br", b"br"),
        ("/meet/a/", "br;q=0", None, b"<title>x</title>"),
        ("/assets/a.js", "gzip;q=0.5, br", "gzip", b"gzip"),
        ("/logo.svg", "gzip, br", None, b"<svg/>"),
    ],
)
async def test_file(pages: Pages, path, accepted, encoding, body):
    status, headers, got = await response_of(pages.files, http_scope(path, headers={"accept-encoding": accepted}))
    assert (status, got, headers.get("content-encoding")) == (200, body, encoding)
    assert headers["content-length"] == str(len(body))
    assert headers["cache-control"] == ("public, max-age=31536000, immutable" if "assets" in path else "no-cache")
    assert headers["vary"] == "accept-encoding"
    assert headers["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize("path", ["/", "/console.html"])
async def test_console_is_in_no_frame(tmp_path: Path, path):
    """Meetings may be embedded, the console never."""
    policy = content_security_policy(media_url="wss://m.example", embed_origins=("*",))
    served = Pages(tmp_path, policy=policy).files
    _status, headers, _body = await response_of(served, http_scope(path))
    assert "frame-ancestors 'none';" in headers["content-security-policy"]
    assert "script-src 'self';" in headers["content-security-policy"]
    assert "camera=()" in headers["permissions-policy"]
    _status, meeting, _body = await response_of(served, http_scope("/meet/a"))
    assert "frame-ancestors *;" in meeting["content-security-policy"]


async def test_not_modified(pages: Pages):
    """RFC 9110, section 15.4.5: a 304 says nothing of a length, or says the file's own."""
    _status, first, _body = await response_of(pages.files, http_scope("/"))
    status, headers, body = await response_of(pages.files, http_scope("/", headers={"if-none-match": first["etag"]}))
    assert (status, body, headers["etag"]) == (304, b"", first["etag"])
    assert "content-length" not in headers


async def test_what_other_sites_load(pages: Pages):
    """Scripts of other origins, modules too; the address stays, so it is asked for again."""
    status, headers, body = await response_of(pages.files, http_scope("/meet/v1/tertulia-meet.js"))
    assert (status, body) == (200, b"element")
    assert headers["access-control-allow-origin"] == "*"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["cache-control"] == "no-cache"
    again = {"if-none-match": headers["etag"]}
    status, headers, _body = await response_of(pages.files, http_scope("/meet/v1/tertulia-meet.js", headers=again))
    assert (status, headers["access-control-allow-origin"]) == (304, "*")
    assert "access-control-allow-origin" not in (await response_of(pages.files, http_scope("/meet/a")))[1]


async def test_who_may_embed(pages: Pages):
    status, headers, body = await response_of(pages.files, http_scope("/meet/v1/origins.json"))
    assert (status, json.loads(body)) == (200, {"origins": ["https://a.example"]})
    assert headers["cache-control"] == "no-cache"
    assert "access-control-allow-origin" not in headers


async def test_v1_is_no_room(pages: Pages):
    assert [(await response_of(pages.files, http_scope(path)))[0] for path in ("/meet/v1", "/meet/v1/")] == [404, 404]
    assert (await response_of(pages.files, http_scope("/meet/v1/recording")))[2] == b"<title>x</title>"
    assert (await response_of(pages.files, http_scope("/meet/v1x/")))[2] == b"<title>x</title>"


@pytest.mark.parametrize("path", ["/index.html.br", "/assets", "/assets/", "/../secret", "/nothing"])
async def test_no_file(pages: Pages, path):
    assert (await response_of(pages.files, http_scope(path)))[0] == 404


async def test_bundle_that_is_not_built(tmp_path: Path):
    status, _headers, body = await response_of(Pages(tmp_path, policy="x").files, http_scope("/"))
    assert status == 200
    assert b"make build" in body


@pytest.mark.parametrize(("url", "origin"), [("wss://m.example:1", "wss://m.example:1"), ("http://m", "ws://m")])
def test_policy(url, origin):
    policy = content_security_policy(media_url=url, embed_origins=("https://a", "https://b"))
    assert f" {origin} " in policy
    assert "frame-ancestors https://a https://b;" in policy


async def test_file_that_is_there_only_compressed(tmp_path: Path):
    """Megabytes of WebAssembly are in the package once; a proxy may take away what a browser accepts."""
    folder = tmp_path / "assets/wasm/vision-1"
    folder.mkdir(parents=True)
    (folder / "a.wasm.gz").write_bytes(gzip.compress(b"wasm"))
    (folder / "a.tflite").write_bytes(b"model")
    pages = Pages(tmp_path, policy="script-src 'self'; connect-src 'self'")
    path = "/assets/wasm/vision-1/a.wasm"
    for accepted, encoding in (("gzip, br", "gzip"), ("", None), ("identity", None)):
        request = http_scope(path, headers={"accept-encoding": accepted})
        status, headers, body = await response_of(pages.files, request)
        assert (status, headers.get("content-encoding")) == (200, encoding)
        assert (gzip.decompress(body) if encoding else body) == b"wasm"
        assert headers["content-type"] == "application/wasm"
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["content-length"] == str(len(body))
    assert (await response_of(pages.files, http_scope(f"{path}.gz")))[0] == 404
    _status, headers, _body = await response_of(pages.files, http_scope("/assets/wasm/vision-1/a.tflite"))
    assert headers["content-type"] == "application/octet-stream"


async def test_only_workers_may_compile_webassembly(tmp_path: Path):
    for name in ("index.html", "assets/page.js", "assets/wasm/worker.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    pages = Pages(tmp_path, policy="script-src 'self'; connect-src 'self'")
    policies = {
        path: (await response_of(pages.files, http_scope(path)))[1]["content-security-policy"]
        for path in ("/", "/assets/page.js", "/assets/wasm/worker.js")
    }
    assert policies["/"] == policies["/assets/page.js"] == "script-src 'self'; connect-src 'self'"
    assert policies["/assets/wasm/worker.js"] == "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"


async def test_documentation(tmp_path: Path):
    """It loads nothing from elsewhere, runs nothing inline, and no other page frames it."""
    (tmp_path / "api").mkdir()
    (tmp_path / "index.html.gz").write_bytes(gzip.compress(b"<title>docs</title>"))
    (tmp_path / "api/rest.html").write_bytes(b"rest")
    served = Pages(tmp_path / "none", policy="default-src 'none'", docs=tmp_path)
    for path, body in {"/docs/": b"<title>docs</title>", "/docs/api/rest.html": b"rest"}.items():
        status, headers, got = await response_of(served.files, http_scope(path))
        assert (status, got, headers["cache-control"]) == (200, body, "no-cache")
        assert "script-src 'self';" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    (redirect,) = (route for route in served.routes() if route.path == "/docs")
    status, headers, _body = await response_of(redirect.app, http_scope("/docs"))
    assert (status, headers["location"]) == (308, "/docs/")


async def test_documentation_that_is_not_built(tmp_path: Path):
    status, _headers, body = await response_of(Pages(tmp_path, policy="").files, http_scope("/docs/"))
    assert status == 200
    assert b"not built" in body
