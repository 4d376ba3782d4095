"""The clients are made from the document, all of it."""

from __future__ import annotations

import copy

import pytest
from tools.checks import clients
from tools.clients.document import METHODS, public_document, read


def test_every_operation_has_a_method():
    api = read(public_document())
    assert {each.id for each in api.operations} == set(METHODS)
    assert len({(each.group, each.name) for each in api.operations}) == len(METHODS)


def test_a_new_operation_needs_a_name():
    document = copy.deepcopy(public_document())
    document["paths"]["/rooms"]["get"]["operationId"] = "findRooms"
    with pytest.raises(ValueError, match="findRooms"):
        read(document)


def test_what_is_stale_is_found(monkeypatch: pytest.MonkeyPatch):
    made = clients.generated()
    assert list(clients.problems()) == []
    path = next(path for path in made if path.name == "models.py")
    monkeypatch.setattr(clients, "generated", lambda: made | {path: made[path] + "x = 1\n"})
    assert [each.partition(":")[0] for each in clients.problems()] == [
        "clients/python/src/tertulia_client/models.py is stale"
    ]
