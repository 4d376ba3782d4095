"""The name of a folder's worker, and what a copy of the folder is called."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.disk import fill, may_mount, small_disk
from tertulia.adapters.recorder import worker_lock
from tertulia.adapters.recorder.worker_lock import WorkerLock
from tertulia.errors import Unavailable


@pytest.fixture
def machine_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that names this machine."""
    path = tmp_path / "machine-id"
    path.write_text("first\n")
    monkeypatch.setattr(worker_lock, "_MACHINE_FILES", (tmp_path / "none", path))
    return path


def name_of(root: Path) -> str:
    lock = WorkerLock.acquire(root)
    assert lock is not None
    lock.release()
    assert WorkerLock.owner_of(root) == lock.owner
    return lock.owner


def test_a_folder_keeps_its_name_on_its_machine(tmp_path: Path, machine_id: Path) -> None:
    root = tmp_path / "recordings"
    name = name_of(root)
    assert name
    assert name_of(root) == name
    assert name_of(tmp_path / "another") != name
    machine_id.unlink()  # as in a container that hides it
    assert name_of(root) == name


def test_a_folder_on_another_machine_gets_another_name(tmp_path: Path, machine_id: Path) -> None:
    root = tmp_path / "recordings"
    name = name_of(root)
    machine_id.write_text("second\n")
    assert name_of(root) != name


def test_a_copy_on_the_same_machine_gets_another_name(tmp_path: Path, machine_id: Path) -> None:
    root, copy = tmp_path / "recordings", tmp_path / "copy"
    name = name_of(root)
    shutil.copytree(root, copy)
    renamed = name_of(copy)
    assert renamed != name
    assert name_of(copy) == renamed
    assert name_of(root) == name


def test_the_name_that_an_earlier_version_gave_is_kept(tmp_path: Path, machine_id: Path) -> None:
    root, copy = tmp_path / "recordings", tmp_path / "copy"
    root.mkdir()
    (root / ".worker").write_text("0123456789abcdef\n")
    assert name_of(root) == "0123456789abcdef"
    shutil.copytree(root, copy)
    assert name_of(copy) != "0123456789abcdef", "it is bound to its machine from now on"


def test_the_digest_of_the_machines_id_is_kept_and_not_the_id(tmp_path: Path, machine_id: Path) -> None:
    root = tmp_path / "recordings"
    name_of(root)
    assert "first" not in (root / ".worker").read_text()


@pytest.mark.skipif(not may_mount(), reason="small disks cannot be mounted here: root may, in most places")
def test_a_full_disk_is_told_and_holds_nothing_open(tmp_path: Path) -> None:
    with small_disk(tmp_path, 64 * 1024):
        root, descriptors = tmp_path / "recordings", Path("/proc/self/fd")
        root.mkdir()
        filler = fill(tmp_path)
        open_before = len(list(descriptors.iterdir()))
        for _ in range(5):
            with pytest.raises(Unavailable, match="space"):
                WorkerLock.acquire(root)
        assert len(list(descriptors.iterdir())) == open_before
        filler.unlink()
        assert name_of(root)
