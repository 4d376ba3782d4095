"""Writes docs/configuration.md from the settings themselves: `python tools/configuration_document.py`."""

from pathlib import Path

from pydantic_core import PydanticUndefined

from tertulia.settings import Settings

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
HEAD = """# Settings

Made from `server/src/tertulia/settings.py` by `make fix`.

One name everywhere: the environment variable `TERTULIA_X_Y` is the option `--x-y` and the key `x_y` in
`tertulia.toml`. Options beat the environment, which beats the file.
A wrong setting stops the start with one line that names it, its value and what is allowed.

| setting | default | allowed | what it is for |
| --- | --- | --- | --- |
"""


def document() -> str:
    """The whole document as it should stand."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = "" if default in (PydanticUndefined, "", (), None) else f"`{_plain(default)}`"
        cells = (f"`TERTULIA_{name.upper()}`", shown, field.title or "", field.description or "")
        rows.append("| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
