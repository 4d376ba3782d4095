"""Every sentence of decisions.md is quoted by the test that holds it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
SPEC = Path(os.environ.get("TERTULIA_SPEC_DIR", TESTS / "integration" / "spec"))
WORDS_OF_A_QUOTE = 5  # in a row; all of them where a sentence has no more


def sentences(text: str) -> Iterator[str]:
    """Its items and paragraphs, cut after a full stop or a bracket where the next thing looks like a beginning."""
    for block in re.split(r"\n(?=- |#)|\n\n", text):
        if not block.startswith("# "):
            flat = " ".join(re.sub(r"^(- |## .*)", "", block).split())
            yield from filter(None, re.split(r"(?<=[.)])(?<!e\.g\.)\s+(?=[A-Z`(])", flat))


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def quotes() -> Iterator[str]:
    """What the tests say they hold."""
    for file in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield f" {' '.join(words(ast.get_docstring(node) or ''))} "


def is_quoted(sentence: str, said: str) -> bool:
    its = words(sentence)
    length = min(WORDS_OF_A_QUOTE, len(its))
    return any(f" {' '.join(its[at : at + length])} " in said for at in range(len(its) - length + 1))


def test_every_sentence_of_the_decisions_is_quoted_by_a_test() -> None:
    said = "|".join(quotes())
    decided = list(sentences((SPEC / "decisions.md").read_text(encoding="utf-8")))
    assert len(decided) > 60, "the sentences are not found"
    assert [sentence for sentence in decided if not is_quoted(sentence, said)] == []
