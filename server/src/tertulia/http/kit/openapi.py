"""Each base path's own document (OpenAPI 3.0.3), generated from its operations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tertulia.domain.access import Action, Actor
from tertulia.http.kit.answers import Problem
from tertulia.http.kit.cookies import ACCESS_COOKIE, PARTICIPANT_COOKIE, REFRESH_COOKIE
from tertulia.http.kit.operations import Answer, Operation

Json = dict[str, Any]
_REF: Final = "#/components/schemas/{model}"
_ADDITION: Final = "An addition: the OpenVidu Meet document does not have it."
_SCHEMES: Final[Json] = {
    "apiKeyInHeader": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
    "accessTokenCookie": {"type": "apiKey", "in": "cookie", "name": ACCESS_COOKIE},
    "refreshTokenCookie": {"type": "apiKey", "in": "cookie", "name": REFRESH_COOKIE},
    "participantTokenCookie": {"type": "apiKey", "in": "cookie", "name": PARTICIPANT_COOKIE},
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "streamTicket": {"type": "apiKey", "in": "query", "name": "ticket"},
}
_SCHEMES_OF: Final[Mapping[Actor, tuple[str, ...]]] = {
    Actor.API_KEY: ("apiKeyInHeader",),
    Actor.ADMIN: ("accessTokenCookie", "bearer"),
    Actor.MODERATOR: ("participantTokenCookie", "bearer"),
    Actor.PUBLISHER: ("participantTokenCookie", "bearer"),
    Actor.VIEWER: ("participantTokenCookie", "bearer"),
    Actor.HOLDER: ("participantTokenCookie", "bearer"),
    Actor.TICKET: ("streamTicket",),
    Actor.ANYONE: (),
}


def document(
    title: str, url: str, operations: Sequence[Operation], permissions: Mapping[Action, frozenset[Actor]]
) -> Json:
    """Generate the document of a base path that is served at `url`."""
    models = {model.__name__: model for operation in operations for model in _models(operation)}
    schemas = models_json_schema([(model, "validation") for model in models.values()], ref_template=_REF)[1]
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, permissions)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "v1", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {"securitySchemes": _SCHEMES, "schemas": _as_3_0(schemas.get("$defs", {}))},
    }


def _models(operation: Operation) -> list[type[BaseModel]]:
    answered = [answer.model for answer in operation.answers.values() if answer.model is not None]
    return [Problem, *answered, *([operation.body] if operation.body is not None else [])]


def _operation(operation: Operation, permissions: Mapping[Action, frozenset[Actor]]) -> Json:
    made: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": {str(status): _answer(answer) for status, answer in sorted(operation.answers.items())},
    }
    schemes = [name for actor in sorted(permissions[operation.action]) for name in _SCHEMES_OF[actor]]
    if schemes:
        made["security"] = [{name: []} for name in dict.fromkeys(schemes)]
    if operation.is_addition:
        made["description"] = _ADDITION
    if operation.body is not None:
        schema = {"$ref": _REF.format(model=operation.body.__name__)}
        content = {"application/json": {"schema": schema}}
        made["requestBody"] = {"required": operation.body_required, "content": content}
    return made


def _parameters(operation: Operation) -> list[Json]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    in_header = [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}
        for name in operation.header_names
    ]
    if operation.query is None:
        return in_path + in_header
    schema = _as_3_0(operation.query.model_json_schema(ref_template=_REF))
    required = schema.get("required", ())
    in_query = [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": one.pop("description", ""),
            "schema": one,
        }
        for name, one in schema.get("properties", {}).items()
    ]
    return in_path + in_query + in_header


def _answer(answer: Answer) -> Json:
    made: Json = {"description": answer.description}
    if answer.headers:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in answer.headers}
    if answer.media_type != "application/json":
        made["content"] = {answer.media_type: {"schema": {"type": "string", "format": "binary"}}}
    elif answer.model is not None:
        ref = {"$ref": _REF.format(model=answer.model.__name__)}
        made["content"] = {"application/json": {"schema": {"type": "array", "items": ref} if answer.is_list else ref}}
    return made


def _as_3_0(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Turn JSON Schema 2020-12 into what OpenAPI 3.0 knows: fields that may be left out are not nullable."""
    if isinstance(schema, list):
        return [_as_3_0(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _as_3_0(value) for name, value in schema.items() if name != "title" or not isinstance(value, str)}
    kept = [option for option in made.get("anyOf", ()) if option != {"type": "null"}]
    if "anyOf" in made and len(kept) == 1:
        del made["anyOf"]
        made |= kept[0] if "$ref" not in kept[0] else {"allOf": kept}
    if made.get("default", 0) is None:
        del made["default"]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    return made
