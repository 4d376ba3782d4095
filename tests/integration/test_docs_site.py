"""The documentation at /docs: all pages are there, all links lead somewhere, nothing comes from elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urldefrag, urljoin

import pytest

from support.rest import RestServer

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


def test_every_link_leads_somewhere(server: RestServer):
    """From /docs, as a reader goes."""
    start = f"{server.url}/docs"
    pages, seen = [start], {start}
    external = set()
    while pages:
        answer = server.http.get(pages.pop(), timeout=20)
        assert answer.status_code == 200, answer.url
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        assert "<script>" not in answer.text
        assert "<style" not in answer.text
        assert " style=" not in re.sub(r"<code>.*?</code>", "", answer.text, flags=re.DOTALL)
        for tag, link in re.findall(r'<(\w+)[^>]*? (?:href|src)="?([^" >]+)', answer.text):
            target = urldefrag(urljoin(answer.url, link)).url
            if target.startswith(f"{server.url}/docs/"):
                new = {target} - seen
                seen |= new
                pages.extend(new)
            elif tag != "a":
                external.add(target)
    assert external == set()
    shown = {each.rpartition("/")[2] for each in seen}
    assert {
        "quickstart.html",
        "rest.html",
        "webhooks.html",
        "embedding.html",
        "migration.html",
        "running.html",
    } <= shown


def test_a_page_that_is_none(server: RestServer):
    assert server.http.get(f"{server.url}/docs/none.html", timeout=20).status_code == 404
