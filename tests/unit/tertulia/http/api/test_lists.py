"""Fields and page tokens, for any input; lists, whole and by page."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from support.asgi import http_scope, response_of
from tertulia.domain.ids import LATEST, Millis
from tertulia.errors import InvalidInput
from tertulia.http.api.lists import ListQuery, list_response, page_token, parse_fields, parse_page_token
from tertulia.http.kit.operations import OperationRequest
from tertulia.http.kit.validation import parse_query
from tertulia.services.ports import PageKey

NAMES = [f"room-{number}" for number in range(5)]


@given(st.lists(st.sampled_from(["a", "b", "c", "zz", "", " ", " a "])))
def test_fields(names: list[str]):
    answer = {"a": 1, "b": 2, "c": 3}
    wanted = {name.strip() for name in names} - {""}
    kept = parse_fields(",".join(names))(answer)
    assert kept == ({name: answer[name] for name in answer if name in wanted} if wanted else answer)


@given(st.integers(0, LATEST), st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True))
def test_page_tokens_come_back(created: int, row_id: str):
    key = PageKey(Millis(created), row_id)
    assert parse_page_token(page_token(key)) == key


@given(st.text(max_size=60))
def test_any_page_token_is_read_or_refused(text: str):
    try:
        key = parse_page_token(text)
    except InvalidInput:
        return
    assert key is not None
    assert page_token(key) == text


async def answered(query: str) -> Response:
    """What a list of five things answers."""
    request = OperationRequest(http_scope("/things", query=query))
    request.query = parse_query(ListQuery, request)

    async def everything() -> AsyncIterator[list[str]]:
        for start in (0, 2, 4):
            yield NAMES[start : start + 2]

    async def page(limit: int, after: PageKey | None) -> list[str]:
        start = NAMES.index(after.id) + 1 if after is not None else 0
        return NAMES[start : start + limit]

    return await list_response(
        request, everything=everything, page=page,
        show=lambda name: {"name": name, "length": len(name)}, key=lambda name: PageKey(Millis(1), name),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "first"), [("", {"name": "room-0", "length": 6}), ("fields=name", {"name": "room-0"})]
)
async def test_whole_list(query, first):
    status, headers, body = await response_of(await answered(query))
    assert (status, headers["content-type"], "link" in headers) == (200, "application/json", False)
    assert [one["name"] for one in json.loads(body)] == NAMES
    assert json.loads(body)[0] == first


async def test_pages_lead_to_one_another():
    seen, query = [], "maxItems=2&fields=name"
    while query:
        _status, headers, body = await response_of(await answered(query))
        seen += [one["name"] for one in json.loads(body)]
        link = headers.get("link", "")
        assert ("x-next-page-token" in headers) == bool(link)
        query = link.partition("?")[2].partition(">")[0]
    assert seen == NAMES
