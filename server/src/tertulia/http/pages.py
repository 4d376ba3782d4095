"""The web bundle: the meeting's page, the console, and their files; and the documentation at /docs.

Files with a hash or a version in their path are kept for ever, pages are asked for again. Everything is read once, at
start; what was compressed when the bundle was built is sent as it is. Large files are there only compressed.
"""

from __future__ import annotations

import gzip
import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.http.kit.errors import Endpoint, unknown_path

_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_EMBEDDING: Final = "/meet/v1/"
"""Files for other sites' pages. Their addresses stay, so they are asked for again; no room is called v1."""
_MEETING: Final = re.compile(r"/meet/(?!v1/?\Z)[^/]+/?\Z|/meet/v1/recording\Z")
_WASM: Final = "/assets/wasm/"
"""Scripts of workers, and what they load: they alone may compile WebAssembly."""
_KINDS: Final = {".wasm": "application/wasm", ".tflite": "application/octet-stream"}
"""What not every system's table of types has. A browser compiles WebAssembly while it loads only if it is called so."""
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "no-cache"
_FOR_ALL_SITES: Final = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_CONSOLE: Final = "/console.html"
_DOCS: Final = "/docs/"
_DOCS_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""data: is for the icons of its style sheet; the search is a worker that reads its index."""
_FRAME_ANCESTORS: Final = re.compile(r"frame-ancestors [^;]*")
_SERVED_ELSEWHERE: Final = frozenset({"reference.html"})
"""Files of the bundle that are served elsewhere: the API reference stands beside each API's document."""


@dataclass(frozen=True, slots=True)
class _File:
    etag: str
    not_modified: Response
    by_encoding: dict[str, Response]
    headers: Mapping[str, str]

    def answer(self, accepted: frozenset[str]) -> Response:
        for name, _ in _ENCODINGS:
            if name in accepted and name in self.by_encoding:
                return self.by_encoding[name]
        if "" not in self.by_encoding:
            # a proxy that takes the header away: every browser that could use such a file accepts gzip
            body = gzip.decompress(self.by_encoding["gzip"].body)
            self.by_encoding[""] = Response(body, 200, dict(self.headers))
        return self.by_encoding[""]


def content_security_policy(
    *, media_url: str, embed_origins: tuple[str, ...], recordings_origin: str | None = None
) -> str:
    """Allow our own files, the media server, and who may embed us; nothing inline, nothing else.

    No WebAssembly either: a worker has the policy of its own script, and `Pages` allows it there.

    `recordings_origin`: where players are sent for recordings, unless it is our own.
    """
    media = urlsplit(media_url)
    secure = media.scheme in {"wss", "https"}
    connect = f"{'wss' if secure else 'ws'}://{media.netloc} {'https' if secure else 'http'}://{media.netloc}"
    return "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        " ".join(("media-src 'self' blob:", *filter(None, [recordings_origin]))),
        "font-src 'self'",
        "worker-src 'self' blob:",
        "manifest-src 'self'",
        f"connect-src 'self' {connect}",
        " ".join(("frame-ancestors", *(embed_origins or ["'none'"]))),
        "base-uri 'none'",
        "form-action 'self'",
    ))  # fmt: skip


