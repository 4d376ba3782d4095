"""The generated document."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from tertulia.domain.access import Action, Actor
from tertulia.http.kit.openapi import SecuritySchemes, document
from tertulia.http.kit.operations import Operation, OperationRequest, many, one
from tertulia.http.kit.responses import no_content
from tertulia.http.kit.validation import Body, NotNull, Query


class PartSchema(Body):
    """A part, whose class is called otherwise than its component."""

    model_config = ConfigDict(title="Part")
    on: bool = True


class Whole(Body):
    """A body."""

    part: Annotated[PartSchema | None, NotNull] = None


class Shown(BaseModel):
    """An answer."""

    part: PartSchema | None = None


class Wanted(Query):
    """A query."""

    name: str


async def handle(_request: OperationRequest) -> Response:
    return no_content()


COMMON: Final = {"handle": handle, "summary": "Do it", "tag": "tests"}
DOCUMENT: Final = document(
    "Title", "http://x/api",
    [
        Operation(
            id="put", method="PUT", path="/things/{id}", action=Action.UPDATE_ROOM, body=Whole, query=Wanted,
            header_names=("X-Y",), responses=one("It", Shown, 401), is_addition=True, **COMMON,
        ),
        Operation(
            id="list", method="GET", path="/things", action=Action.LIST_ROOMS, responses=many("They", Shown), **COMMON
        ),
        Operation(id="part", method="PUT", path="/part", action=Action.UPDATE_ROOM, body=PartSchema,
                  responses=one("It", PartSchema), **COMMON),
    ],
    {Action.UPDATE_ROOM: frozenset({Actor.API_KEY}), Action.LIST_ROOMS: frozenset({Actor.ANYONE})},
    SecuritySchemes({"key": {"type": "apiKey"}}, {Actor.API_KEY: ("key",), Actor.ANYONE: ()}),
)  # fmt: skip
PART: Final = {"$ref": "#/components/schemas/Part"}


def test_component_is_called_by_its_title():
    schemas = DOCUMENT["components"]["schemas"]
    assert set(schemas) == {"Part", "Whole", "Shown", "Problem", "ProblemDetail"}
    assert schemas["Whole"]["properties"]["part"] == {"allOf": [PART]}
    part = DOCUMENT["paths"]["/part"]["put"]
    assert part["requestBody"]["content"]["application/json"]["schema"] == PART
    assert part["responses"]["200"]["content"]["application/json"]["schema"] == PART


def test_operation():
    put = DOCUMENT["paths"]["/things/{id}"]["put"]
    assert [(one["name"], one["in"], one["required"]) for one in put["parameters"]] == [
        ("id", "path", True), ("name", "query", True), ("X-Y", "header", False)
    ]  # fmt: skip
    assert put["security"] == [{"key": []}]
    assert put["description"].startswith("An addition")
    assert set(put["responses"]) == {"200", "401", "500"}


def test_list():
    listed = DOCUMENT["paths"]["/things"]["get"]
    answer = listed["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {
        "type": "array", "items": {"$ref": "#/components/schemas/Shown"}
    }  # fmt: skip
    assert set(answer["headers"]) == {"X-Next-Page-Token", "Link"}
    assert "security" not in listed
