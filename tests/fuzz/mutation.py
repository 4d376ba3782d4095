"""Mutations of what was recorded: of bytes, of lines of text, of protobuf messages and of JSON values."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

NUMBERS: Final = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
LARGE_NUMBERS: Final = (*NUMBERS, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 10**30)
TEXTS: Final = (
    "",
    " ",
    "\0",
    "\r\n",
    "\x1b[31m",
    "\u202eabc",
    "\u2028",
    "\ufeff",
    "😀" * 50,
    "é" * 1000,
    "a" * 129,
    "x" * 5000,
    "../../etc/passwd",
    "%00%ff",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}",
    "null",
    "-1",
    "1e999",
    "NaN",
)
"""Texts that something downstream may take for more than text."""


def mutated_bytes(random: Random, data: bytes, others: Sequence[bytes] = (), *, longest: int = 1 << 16) -> bytes:
    """Return the bytes with one to four changes; `others` are what parts may be taken from."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        random.choice(_BYTE_CHANGES)(random, changed, others)
    return bytes(changed[:longest])


def _at(random: Random, data: bytearray) -> int:
    return random.randrange(len(data) + 1)


def _flip(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _overwrite(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at = _at(random, data)
    data[at : at + random.randint(1, 8)] = random.randbytes(random.randint(1, 8))


def _number(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    form = random.choice((">B", ">H", ">I", "<I", ">Q"))
    size = struct.calcsize(form)
    at = _at(random, data)
    data[at : at + size] = struct.pack(form, random.choice(NUMBERS) & ((1 << 8 * size) - 1))


def _cut(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    del data[_at(random, data) :]


def _remove(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at = _at(random, data)
    del data[at : at + random.randint(1, 32)]


def _repeat(random: Random, data: bytearray, _others: Sequence[bytes]) -> None:
    at = _at(random, data)
    piece = data[at : at + random.randint(1, 64)]
    data[at:at] = piece * random.choice((1, 2, 16, 64))


def _splice(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    other = random.choice(others) if others else bytes(data)
    begin = random.randrange(len(other) + 1)
    data[_at(random, data) :] = other[begin:]


_BYTE_CHANGES: Final = (_flip, _flip, _overwrite, _number, _number, _cut, _remove, _repeat, _splice)


# ── text in lines, such as SDP and HTTP heads ──


def mutated_lines(random: Random, text: str, others: Sequence[str] = (), *, end: str = "\r\n") -> str:
    """Return the text with one to five changes of lines, words and numbers."""
    lines = text.split(end)
    for _ in range(random.randint(1, 5)):
        at = random.randrange(len(lines))
        match random.randrange(9):
            case 0:
                del lines[at]
            case 1:
                lines[at:at] = [lines[at]] * random.choice((1, 2, 50))
            case 2:
                other = random.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case 3 if others:
                foreign = random.choice(others).split(end)
                begin = random.randrange(len(foreign))
                lines[at:at] = foreign[begin : begin + random.randint(1, 20)]
            case 4:
                lines[at] = lines[at][: random.randrange(len(lines[at]) + 1)]
            case 5:
                lines[at] += random.choice(TEXTS)
            case 6:
                raw = mutated_bytes(random, lines[at].encode(), longest=1 << 14)
                lines[at] = raw.decode(errors="replace")
            case _:
                lines[at] = _other_words(random, lines[at])
        lines = lines or [""]
    return end.join(lines)


def _other_words(random: Random, line: str) -> str:
    """Replace one of the words, which numbers, colons and equal signs separate too."""
    for separator in random.sample((" ", ":", "=", "/", ";", "-"), 6):
        words = line.split(separator)
        if len(words) > 1:
            new = str(random.choice(LARGE_NUMBERS)) if random.random() < 0.6 else random.choice(TEXTS)
            words[random.randrange(len(words))] = new
            return separator.join(words)
    return line


# ── protobuf ──

_VALUES: Final[dict[int, Callable[[Random], Any]]] = {
    FieldDescriptor.CPPTYPE_INT32: lambda random: random.choice((-(2**31), -1, 0, 1, 2**31 - 1)),
    FieldDescriptor.CPPTYPE_UINT32: lambda random: random.choice(NUMBERS),
    FieldDescriptor.CPPTYPE_INT64: lambda random: random.choice((-(2**63), -1, 0, 1, 2**63 - 1)),
    FieldDescriptor.CPPTYPE_UINT64: lambda random: random.choice((0, 1, 2**32, 2**63, 2**64 - 1)),
    FieldDescriptor.CPPTYPE_FLOAT: lambda random: random.choice((0.0, -1.0, 1e38, float("nan"), float("inf"))),
    FieldDescriptor.CPPTYPE_DOUBLE: lambda random: random.choice((0.0, -1.0, 1e308, float("nan"), float("inf"))),
    FieldDescriptor.CPPTYPE_BOOL: lambda random: random.random() < 0.5,
    FieldDescriptor.CPPTYPE_ENUM: lambda random: random.choice((-1, 0, 1, 2, 3, 4, 9, 99, 2**31 - 1)),
    FieldDescriptor.CPPTYPE_STRING: lambda random: random.choice(TEXTS),
}


def mutate_message(random: Random, message: Message, *, known: Sequence[str] = (), changes: int = 3) -> None:
    """Change fields of a message in place, at any depth. `known`: texts that mean something to the receiver."""
    for _ in range(random.randint(1, changes)):
        target = _somewhere(random, message)
        fields = target.DESCRIPTOR.fields
        if fields:
            _change_field(random, target, random.choice(fields), known)


def _somewhere(random: Random, message: Message) -> Message:
    """Descend into messages that are there, or that are made by it."""
    while True:
        inner = [field for field in message.DESCRIPTOR.fields if field.message_type and not _is_map(field)]
        if not inner or random.random() < 0.3:
            return message
        present = [field for field, _ in message.ListFields() if field in inner]
        field = random.choice(present if present and random.random() < 0.8 else inner)
        value = getattr(message, field.name)
        if not field.is_repeated:
            message = value
        else:
            message = random.choice(value) if len(value) and random.random() < 0.8 else value.add()


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)


def _change_field(random: Random, message: Message, field: FieldDescriptor, known: Sequence[str]) -> None:
    if random.random() < 0.15:
        message.ClearField(field.name)
        return
    value = getattr(message, field.name)
    if _is_map(field):
        texts = all(part.cpp_type == FieldDescriptor.CPPTYPE_STRING for part in field.message_type.fields)
        for _ in range(random.choice((1, 1, 200)) if texts else 0):
            value[random.choice(TEXTS) + str(random.randrange(1000))] = random.choice(TEXTS)
    elif field.message_type:
        if field.is_repeated:
            for _ in range(random.choice((1, 2, 100))):
                value.add()
        else:
            value.SetInParent()
    elif field.is_repeated:
        value.extend([_value(random, field, known)] * random.choice((1, 2, 500)))
    else:
        setattr(message, field.name, _value(random, field, known))


def _value(random: Random, field: FieldDescriptor, known: Sequence[str]) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.randbytes(random.choice((0, 1, 16, 5000)))
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING and known and random.random() < 0.6:
        return random.choice(known)
    return _VALUES[field.cpp_type](random)


# ── JSON ──


def mutated_json(random: Random, value: Any) -> Any:
    """Return a JSON value with a change somewhere in it."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        match random.randrange(6):
            case 0:
                return {name: inner for name, inner in value.items() if name != key}
            case 1:
                return value | {random.choice(TEXTS): _any_json(random)}
            case _:
                return value | {key: mutated_json(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.5:
        at = random.randrange(len(value))
        return [*value[:at], mutated_json(random, value[at]), *value[at:]]
    if isinstance(value, str) and random.random() < 0.3:
        return value + random.choice(TEXTS)
    return _any_json(random)


def _any_json(random: Random, depth: int = 0) -> Any:
    return random.choice(_SIMPLE if depth > 2 or random.random() < 0.6 else _NESTED)(random, depth)


def _list(random: Random, depth: int) -> Any:
    return [_any_json(random, depth + 1) for _ in range(random.choice((0, 1, 3, 100)))]


def _object(random: Random, depth: int) -> Any:
    count = random.choice((0, 2, 50))
    return {random.choice(TEXTS) + str(number): _any_json(random, depth + 1) for number in range(count)}


def _deep(random: Random, _depth: int) -> Any:
    value: Any = 1
    for _ in range(random.choice((10, 500))):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value


_SIMPLE: Final[tuple[Callable[[Random, int], Any], ...]] = (
    lambda _random, _depth: None,
    lambda random, _depth: random.random() < 0.5,
    lambda random, _depth: random.choice((-1, *LARGE_NUMBERS)),
    lambda random, _depth: random.choice((0.5, -0.0, 1e308, 1e-320, float("nan"), float("inf"))),
    lambda random, _depth: random.choice(TEXTS),
    lambda random, _depth: random.choice(TEXTS),
)
_NESTED: Final = (_list, _object, _deep)
