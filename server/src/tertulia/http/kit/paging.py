"""Page tokens: opaque to clients, a key of the list to us."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from tertulia.domain.ids import LATEST, Millis
from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.asgi import Header, Scope
from tertulia.http.kit.replies import Reply, json_reply
from tertulia.services.ports import PageKey


def page_token(key: PageKey) -> str:
    """Make the token of the page after a row."""
    return base64.urlsafe_b64encode(f"{key.created_at_ms}:{key.id}".encode()).decode().rstrip("=")


def parse_page_token(token: str | None) -> PageKey | None:
    """Read a page token. Raises InvalidInput for one that we did not make."""
    if token is None:
        return None
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        created, _, row_id = text.partition(":")
        key = PageKey(Millis(int(created)), row_id)
    except (ValueError, binascii.Error) as error:
        raise _no_token() from error
    well_formed = row_id.isascii() and row_id.isprintable() and 0 <= key.created_at_ms <= LATEST
    if not well_formed or page_token(key) != token:
        raise _no_token()
    return key


def _no_token() -> InvalidInput:
    return InvalidInput("query", [FieldProblem("nextPageToken", "is no token of this list")])


def listed(scope: Scope, items: Sequence[Any], following: PageKey | None, limit: int, fields: str | None) -> Reply:
    """Answer one page; when more follows, say where."""
    headers: list[Header] = []
    if following is not None:
        token = page_token(following)
        parameters = {"maxItems": limit} | ({"fields": fields} if fields else {}) | {"nextPageToken": token}
        link = f'<{scope["path"]}?{urlencode(parameters)}>; rel="next"'
        headers = [(b"x-next-page-token", token.encode()), (b"link", link.encode())]
    return json_reply(items, headers=headers)
