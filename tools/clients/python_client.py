"""The generated modules of the Python client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.checks.repository import ROOT
from tools.clients.document import GROUPS, SECRET, Api, Model, Operation, Property, Type, model_name, snake_case

PACKAGE: Final = ROOT / "clients/python/src/tertulia_client"
_NOTE: Final = '"""{what}\n\nGenerated from the public API\'s document by `python -m tools.clients`.\n"""\n'
_PLAIN: Final = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "time": "int | datetime"}


def files(api: Api) -> dict[Path, str]:
    """Return the content of each generated module."""
    made = {"models": _models(api), "operations": _operations(api)}
    made |= {f"{kind}_methods": _methods(api, is_async=kind == "async") for kind in ("sync", "async")}
    return {PACKAGE / f"{name}.py": _formatted("\n".join(lines)) for name, lines in made.items()}


def _formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "clients/python/x.py", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout  # noqa: S603


def _annotation(described: Type) -> str:
    if described.values:
        name = f"Literal[{', '.join(map(repr, described.values))}]"
    else:
        name = _PLAIN.get(described.name, model_name(described.name))
    return f"Sequence[{name}]" if described.is_list else name


def _models(api: Api) -> Iterator[str]:
    yield _NOTE.format(what="Values that the API takes and answers. Dates are milliseconds since the Unix epoch.")
    yield "from __future__ import annotations\n\nfrom collections.abc import Sequence"
    yield "from dataclasses import dataclass, field\nfrom typing import Literal\n\n"
    for model in api.models:
        yield from _alias(model) if model.values else _dataclass(model, {each.name for each in api.models})


def _alias(model: Model) -> Iterator[str]:
    yield f"{model_name(model.name)} = Literal[{', '.join(map(repr, model.values))}]"
    yield f'"""{model.description}"""\n\n'


def _dataclass(model: Model, models: set[str]) -> Iterator[str]:
    yield "@dataclass(frozen=True, slots=True, kw_only=True)"
    yield f"class {model_name(model.name)}:"
    yield f'    """{model.description}"""\n'
    for each in model.properties:
        parts = [] if each.required else ["default=None"]
        if each.name in SECRET:
            parts.append("repr=False")
        of = f', "of": {model_name(each.type.name)}' if each.type.name in models else ""
        parts.append(f'metadata={{"json": "{each.name}"{of}}}')
        optional = "" if each.required else " | None"
        yield f"    {snake_case(each.name)}: {_annotation(each.type)}{optional} = field({', '.join(parts)})"
        if each.description:
            yield f'    """{each.description}"""'
    yield "\n"


def _operations(api: Api) -> Iterator[str]:
    yield _NOTE.format(what="The operations as one table: both clients send these.")
    yield "from __future__ import annotations\n\nfrom collections.abc import Sequence\nfrom typing import Final\n"
    results = {model_name(each.result.name) for each in api.operations if each.result is not None}
    yield f"from tertulia_client.core import Operation\nfrom tertulia_client.models import {', '.join(sorted(results))}"
    yield "from tertulia_client.values import many, nothing, one\n"
    for each in api.operations:
        read, kind = "nothing", "None"
        if each.result is not None:
            model = model_name(each.result.name)
            read = f"{'many' if each.result.is_list else 'one'}({model})"
            kind = f"Sequence[{model}]" if each.result.is_list else model
        keyed = ", is_keyed=True" if each.keyed else ""
        name = snake_case(each.id).upper()
        yield f'{name}: Final[Operation[{kind}]] = Operation("{each.method}", "{snake_path(each)}", {read}{keyed})'


def snake_path(operation: Operation) -> str:
    """Return the path with its parameters by their Python names."""
    path = operation.path
    for each in operation.arguments:
        if each.place == "path":
            path = path.replace(f"{{{each.name}}}", f"{{{snake_case(each.name)}}}")
    return path


def _methods(api: Api, *, is_async: bool) -> Iterator[str]:
    kind = "async" if is_async else "sync"
    iterator, caller = ("AsyncIterator", "AsyncCaller") if is_async else ("Iterator", "SyncCaller")
    downloads = f"{kind.title()}Downloads"
    names = sorted({model_name(each.name) for each in api.models if _is_named(api, each)})
    yield _NOTE.format(what=f"The methods of the {kind} client.")
    yield f"from __future__ import annotations\n\nfrom collections.abc import {iterator}, Sequence"
    yield "from datetime import datetime\nfrom typing import Literal\n"
    calls = f"from tertulia_client.{kind}_calls import {caller}, {downloads}"
    values = f"from tertulia_client.models import {', '.join(names)}"
    used = sorted(snake_case(each.id).upper() for each in api.operations if not each.is_stream)
    rows = f"from tertulia_client.operations import {', '.join(used)}"
    yield "\n".join(sorted((calls, values, rows))) + "\n\n"
    for group, description in GROUPS.items():
        base = f"({downloads})" if group == "recordings" else ""
        yield f"class {'Async' if is_async else ''}{group.title()}{base}:"
        yield f'    """{description}"""\n'
        yield f"    def __init__(self, caller: {caller}) -> None:\n        self._caller = caller\n"
        for operation in api.of(group):
            yield from _method(operation, is_async=is_async)
        yield ""


def _is_named(api: Api, model: Model) -> bool:
    """Tell whether a method's signature names the model."""
    types = (each for op in api.operations for each in (*(a.type for a in op.arguments), op.result) if not op.is_stream)
    return any(each is not None and each.name == model.name for each in types)


def _method(operation: Operation, *, is_async: bool) -> Iterator[str]:
    result = "None" if operation.result is None else _annotation(operation.result)
    if operation.paged:
        result = f"{'Async' if is_async else ''}Iterator[{result.removeprefix('Sequence[')}"
    is_coroutine = is_async and not operation.paged
    start = "async def" if is_coroutine else "def"
    yield f"    {start} {operation.name}({', '.join(_parameters(operation))}) -> {result}:"
    summary = operation.summary.rstrip(".")
    yield f'        """{summary}{"; asks for a page when it is needed" if operation.paged else ""}."""'
    given = {place: _given(operation, place) for place in ("path", "query", "body")}
    passed = [snake_case(operation.id).upper()]
    passed += [f"{place}={{{parts}}}" for place, parts in given.items() if parts]
    passed += ["key=idempotency_key"] if operation.keyed else []
    passed += ["page_size=page_size"] if operation.paged else []
    awaited = "await " if is_coroutine else ""
    yield f"        return {awaited}self._caller.{'pages' if operation.paged else 'call'}({', '.join(passed)})\n"


def _parameters(operation: Operation) -> Iterator[str]:
    yield "self"
    for each in operation.arguments:
        if each.required:
            yield f"{snake_case(each.name)}: {_annotation(each.type)}"
    optional = [_optional(each) for each in operation.arguments if not each.required]
    optional += ["idempotency_key: str | None = None"] if operation.keyed else []
    optional += ["page_size: int = 100"] if operation.paged else []
    if optional:
        yield "*"
        yield from optional


def _optional(argument: Property) -> str:
    return f"{snake_case(argument.name)}: {_annotation(argument.type)} | None = None"


def _given(operation: Operation, place: str) -> str:
    chosen = (each for each in operation.arguments if each.place == place)
    return ", ".join(
        f'"{snake_case(each.name) if place == "path" else each.name}": {snake_case(each.name)}' for each in chosen
    )
