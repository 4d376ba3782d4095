"""Each base path's own document (OpenAPI 3.0.3), generated from its operations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tertulia.domain.access import Action, Actor
from tertulia.http.kit.errors import Problem
from tertulia.http.kit.operations import Operation, ResponseSpec

Json = dict[str, Any]
_REF: Final = "#/components/schemas/{model}"
_ADDITION: Final = "An addition: the OpenVidu Meet document does not have it."


@dataclass(frozen=True, slots=True)
class SecuritySchemes:
    """How credentials travel: the document's `securitySchemes`, and the names of those that each actor uses."""

    definitions: Json
    by_actor: Mapping[Actor, tuple[str, ...]]


def document(
    title: str,
    url: str,
    operations: Sequence[Operation],
    permissions: Mapping[Action, frozenset[Actor]],
    security: SecuritySchemes,
) -> Json:
    """Generate the document of a base path that is served at `url`."""
    models = dict.fromkeys(model for operation in operations for model in _models(operation))
    schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REF)[1].get("$defs", {})
    renamed = {name: schema["title"] for name, schema in schemas.items() if schema.get("title", name) != name}
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, permissions, security)
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "v1", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": url}],
        "tags": [{"name": tag} for tag in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "securitySchemes": security.definitions,
            "schemas": {renamed.get(name, name): _as_3_0(schema, renamed) for name, schema in schemas.items()},
        },
    }


def _models(operation: Operation) -> list[type[BaseModel]]:
    answered = [response.model for response in operation.responses.values() if response.model is not None]
    return [Problem, *answered, *([operation.body] if operation.body is not None else [])]


def _ref(model: type[BaseModel]) -> Json:
    """Refer to a model's component, whose name is the class's or, where that differs, the title in its config."""
    return {"$ref": _REF.format(model=model.model_config.get("title") or model.__name__)}


def _operation(operation: Operation, permissions: Mapping[Action, frozenset[Actor]], security: SecuritySchemes) -> Json:
    made: Json = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": _parameters(operation),
        "responses": {str(status): _response(one) for status, one in sorted(operation.responses.items())},
    }
    schemes = [name for actor in sorted(permissions[operation.action]) for name in security.by_actor[actor]]
    if schemes:
        made["security"] = [{name: []} for name in dict.fromkeys(schemes)]
    if operation.is_addition:
        made["description"] = _ADDITION
    if operation.body is not None:
        content = {"application/json": {"schema": _ref(operation.body)}}
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
    schema = _as_3_0(operation.query.model_json_schema(ref_template=_REF), {})
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


def _response(response: ResponseSpec) -> Json:
    made: Json = {"description": response.description}
    if response.headers:
        made["headers"] = {name: {"schema": {"type": "string"}} for name in response.headers}
    if response.media_type != "application/json":
        made["content"] = {response.media_type: {"schema": {"type": "string", "format": "binary"}}}
    elif response.model is not None:
        ref = _ref(response.model)
        schema = {"type": "array", "items": ref} if response.is_list else ref
        made["content"] = {"application/json": {"schema": schema}}
    return made


def _as_3_0(schema: Any, renamed: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    """Turn JSON Schema 2020-12 into what OpenAPI 3.0 knows: fields that may be left out are not nullable."""
    if isinstance(schema, list):
        return [_as_3_0(item, renamed) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: _as_3_0(value, renamed) for name, value in schema.items() if name != "title" or not isinstance(value, str)
    }
    kept = [option for option in made.get("anyOf", ()) if option != {"type": "null"}]
    if "anyOf" in made and len(kept) == 1:
        del made["anyOf"]
        made |= kept[0] if "$ref" not in kept[0] else {"allOf": kept}
    if made.get("default", 0) is None:
        del made["default"]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    if "$ref" in made:
        prefix, _, name = made["$ref"].rpartition("/")
        made["$ref"] = f"{prefix}/{renamed.get(name, name)}"
    return made
