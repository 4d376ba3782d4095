"""The generated modules of the TypeScript client."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from tools.checks.repository import ROOT
from tools.clients.document import (
    GROUPS,
    Api,
    Model,
    Operation,
    Property,
    Type,
    camel_case,
    model_name,
)

SOURCES: Final = ROOT / "clients/typescript/src"
FORMATTER: Final = ROOT / "web/node_modules/.bin/biome"
_NOTE: Final = "// {what} Generated from the public API's document by `python -m tools.clients`.\n"
_PLAIN: Final = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "time": "number | Date",
}


def files(api: Api) -> dict[Path, str]:
    """Return the content of each generated module."""
    made = {"models": _models(api), "methods": _methods(api)}
    return {SOURCES / f"{name}.ts": _formatted("\n".join(lines)) for name, lines in made.items()}


def _formatted(text: str) -> str:
    command: list[str | Path] = [FORMATTER, "format", "--stdin-file-path=src/x.ts"]
    done = subprocess.run(  # noqa: S603
        command, input=text, capture_output=True, text=True, check=True, cwd=ROOT / "web"
    )
    return done.stdout


def _annotation(described: Type) -> str:
    if described.values:
        values = (f'"{value}"' if isinstance(value, str) else str(value).lower() for value in described.values)
        name = " | ".join(values)
        return f"readonly ({name})[]" if described.is_list else name
    name = _PLAIN.get(described.name, model_name(described.name))
    return f"readonly {name}[]" if described.is_list else name


def _models(api: Api) -> Iterator[str]:
    yield _NOTE.format(what="Values that the API takes and answers. Dates are milliseconds since the Unix epoch.")
    for model in api.models:
        name = model_name(model.name)
        yield f"/** {model.description} */"
        if model.values:
            yield f"export type {name} = {_annotation(Type('enum', values=model.values))};\n"
        else:
            yield f"export interface {name} {{"
            yield from chain.from_iterable(_property(each) for each in model.properties)
            yield "}\n"


def _property(described: Property) -> Iterator[str]:
    if described.description:
        yield f"  /** {described.description} */"
    yield f"  readonly {described.name}{'' if described.required else '?'}: {_annotation(described.type)};"


def _methods(api: Api) -> Iterator[str]:
    named = sorted({model_name(each.name) for each in api.models if _is_named(api, each)})
    yield _NOTE.format(what="The methods of the client.")
    yield 'import type { Caller, CallOptions, PageOptions } from "./calls.ts";'
    yield f'import type {{ {", ".join(named)} }} from "./models.ts";\n'
    for group, description in GROUPS.items():
        yield f"/** {description} */"
        yield f"export class {group.title()} {{"
        yield "  readonly #caller: Caller;\n\n  constructor(caller: Caller) {\n    this.#caller = caller;\n  }"
        for operation in api.operations:
            if operation.group == group:
                yield from _method(operation)
        yield "}\n"


def _is_named(api: Api, model: Model) -> bool:
    """Tell whether a method's signature names the model."""
    types = (each for op in api.operations for each in (*(a.type for a in op.arguments), op.result))
    return any(each is not None and each.name == model.name for each in types)


def _method(operation: Operation) -> Iterator[str]:
    required = [each for each in operation.arguments if each.required]
    optional = [each for each in operation.arguments if not each.required]
    parameters = [f"{each.name}: {_annotation(each.type)}" for each in required]
    body = [each.name for each in required if each.place == "body"]
    if optional:
        parts = "; ".join(f"readonly {each.name}?: {_annotation(each.type)}" for each in optional)
        parameters.append(f"options: {{ {parts} }} = {{}}")
        body.append("...options")
    options = "PageOptions" if operation.paged else "CallOptions"
    parameters.append(f"call: {options} = {{}}")
    yield f"\n  /** {operation.summary.rstrip('.')}{_how(operation)}. */"
    yield f"  {camel_case(operation.name)}({', '.join(parameters)}): {_result(operation)} {{"
    query = [each.name for each in required if each.place == "query"]
    passed = [f'"{operation.method}"', _path(operation)]
    given = [f"query: {{ {', '.join(query)} }}"] if query else []
    given += [f"body: {{ {', '.join(body)} }}"] if body else []
    given += ["keyed: true"] if operation.keyed else []
    if given or not operation.paged:
        passed.append(f"{{ {', '.join((*given, '...call'))} }}")
    else:
        passed.append("call")
    yield f"    return this.#caller.{_kind(operation)}({', '.join(passed)});"
    yield "  }"


def _how(operation: Operation) -> str:
    if operation.paged:
        return "; asks for a page when it is needed"
    return "; `body` of the answer is the MP4" if operation.is_stream else ""


def _kind(operation: Operation) -> str:
    return "pages" if operation.paged else "stream" if operation.is_stream else "call"


def _result(operation: Operation) -> str:
    if operation.is_stream:
        return "Promise<Response>"
    kind = "void" if operation.result is None else _annotation(operation.result)
    if operation.paged:
        return f"AsyncGenerator<{kind.removeprefix('readonly ').removesuffix('[]')}, void, undefined>"
    return f"Promise<{kind}>"


def _path(operation: Operation) -> str:
    path = operation.path
    names = [each.name for each in operation.arguments if each.place == "path"]
    for name in names:
        path = path.replace(f"{{{name}}}", f"${{this.#caller.segment({name})}}")
    return f"`{path}`" if names else f'"{path}"'
