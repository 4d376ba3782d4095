"""What the documentation's site changes in its pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import docs_site


def test_links_out_of_the_documents_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(docs_site, "DOCS", tmp_path / "docs")
    (tmp_path / "docs/api").mkdir(parents=True)
    page = tmp_path / "docs/api/rest.md"
    page.write_text("[out](../../LICENSE), [in](../embedding.md#events), ![picture](../images/a.png)")
    assert docs_site.without_outer_links(page) == "out, [in](../embedding.md#events), ![picture](../images/a.png)"


def test_pages_have_no_inline_scripts():
    page = '<script>a()</script><script src="b.js"></script><script type="application/json">{}</script><p style="x">'
    shown, scripts = docs_site.with_linked_scripts(page, "../")
    ((name, text),) = scripts.items()
    assert text == "a()"
    kept = '<script src="b.js"></script><script type="application/json">{}</script>'
    assert shown == f'<script src="../{name}"></script>{kept}<p>'
