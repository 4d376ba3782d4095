"""`python -m tools.docs_site`: build the site at /docs out of docs/, without any request to another server.

The generator is Zensical, the successor of Material for MkDocs (whose end of life is May 2027) by the same authors.
Afterwards no page has an inline script or style, so that its policy is as strict as that of the other pages.
"""

import gzip
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
SITE: Final = ROOT / "server/src/tertulia/docs_dist"
_LINK: Final = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)]+)\)")
_SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_STYLE: Final = re.compile(r' style="[^"]*"')
_SHADOW_STYLE: Final = re.compile(r"(\w+)\.appendChild\(\w+\(\"style\",\{\},(\w+)\.toString\(\)\)\)")
_COMPRESSED: Final = frozenset({".html", ".css", ".js", ".json", ".svg"})
_UNUSED: Final = ("sitemap.xml", "404.html", "assets/stylesheets/classic")


def build(site: Path = SITE) -> None:
    """Build the site. Raise RuntimeError with what the generator says, broken links for example."""
    with TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "mkdocs.yml").write_text(with_all_documents((ROOT / "mkdocs.yml").read_text()))
        for path in sorted(DOCS.rglob("*")):
            target = work / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".md":
                target.write_text(without_outer_links(path))
            elif path.is_file():
                shutil.copy(path, target)
        command = [Path(sys.executable).with_name("zensical"), "build", "--strict"]
        done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(f"{done.stdout}\n{done.stderr}")
        _finish(work / "site")
        with _replaced(site) as new:
            shutil.copytree(work / "site", new)


def with_all_documents(configuration: str) -> str:
    """Return the configuration with the decisions in its navigation, and documents that it does not name."""
    names = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    decisions = [name for name in names if name.startswith("decisions/")]
    others = [name for name in names if name not in decisions and name not in configuration]
    listed = "".join(f"\n          - {name}" for name in decisions)
    more = "".join(f"\n  - {name}" for name in others)
    return re.sub(r"(- Decisions:) \[\].*\n", rf"\1{listed}{more}\n", configuration)


def without_outer_links(path: Path) -> str:
    """Return a document with links out of docs/ as plain text: the site has the documents alone."""

    def shown(found: re.Match[str]) -> str:
        target = (path.parent / found[2].partition("#")[0]).resolve()
        return found[0] if target.is_relative_to(DOCS) else found[1]

    return _LINK.sub(shown, path.read_text())


def with_linked_scripts(page: str, up: str) -> tuple[str, dict[str, str]]:
    """Return a page without inline scripts and styles, and the files that hold the scripts; `up` leads to the root."""
    scripts: dict[str, str] = {}

    def linked(found: re.Match[str]) -> str:
        name = f"assets/inline/{hashlib.sha256(found[1].encode()).hexdigest()[:16]}.js"
        scripts[name] = found[1]
        return f'<script src="{up}{name}"></script>'

    return _STYLE.sub("", _SCRIPT.sub(linked, page)), scripts


def with_adopted_style(script: str) -> str:
    """Return the generator's script with the search's style as a sheet of its own, in place of an inline one.

    Raise RuntimeError when there is no such place: then another version of the generator does it otherwise.
    """
    adopted = r"\1.adoptedStyleSheets=[new CSSStyleSheet],\1.adoptedStyleSheets[0].replaceSync(\2.toString())"
    changed, count = _SHADOW_STYLE.subn(adopted, script)
    if count != 1:
        raise RuntimeError(f"the generator's script has {count} inline styles: see tools/docs_site.py")
    return changed


def _finish(site: Path) -> None:
    for name in _UNUSED:
        shutil.rmtree(site / name) if (site / name).is_dir() else (site / name).unlink(missing_ok=True)
    (site / "assets/inline").mkdir(parents=True)
    for path in site.rglob("*.html"):
        up = "../" * (len(path.relative_to(site).parts) - 1)
        page, scripts = with_linked_scripts(path.read_text(), up)
        path.write_text(page)
        for name, text in scripts.items():
            (site / name).write_text(text)
    (bundle,) = site.glob("assets/javascripts/bundle.*.js")
    bundle.write_text(with_adopted_style(bundle.read_text()))
    for path in [each for each in site.rglob("*") if each.suffix in _COMPRESSED]:
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
        path.unlink()  # the server decompresses for those who take no gzip


@contextmanager
def _replaced(site: Path) -> Iterator[Path]:
    """Give a place for a new folder, and put it where the old one is."""
    new = site.with_name(f"{site.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    yield new
    shutil.rmtree(site, ignore_errors=True)
    new.rename(site)


if __name__ == "__main__":
    try:
        build()
    except RuntimeError as error:
        sys.exit(str(error))
