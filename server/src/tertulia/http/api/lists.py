"""Lists, whole and streamed or page by page; and the `fields` parameter, which also single things have.

Page tokens are opaque to clients, and a key of the list to us.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar
from urllib.parse import urlencode

import orjson
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from tertulia.domain.ids import LATEST, Millis
from tertulia.errors import FieldProblem, InvalidInput
from tertulia.http.kit.operations import OperationRequest
from tertulia.http.kit.responses import JsonResponse, json_array
from tertulia.http.kit.validation import Query
from tertulia.services.ports import PageKey, SortKey

MAX_PAGE_ITEMS: Final = 100
Shown = dict[str, Any]
Item = TypeVar("Item")


def digits(value: object) -> object:
    """Refuse a text that is not a number."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise PydanticCustomError("int_type", "Expected a number")
    return value


class FieldsQuery(Query):
    """Which fields are wanted."""

    fields_: str | None = Field(
        default=None, alias="fields", description="Comma-separated names of the fields to answer; empty means all."
    )


class _PageQuery(Query):
    maxItems: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_PAGE_ITEMS)] | None = Field(
        default=None, description="How many items to answer at most."
    )
    nextPageToken: str | None = Field(
        default=None, description="Where to go on: the X-Next-Page-Token of the answer before."
    )


class ListQuery(FieldsQuery, _PageQuery):
    """What of a list is wanted; without `maxItems` it comes whole."""


class SearchQuery(Query):
    """What of a list that is searched and sorted is wanted: always a page."""

    search: str = Field(
        default="", max_length=200, pattern=r"^[^\x00]*$", description="A part of a name, whatever its case."
    )
    order: Literal["asc", "desc"] = Field(default="desc", description="In which direction the list is sorted.")
    maxItems: Annotated[int, BeforeValidator(digits), Field(ge=1, le=MAX_PAGE_ITEMS)] = Field(
        default=50, description="How many items to answer at most."
    )
    nextPageToken: str | None = Field(
        default=None, description="Where to go on: the X-Next-Page-Token of the answer before."
    )

    def after(self, sort: str) -> SortKey | None:
        """Read where the page starts. Raises InvalidInput for a token of another list, or of another order."""
        if self.nextPageToken is None:
            return None
        refusal = InvalidInput("query", [FieldProblem("nextPageToken", "is no token of this list")])
        try:
            text = base64.b64decode(self.nextPageToken, altchars=b"-_", validate=True)
            of, value, row_id = orjson.loads(text)
        except (ValueError, TypeError, binascii.Error) as error:
            raise refusal from error
        kinds = (str,) if sort == "name" else (int, float)
        fits = type(value) in kinds and isinstance(row_id, str) and not {"\0"} & {*row_id, *str(value)}
        if of != sort or not fits or (isinstance(value, int) and abs(value) > LATEST * 1000):
            raise refusal
        return SortKey(value, row_id)


def search_response(
    request: OperationRequest, items: Sequence[Item], *, sort: str, show: Callable[[Item], Shown],
    key: Callable[[Item], SortKey],
) -> Response:  # fmt: skip
    """Answer with a page of a SearchQuery, of which one item too many was read, and where the next page is."""
    limit = request.query_as(SearchQuery).maxItems
    headers = {}
    if len(items) > limit:
        last = key(items[limit - 1])
        token = base64.urlsafe_b64encode(orjson.dumps([sort, last.value, last.id])).decode()
        headers = {"x-next-page-token": token}
    return JsonResponse([show(item) for item in items[:limit]], headers=headers)


def parse_fields(text: str | None) -> Callable[[Shown], Shown]:
    """Make a function that keeps the wanted names; empty (or only commas) means all, unknown names are ignored."""
    wanted = {name.strip() for name in (text or "").split(",")} - {""}
    if not wanted:
        return lambda shown: shown
    return lambda shown: {name: value for name, value in shown.items() if name in wanted}


def page_token(key: PageKey) -> str:
    """Make the token of the page after an item."""
    return base64.urlsafe_b64encode(f"{key.created_at_ms}:{key.id}".encode()).decode().rstrip("=")


def parse_page_token(token: str | None) -> PageKey | None:
    """Read a page token. Raises InvalidInput for one that we did not make."""
    if token is None:
        return None
    refusal = InvalidInput("query", [FieldProblem("nextPageToken", "is no token of this list")])
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        created, _, row_id = text.partition(":")
        key = PageKey(Millis(int(created)), row_id)
    except (ValueError, binascii.Error) as error:
        raise refusal from error
    well_formed = row_id.isascii() and row_id.isprintable() and 0 <= key.created_at_ms <= LATEST
    if not well_formed or page_token(key) != token:
        raise refusal
    return key


async def list_response(
    request: OperationRequest,
    *,
    everything: Callable[[], AsyncIterator[Sequence[Item]]],
    page: Callable[[int, PageKey | None], Awaitable[Sequence[Item]]],
    show: Callable[[Item], Shown],
    key: Callable[[Item], PageKey],
) -> Response:
    """Answer with a list as its ListQuery wants it: all of it, or a page and where the next one is."""
    query = request.query_as(ListQuery)
    pick = parse_fields(query.fields_)
    after = parse_page_token(query.nextPageToken)
    if query.maxItems is None and after is None:
        return json_array([pick(show(item)) for item in items] async for items in everything())
    limit = query.maxItems or MAX_PAGE_ITEMS
    items = await page(limit + 1, after)
    headers = {}
    if len(items) > limit:
        token = page_token(key(items[limit - 1]))
        parameters = {"maxItems": limit} | ({"fields": query.fields_} if query.fields_ else {})
        link = urlencode(parameters | {"nextPageToken": token})
        headers = {"x-next-page-token": token, "link": f'<{request.scope["path"]}?{link}>; rel="next"'}
    return JsonResponse([pick(show(item)) for item in items[:limit]], headers=headers)
