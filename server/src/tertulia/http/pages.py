"""The web bundle: the meeting's page and its files.

Files with a hash in their name are kept for ever, pages are asked for again. Everything is read once, at start; what
was compressed when the bundle was built is sent as it is.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tertulia.http.kit.asgi import Header, Scope, header
from tertulia.http.kit.errors import unknown_path
from tertulia.http.kit.replies import Reply

_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_MEETING: Final = re.compile(r"/meet/[^/]+/?\Z")
_FOR_EVER: Final = b"public, max-age=31536000, immutable"
_ASK_AGAIN: Final = b"no-cache"
_REFERENCE: Final = "reference.html"
# data: is for the style sheet's icons; "try it" calls our own API, and nothing else is reached
_REFERENCE_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    b"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_NOT_BUILT: Final = "<!doctype html><title>Tertulia</title><p>The page is not built: run <code>make build</code>."


@dataclass(frozen=True, slots=True)
class _File:
    headers: tuple[Header, ...]
    etag: str
    bodies: Mapping[str, bytes]


def content_security_policy(
    *, media_url: str, embed_origins: tuple[str, ...], recordings_origin: str | None = None
) -> str:
    """Allow our own files, the media server, and who may embed us; nothing inline, nothing else.

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
        f"frame-ancestors {' '.join(embed_origins)}",
        "base-uri 'none'",
        "form-action 'self'",
    ))  # fmt: skip


def reference_page(folder: Path) -> Reply:
    """Return the page that shows a base path's document, which it finds beside itself (`openapi.json`).

    It is stricter than a meeting's page: no other site may frame it, and it reaches nothing but our own server.
    """
    file = folder / _REFERENCE
    return Reply(
        HTTPStatus.OK,
        file.read_bytes() if file.is_file() else _NOT_BUILT.encode(),
        [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"cache-control", _ASK_AGAIN),
            (b"content-security-policy", _REFERENCE_POLICY),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
        ],
    )


class Pages:
    """Serves the bundle in a folder. Without one, a page says how it is built."""

    def __init__(self, folder: Path, *, policy: str) -> None:
        self._security: tuple[Header, ...] = (
            (b"content-security-policy", policy.encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"x-content-type-options", b"nosniff"),
            (b"permissions-policy", b"camera=*, microphone=*, display-capture=*, geolocation=(), payment=(), usb=()"),
        )
        self._files = {
            f"/{path.relative_to(folder).as_posix()}": self._load(path, folder)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix not in {".br", ".gz"} and path.name != _REFERENCE
        }
        if "/index.html" not in self._files:
            self._files["/index.html"] = self._file(_NOT_BUILT.encode(), "text/html", _ASK_AGAIN, {})

    def _load(self, path: Path, folder: Path) -> _File:
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        compressed = {
            encoding: Path(f"{path}{suffix}").read_bytes()
            for encoding, suffix in _ENCODINGS
            if Path(f"{path}{suffix}").is_file()
        }
        hashed = path.relative_to(folder).parts[0] == "assets"
        return self._file(path.read_bytes(), kind, _FOR_EVER if hashed else _ASK_AGAIN, compressed)

    def _file(self, body: bytes, kind: str, caching: bytes, compressed: Mapping[str, bytes]) -> _File:
        text = kind.startswith("text/") or kind in {"application/javascript", "application/json"}
        etag = f'"{sha256(body).hexdigest()[:24]}"'
        headers = (
            (b"content-type", f"{kind}; charset=utf-8".encode() if text else kind.encode()),
            (b"cache-control", caching),
            (b"etag", etag.encode()),
            (b"vary", b"accept-encoding"),
            *self._security,
        )
        return _File(headers, etag, {"": body, **compressed})

    def answer(self, scope: Scope) -> Reply:
        """Answer a request for a page or a file. Raises HttpError (404) when there is none."""
        path = scope["path"]
        if path == "/" or _MEETING.match(path):
            path = "/index.html"
        file = self._files.get(path)
        if file is None or scope["method"] not in {"GET", "HEAD"}:
            raise unknown_path()
        if header(scope, b"if-none-match") == file.etag:
            return Reply(304, b"", list(file.headers))
        accepted = {
            part.partition(";")[0].strip()
            for part in (header(scope, b"accept-encoding") or "").split(",")
            if not part.replace(" ", "").endswith(";q=0")
        }
        for encoding, _suffix in _ENCODINGS:
            if encoding in accepted and encoding in file.bodies:
                return Reply(200, file.bodies[encoding], [*file.headers, (b"content-encoding", encoding.encode())])
        return Reply(200, file.bodies[""], list(file.headers))
