"""What the documentation's site changes in its pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tools import docs_site


def test_links_out_of_the_documents_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(docs_site, "DOCS", tmp_path / "docs")
    (tmp_path / "docs/api").mkdir(parents=True)
    page = tmp_path / "docs/api/rest.md"
    page.write_text("[out](../../LICENSE), [in](../embedding.md#events), ![picture](../images/a.png)")
    assert docs_site.without_outer_links(page) == "out, [in](../embedding.md#events), ![picture](../images/a.png)"


def test_every_document_is_in_the_navigation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(docs_site, "DOCS", tmp_path)
    (tmp_path / "decisions").mkdir()
    for name in ("a.md", "new.md", "decisions/0002-y.md", "decisions/0001-x.md"):
        (tmp_path / name).touch()
    shown = docs_site.with_all_documents("nav:\n  - A: a.md\n  - B:\n      - Decisions: []  # all\n")
    assert shown.splitlines()[2:] == [
        "  - B:",
        "      - Decisions:",
        "          - decisions/0001-x.md",
        "          - decisions/0002-y.md",
        "  - new.md",
    ]


def test_each_document_is_once_in_the_navigation():
    named = re.findall(r"^ *- .*?(\S+\.md)$", (docs_site.ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(named) > 10
    assert sorted(set(named)) == sorted(named)


def test_the_style_of_the_search_is_not_inline():
    script = 'a();o.appendChild(C("style",{},T.toString()));b()'
    sheet = "o.adoptedStyleSheets=[new CSSStyleSheet],o.adoptedStyleSheets[0].replaceSync(T.toString())"
    assert docs_site.with_adopted_style(script) == f"a();{sheet};b()"
    with pytest.raises(RuntimeError, match="0 inline styles"):
        docs_site.with_adopted_style("a()")


def test_pages_have_no_inline_scripts():
    page = '<script>a()</script><script src="b.js"></script><script type="application/json">{}</script><p style="x">'
    shown, scripts = docs_site.with_linked_scripts(page, "../")
    ((name, text),) = scripts.items()
    assert text == "a()"
    kept = '<script src="b.js"></script><script type="application/json">{}</script>'
    assert shown == f'<script src="../{name}"></script>{kept}<p>'
