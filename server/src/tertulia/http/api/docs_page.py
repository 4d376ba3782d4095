"""The page at `…/docs`, which shows a base path's document."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from tertulia.http.kit.openapi import Json
from tertulia.http.kit.reader import READER_POLICY, reader_page


def docs_page(document: Json) -> Response:
    """Make the page, once: it is the same for every request."""
    headers = {"cache-control": "no-cache", "content-security-policy": READER_POLICY}
    return HTMLResponse(reader_page(document), headers=headers)