def _names(folder: Path) -> list[str]:
    """List the files below a folder, without the endings of compressed ones."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted({name.removesuffix(".br").removesuffix(".gz") for name in files})


async def _to_docs(_request: Request) -> Response:
    return Response(None, 308, {"location": _DOCS, "cache-control": _REVALIDATE})


class Pages:
    """Serves the bundle in a folder. Without one, a page says how it is built.

    Starlette's StaticFiles knows neither files that were compressed when they were built nor a tag that is the same on
    every machine, and reads the disk at every request.
    """

    def __init__(
        self, folder: Path, *, policy: str, embed_origins: tuple[str, ...] = (), docs: Path | None = None
    ) -> None:
        self._security = {
            "content-security-policy": policy,
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=*, microphone=*, display-capture=*, geolocation=(), payment=(), usb=()",
        }
        # who administers is never shown inside another page, wherever meetings may be
        self._console_security = self._security | {
            "content-security-policy": _FRAME_ANCESTORS.sub("frame-ancestors 'none'", policy),
            "permissions-policy": "camera=(), microphone=(), display-capture=(), geolocation=(), payment=(), usb=()",
        }
        self._docs_security = self._console_security | {"content-security-policy": _DOCS_POLICY}
        wasm_policy = policy.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
        self._wasm_security = self._security | {"content-security-policy": wasm_policy}
        self._files = {
            f"/{name}": self._load(folder, name) for name in _names(folder) if Path(name).name not in _SERVED_ELSEWHERE
        }
        if docs is not None:
            self._files |= {f"{_DOCS}{name}": self._load(docs, name, at=_DOCS) for name in _names(docs)}
        missing = b"<!doctype html><title>Tertulia</title><p>The page is not built: run <code>make build</code>."
        for path in ("/index.html", _CONSOLE, f"{_DOCS}index.html"):
            if path not in self._files:
                self._files[path] = self._file({"": missing}, "text/html", _REVALIDATE, self._security_of(path))
        origins, path = json.dumps({"origins": embed_origins}).encode(), f"{_EMBEDDING}origins.json"
        self._files[path] = self._file({"": origins}, "application/json", _REVALIDATE, self._security_of(path))
        self.files = Endpoint(Request, self._respond)

    def routes(self) -> list[Route]:
        """List the pages' routes; `files` serves all other paths."""
        docs = Route(_DOCS.rstrip("/"), Endpoint(Request, _to_docs))
        return [docs, *(Route(path, self.files) for path in ("/", "/meet/{roomName}", "/meet/{roomName}/"))]

    def _load(self, folder: Path, name: str, *, at: str = "/") -> _File:
        path = folder / name
        kind = _KINDS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        bodies = {
            encoding: Path(f"{path}{suffix}").read_bytes()
            for encoding, suffix in (("", ""), *_ENCODINGS)
            if Path(f"{path}{suffix}").is_file()
        }
        caching = _IMMUTABLE if name.startswith("assets/") and at == "/" else _REVALIDATE
        return self._file(bodies, kind, caching, self._security_of(f"{at}{name}"))

    def _security_of(self, path: str) -> Mapping[str, str]:
        if path == _CONSOLE:
            return self._console_security
        if path.startswith(_DOCS):
            return self._docs_security
        if path.startswith(_WASM):
            return self._wasm_security
        is_for_all = path.startswith(_EMBEDDING) and not path.endswith(".json")
        return self._security | (_FOR_ALL_SITES if is_for_all else {})

    def _file(self, bodies: Mapping[str, bytes], kind: str, caching: str, security: Mapping[str, str]) -> _File:
        text = kind.startswith("text/") or kind in {"application/javascript", "application/json"}
        etag = f'"{sha256(next(iter(bodies.values()))).hexdigest()[:24]}"'
        headers = {
            "content-type": f"{kind}; charset=utf-8" if text else kind,
            "cache-control": caching,
            "etag": etag,
            "vary": "accept-encoding",
            **security,
        }
        by_encoding = {
            name: Response(data, 200, headers | ({"content-encoding": name} if name else {}))
            for name, data in bodies.items()
        }
        return _File(etag, Response(None, 304, headers), by_encoding, headers)

    async def _respond(self, request: Request) -> Response:
        path = request.scope["path"]
        if path == "/":
            path = _CONSOLE
        elif path == _DOCS:
            path = f"{_DOCS}index.html"
        elif _MEETING.match(path):
            path = "/index.html"
        file = self._files.get(path)
        if file is None or request.method not in {"GET", "HEAD"}:
            raise unknown_path()
        if request.headers.get("if-none-match") == file.etag:
            return file.not_modified
        accepted = frozenset(
            part.partition(";")[0].strip()
            for part in request.headers.get("accept-encoding", "").split(",")
            if not part.replace(" ", "").endswith(";q=0")
        )
        return file.answer(accepted)
