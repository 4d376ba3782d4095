"""A page to read a base path's document: one file, without scripts, and without anything from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

Json = dict[str, Any]

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1e21; --dim: #555b64; --paper: #fff; --soft: #f3f4f6; --line: #d5d8dd;
  --link: #0b57a4; --get: #0b6b3a; --post: #0b57a4; --put: #875100; --delete: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #a5acb6; --paper: #14161a; --soft: #1e2127;
  --line: #363b44; --link: #8ab8f2; --get: #6fcf97; --post: #8ab8f2; --put: #e3b25b; --delete: #f28b82 } }
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  display: grid; grid-template-columns: 20rem minmax(0, 1fr) }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; background: var(--soft);
  border-right: 1px solid var(--line); font-size: .875rem }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0 }
nav a { display: block; padding: .2rem .25rem; overflow-wrap: anywhere }
nav h2 { font-size: .875rem; margin: 0 0 .25rem }
main { padding: 1rem 2rem 4rem; max-width: 60rem }
h1, h2, h3 { line-height: 1.25 }
article { border-top: 1px solid var(--line); padding: 1rem 0 }
a { color: var(--link) }
nav a:not(:hover) { text-decoration: none }
a:focus-visible, pre:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -100rem }
.skip:focus { position: fixed; left: 1rem; top: 1rem; background: var(--paper); padding: .5rem; z-index: 1 }
code, pre { font: .875em/1.5 ui-monospace, monospace }
h3 code { overflow-wrap: anywhere }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .375rem; padding: .75rem; overflow: auto }
.wide { overflow-x: auto; margin-bottom: 1rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--dim); font-weight: 600 }
.dim { color: var(--dim) }
.get { color: var(--get) } .post { color: var(--post) } .put { color: var(--put) } .delete { color: var(--delete) }
@media (max-width: 50rem) { body { display: block }
  nav { position: static; height: auto; max-height: 45vh; border-right: 0; border-bottom: 1px solid var(--line) }
  main { padding: 1rem } }
@media print { nav { display: none } body { display: block } }
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
READER_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"
_HOW: Final = {"apiKeyInHeader": "-H 'X-API-KEY: …'", "bearer": "-H 'Authorization: Bearer …'"}
_SAMPLES: Final = {"integer": 1, "number": 1, "boolean": True}


def reader_page(made: Json) -> bytes:
    """Write an OpenAPI document as a page."""
    title = escape(made["info"]["title"])
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{title}</title><style>{_STYLE}</style>",
        "<body><a class=skip href=#content>Skip to the content</a>",
        f"<nav aria-label=Contents>{''.join(_contents(made))}</nav><main id=content><h1>{title}</h1>",
        "<p>The same for programs: <a href=openapi.json>openapi.json</a>. In the examples, ",
        "<code>$URL</code> is where this server is, and … is yours to fill in.</p>",
    ]
    for tag, operations in _by_tag(made).items():
        parts.append(f"<section><h2>{escape(tag)}</h2>")
        parts += [_operation(made, method, path, one) for method, path, one in operations]
        parts.append("</section>")
    parts.append("<section><h2>Schemas</h2>")
    for name, schema in made["components"]["schemas"].items():
        text = escape(schema.get("description", ""))
        parts.append(f"<article id='{escape(name)}'><h3><code>{escape(name)}</code></h3><p>{text}</p>")
        parts.append(f"{_fields(schema)}</article>")
    return "".join([*parts, "</section></main>"]).encode()


def _by_tag(made: Json) -> dict[str, list[tuple[str, str, Json]]]:
    found: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in made["paths"].items():
        for method, one in methods.items():
            found.setdefault(one["tags"][0], []).append((method, path, one))
    return found


def _contents(made: Json) -> Iterator[str]:
    for tag, operations in _by_tag(made).items():
        yield f"<h2>{escape(tag)}</h2><ul>"
        for method, path, one in operations:
            yield f"<li><a href='#{escape(one['operationId'])}'>{_signature(method, path)}</a></li>"
        yield "</ul>"
    yield "<h2>Schemas</h2><ul>"
    for name in made["components"]["schemas"]:
        yield f"<li><a href='#{escape(name)}'><code>{escape(name)}</code></a></li>"
    yield "</ul>"


def _signature(method: str, path: str) -> str:
    return f"<code><b class={method}>{method.upper()}</b> {escape(path)}</code>"


def _operation(made: Json, method: str, path: str, one: Json) -> str:
    schemes = list(dict.fromkeys(next(iter(scheme)) for scheme in one.get("security", ())))
    credentials = " or ".join(f"<code>{escape(name)}</code>" for name in schemes) or "none is needed"
    rows = [
        (
            f"<code>{escape(parameter['name'])}</code>",
            f"{parameter['in']}{', required' if parameter['required'] else ''}",
            _type(parameter["schema"]),
            escape(parameter.get("description", "")),
        )
        for parameter in one["parameters"]
    ]
    body = _json_schema(one["requestBody"]) if "requestBody" in one else None
    if body is not None:
        needed = "required" if one["requestBody"]["required"] else "optional"
        rows.append(("", f"body, {needed}", _type(body), ""))
    answers = [
        (f"<code>{status}</code>", escape(answer["description"]), _type(_json_schema(answer)), _header_names(answer))
        for status, answer in one["responses"].items()
    ]
    return (
        f"<article id='{escape(one['operationId'])}'><h3>{_signature(method, path)}</h3>"
        f"<p>{escape(one['summary'])}. {escape(one.get('description', ''))}</p>"
        f"<p class=dim>Credential: {credentials}.</p>"
        f"<pre tabindex=0>{escape(_curl(made, method, path, one, schemes))}</pre>"
        f"{_table(('parameter', 'where', 'type', 'what'), rows)}"
        f"{_table(('status', 'meaning', 'body', 'headers'), answers)}</article>"
    )


def _curl(made: Json, method: str, path: str, one: Json, schemes: list[str]) -> str:
    needed = [f"{p['name']}=…" for p in one["parameters"] if p["in"] == "query" and p["required"]]
    base = urlsplit(made["servers"][0]["url"]).path
    url = f"$URL{base}{path}{'?' if needed else ''}{'&'.join(needed)}"
    parts = [f'curl{"" if method == "get" else f" -X {method.upper()}"} "{url}"']
    parts += [how for name, how in _HOW.items() if name in schemes][:1]
    if "requestBody" in one:
        sample = json.dumps(_sample(made, _json_schema(one["requestBody"])), ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", f"-d '{sample}'"]
    return " \\\n  ".join(parts)


def _sample(made: Json, schema: Json | None) -> Any:  # noqa: ANN401 - any JSON
    """Make a body that a schema allows: what is required, or the first field where nothing is."""
    resolved = schema or {}
    if "$ref" in resolved:
        resolved = made["components"]["schemas"][resolved["$ref"].rpartition("/")[2]]
    if "enum" in resolved:
        return resolved["enum"][0]
    if resolved.get("type") == "array":
        return [_sample(made, resolved["items"])]
    if "allOf" in resolved:
        return _sample(made, resolved["allOf"][0])
    if resolved.get("type") == "object":
        fields = resolved.get("properties", {})
        return {name: _sample(made, fields[name]) for name in resolved.get("required") or list(fields)[:1]}
    return resolved.get("maximum", _SAMPLES.get(resolved.get("type", ""), "…"))


def _json_schema(described: Json) -> Json | None:
    return next((kind["schema"] for kind in described.get("content", {}).values()), None)


def _header_names(answer: Json) -> str:
    return ", ".join(f"<code>{escape(name)}</code>" for name in answer.get("headers", ()))


def _fields(schema: Json) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(name)}</code>",
            _type(one),
            f"{escape(one.get('description', ''))}{' Required.' if name in required else ''}",
        )
        for name, one in schema.get("properties", {}).items()
    ]
    if not rows:
        return f"<p>{_type(schema)}</p>"
    return _table(("field", "type", "what"), rows)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Make a table without the columns that nothing is in."""
    if not rows:
        return ""
    used = [index for index in range(len(heads)) if any(row[index] for row in rows)]
    head = "".join(f"<th scope=col>{heads[index]}</th>" for index in used)
    body = "".join(f"<tr>{''.join(f'<td>{row[index]}</td>' for index in used)}</tr>" for row in rows)
    label = f"{heads[0]} table"
    return f"<div class=wide role=group tabindex=0 aria-label='{label}'><table><tr>{head}</tr>{body}</table></div>"


def _type(schema: Json | None) -> str:
    if schema is None:
        return ""
    ref = schema.get("$ref") or next((one.get("$ref") for one in schema.get("allOf", ())), None)
    if ref is not None:
        name = escape(ref.rpartition("/")[2])
        return f"<a href='#{name}'><code>{name}</code></a>"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    limits = [f"{sign} {schema[name]}" for sign, name in (("≥", "minimum"), ("≤", "maximum")) if name in schema]
    text = "binary" if schema.get("format") == "binary" else str(schema.get("type", "any"))
    return escape(", ".join([text, *limits]))
