"""The page that shows a base path's document, beside it at `…/docs`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import HTMLResponse, Response

from tertulia.http.kit.api import REVALIDATE

REFERENCE: Final = "reference.html"
"""The page's file in the web bundle."""
# data: is for the style sheet's icons; "try it" calls our own API, and nothing else is reached
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_NOT_BUILT: Final = "<!doctype html><title>Tertulia</title><p>The page is not built: run <code>make build</code>."


def docs_page(bundle: Path) -> Response:
    """Return the page that shows a base path's document, which it finds beside itself (`openapi.json`).

    It is stricter than a meeting's page: no other site may frame it, and it reaches nothing but our own server.
    """
    file = bundle / REFERENCE
    headers = REVALIDATE | {
        "content-security-policy": _POLICY,
        "referrer-policy": "no-referrer",
    }
    return HTMLResponse(file.read_bytes() if file.is_file() else _NOT_BUILT, headers=headers)
