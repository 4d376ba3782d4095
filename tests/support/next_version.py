"""The version after this one: the same code with one migration more, as a package that `PYTHONPATH` puts first."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import tertulia
from tertulia.adapters.sql.schema import our_revision

_EXPAND: Final = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.add_column("rooms", sa.Column("colour", sa.Text, server_default="blue", nullable=False))
    op.add_column("recordings", sa.Column("colour", sa.Text))
    op.create_index("ix_rooms_colour", "rooms", ["colour"])
    op.create_table("colours", sa.Column("name", sa.Text, primary_key=True))
"""
_PATH: Final = ("adapters", "sql", "migrations", "versions")


def next_version(folder: Path) -> tuple[Path, str]:
    """Make the package in a folder. Return what `PYTHONPATH` has to be, and the revision of its schema.

    Everything but the folder of the migrations is linked, so modules that find files beside themselves find these.
    """
    ours = our_revision()
    revision = f"{ours.number + 1:04}_from_{ours.usable_from:04}"
    source, target = Path(tertulia.__file__).parent, folder / "tertulia"
    for part in (*_PATH, ""):
        target.mkdir(parents=True)
        for entry in source.iterdir():
            if entry.name not in {part, "__pycache__"}:
                (target / entry.name).symlink_to(entry)
        source, target = source / part, target / part
        if not part:
            break
    versions = folder.joinpath("tertulia", *_PATH)
    (versions / f"{revision}_colours.py").write_text(_EXPAND.format(revision=revision, before=ours))
    return folder, revision
