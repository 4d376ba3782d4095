"""Which schemas a version can use, and what a migration may do while the version before runs beside it."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from tertulia.adapters.sql import migrations
from tertulia.adapters.sql.schema import Revision, SchemaState, SchemaStatus, our_revision

VERSIONS: Final = sorted((Path(migrations.__file__).parent / "versions").glob("[0-9]*.py"))
FIRST_WITH_THE_RULE: Final = 5
"""Those before were made when versions did not run side by side."""
EXPANDING: Final = {"add_column", "create_index", "create_table", "execute", "f", "get_bind"}
"""What a migration may call of Alembic's `op` while older versions use the schema. `execute` fills what is new."""


@pytest.mark.parametrize(
    ("name", "revision", "text"),
    [
        ("0004_preset_of_a_recording.py", Revision(4, 4), "0004"),
        ("0004", Revision(4, 4), "0004"),
        ("0007_from_0005_epochs.py", Revision(7, 5), "0007_from_0005"),
        ("0007_from_0005", Revision(7, 5), "0007_from_0005"),
    ],
)
def test_a_revision_says_who_can_use_it(name: str, revision: Revision, text: str):
    assert Revision.parse(name) == revision
    assert str(revision) == text


@pytest.mark.parametrize("name", ["", "x", "004", "00041", "0004x", "0007_from_00055"])
def test_what_is_no_revision(name: str):
    with pytest.raises(ValueError, match="revision"):
        Revision.parse(name)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, SchemaState.EMPTY),
        (Revision(4, 4), SchemaState.BEHIND),
        (Revision(5, 4), SchemaState.CURRENT),
        (Revision(6, 4), SchemaState.NEWER),
        (Revision(9, 5), SchemaState.NEWER),
        (Revision(6, 6), SchemaState.TOO_NEW),
    ],
)
def test_what_a_schema_is_to_a_version(found: Revision | None, state: SchemaState):
    assert SchemaStatus(found, Revision(5, 4)).state is state


def test_a_refusal_names_both():
    refusal = SchemaStatus(Revision(9, 7), Revision(5, 4)).refusal()
    assert all(number in refusal.message for number in ("0009", "0007", "0005"))


def called(function: str, path: Path) -> list[ast.Call]:
    """Return the calls of `op.…` in a function of a migration, and in what it calls there."""
    tree = ast.parse(path.read_text())
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    found: list[ast.Call] = []
    for node in ast.walk(functions[function]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Name) and node.func.value.id == "op":
                found.append(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            found += called(node.func.id, path)
    return found


def test_revisions_are_in_order_and_named_by_their_files():
    revisions = [Revision.parse(path.name) for path in VERSIONS]
    assert [each.number for each in revisions] == list(range(1, len(VERSIONS) + 1))
    assert max(revisions) == our_revision()
    before: str | None = None
    for path, revision in zip(VERSIONS, revisions, strict=True):
        values = {
            target.id: node.value.value
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert (values["revision"], values["down_revision"]) == (str(revision), before), path.name
        before = str(revision)


def test_expand_first_and_contract_a_version_later():
    """`op` may only add what older versions need not know; a contract leaves room for the version before it."""
    revisions = [Revision.parse(path.name) for path in VERSIONS]
    for path, before, revision in zip(VERSIONS[1:], revisions[:-1], revisions[1:], strict=True):
        if revision.number < FIRST_WITH_THE_RULE:
            continue
        assert before.usable_from <= revision.usable_from < revision.number, f"{path.name}: NNNN_from_MMMM, M < N"
        if revision.usable_from > before.usable_from:
            continue
        calls = called("upgrade", path)
        names = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
        assert names <= EXPANDING, f"{path.name}: {names - EXPANDING} belongs into a contract, a version later"
        for call in calls:
            source = ast.unparse(call)
            assert "nullable=False" not in source or "server_default" in source or "create_table" in source, (
                f"{path.name}: a column that older versions do not fill needs a server_default"
            )
            assert "unique=True" not in source, f"{path.name}: older versions do not keep to a new unique index"
