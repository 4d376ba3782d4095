"""The documents hang together."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_link_between_documents_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "clients").glob("*/README.md")]
    broken = []
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?://)([^)]+)", text):
            name, _, anchor = target.partition("#")
            path = document.parent / name if name else document
            if not path.exists() or (anchor and anchor not in anchors(path)):
                broken.append(f"{document.relative_to(ROOT)} → {target}")
    assert not broken


def anchors(document: Path) -> set[str]:
    """The headings of a document as the site, and sites of repositories, link to them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_file_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:server|sfu|recorder|web|tests|tools|bench|docs)/[\w./-]+)`", text)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_test_that_security_names_exists() -> None:
    """The lines of docs/security.md stand on tests: `path::name`, or the path alone."""
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|web/test)/[\w./]+?\.(?:py|ts))(?:::(\w+))?`", text)
    assert len(named) > 150
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).is_file() or (name and not re.search(rf"\b{name}\b", (ROOT / path).read_text()))
    ]
    assert missing == []


def test_security_goes_through_the_whole_standard() -> None:
    """Each line of the table has a verdict, and one that is not a plain yes says why."""
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| ((?:\d+\.\d+\.\d+(?:, )?)+) \| (.+?) \| (\S+) \| (.+) \|$", text, re.MULTILINE)
    assert {holds for _, _, holds, _ in lines} == {"yes", "part", "no", "n/a"}
    assert {number.split(".")[0] for numbers, *_ in lines for number in numbers.split(", ")} == {
        *map(str, range(1, 10)), *map(str, range(11, 18)),
    }  # fmt: skip
    assert [numbers for numbers, _, holds, how in lines if holds != "yes" and len(how) < 15] == []
