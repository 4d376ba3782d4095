"""The protocol is a subclass of uvicorn's, which promises nothing to subclasses: here its changes are seen."""

from __future__ import annotations

import hashlib
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SERVER: Final = Path(__file__).parents[5] / "server/pyproject.toml"
KNOWN: Final = {
    "data_received": "010a7ae59a5d3b1a",
    "on_message_begin": "96d377fdc7c2baef",
    "on_headers_complete": "1ea8589acfad92d8",
    "send_400_response": "ae5a4a3782b646fd",
}
"""The methods that JsonHttpProtocol overrides, and the digest of their source in the version that it was read for."""


@pytest.mark.parametrize("name", KNOWN)
def test_overridden_methods_are_the_ones_we_know(name):
    """When this fails: read the new one, see that JsonHttpProtocol still fits, and note its digest."""
    source = inspect.getsource(getattr(HttpToolsProtocol, name))
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == KNOWN[name]


def test_refusals_go_through_the_overridden_method():
    assert "self.send_400_response(msg)" in inspect.getsource(HttpToolsProtocol.data_received)


@pytest.mark.parametrize("name", ["uvicorn", "starlette"])
def test_versions_have_an_upper_bound(name):
    """A release that may have moved what we build on is not installed before it was tried."""
    stated = (Requirement(line) for line in tomllib.loads(SERVER.read_text())["project"]["dependencies"])
    specifier = next(one.specifier for one in stated if one.name == name)
    assert any(bound.operator == "<" for bound in specifier)
    assert specifier.contains(version(name))
