"""Reading what a request says."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from starlette.requests import Request

from support.asgi import http_scope
from tertulia.errors import InvalidInput
from tertulia.http.kit.errors import HttpError, error_response
from tertulia.http.kit.validation import (
    Body,
    NotNull,
    Query,
    WholeNumber,
    check_content_type,
    named_values,
    parse_body,
    parse_query,
    query_values,
)


class Thing(Body):
    """A body."""

    number: WholeNumber
    text: Annotated[str | None, NotNull] = None


class Wanted(Query):
    """A query."""

    name: str | None = None
    number: int = Field(default=3, ge=0)


@pytest.mark.parametrize(
    ("content_type", "good"),
    [
        (None, False), ("", False), ("text/plain", False), ("application/jsonx", False),
        ("application/json; charset=latin-1", False), ("application/json", True),
        ('application/json; charset="utf-8"', True), ("Application/JSON;charset=UTF-8", True),
    ],
)  # fmt: skip
def test_content_type(content_type, good):
    headers = {} if content_type is None else {"content-type": content_type}
    request = Request(http_scope("/", headers=headers))
    if good:
        check_content_type(request)
    else:
        with pytest.raises(HttpError) as refusal:
            check_content_type(request)
        assert refusal.value.status == 415


@pytest.mark.parametrize(
    ("raw", "field", "message"),
    [
        (b"", "", "A JSON body is needed"),
        (b"{}", "number", "Required"),
        (b'{"number": true}', "number", "Expected a number"),
        (b'{"number": 1.5}', "number", "Expected a number"),
        (b'{"number": 1, "more": 1}', "more", "Unknown field"),
        (b'{"number": 1, "text": null}', "text", "Expected a value, received null"),
        (b"[]", "", "Expected an object"),
    ],
)
def test_body_that_is_refused(raw, field, message):
    with pytest.raises(InvalidInput) as refusal:
        parse_body(Thing, raw)
    assert [(problem.field, problem.message) for problem in refusal.value.problems] == [(field, message)]


@pytest.mark.parametrize(
    ("raw", "known"),
    [
        ([f'"{"long" * 300}{i}": {i}' for i in range(5000)], set()),
        ([*(f'"u{i}": {i}' for i in range(5000)), '"number": "x"', '"text": null'], {"number", "text"}),
    ],
)
def test_few_problems_are_told(raw: list[str], known: set[str]):
    """Validation stops at 20 problems, whatever a stranger sends; what is wrong in known fields is among them."""
    with pytest.raises(InvalidInput) as refusal:
        parse_body(Thing, f"{{{','.join(raw)}}}".encode())
    assert len(refusal.value.problems) == 20
    assert {problem.field for problem in refusal.value.problems} >= known
    assert len(error_response(refusal.value, "an-id").body) < 8 * 1024


def test_known_fields_count_after_many_unknown_ones():
    body = ",".join(f'"u{i}": {i}' for i in range(5000))
    with pytest.raises(InvalidInput) as refusal:
        parse_body(Thing, f'{{{body}, "number": 2}}'.encode())
    assert {problem.message for problem in refusal.value.problems} == {"Unknown field"}


def test_body():
    assert parse_body(Thing, b'{"number": 2.0}') == Thing(number=2)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Wanted()),
        ("name=a&name=b&unknown=1", Wanted(name="a,b")),
        ("number=4", Wanted(number=4)),
        ("name=", Wanted(name="")),
        ("name=%C3%BC", Wanted(name="ü")),
    ],
)
def test_query(query, expected):
    assert parse_query(Wanted, Request(http_scope("/", query=query))) == expected


@pytest.mark.parametrize("query", ["number=-1", "a&" * 30_000, "name=" + "%41" * 20_000, "%" * 60_000])
def test_query_that_is_refused(query):
    with pytest.raises(InvalidInput):
        parse_query(Wanted, Request(http_scope("/", query=query)))


@pytest.mark.measures_time
@pytest.mark.parametrize(
    "query", ["a&" * 30_000, "name=" + "%41" * 20_000, "name=" + "%41" * 2000 + "a" * 54_000, "name=" + "+" * 60_000,
              "&".join(["name=" + "x" * 600] * 99)]
)  # fmt: skip
def test_long_query_costs_little(query):
    """Fastest of several, so that a busy machine does not count: a stranger may send many."""

    def spent_s() -> float:
        began = time.perf_counter()
        with suppress(InvalidInput):
            query_values(request)
        return time.perf_counter() - began

    request = Request(http_scope("/", query=query))
    assert min(spent_s() for _ in range(10)) < 0.002


@given(st.binary(max_size=60))
def test_any_body_names_values_or_nothing(raw: bytes):
    assert all(isinstance(value, str) for value in named_values(raw, ("a",)))


@pytest.mark.parametrize(
    ("raw", "values"), [(b'{"a": "1", "b": "2", "c": "3"}', ["1", "2"]), (b'{"a": 1}', []), (b'"a"', []), (b"{", [])]
)
def test_named_values(raw, values):
    assert list(named_values(raw, ("a", "b"))) == values
