"""Words that this project does not use, with the ones to use instead: engineers search by the field's words."""

import re
from collections.abc import Iterator
from typing import Final

from tools.checks.repository import ROOT, shown, tracked

RETIRED: Final = {
    r"mend(?:s|ed|ing)?": "repair, fix",
    r"anew": "again",
    r"whoever": "a client, a participant, the user",
    r"somebody": "a client, a participant, the user",
    r"hang_up|hangs? up": "close",
    r"last[_ ]?words": "log_tail, the final state",
    r"greetings?": "session messages",
    r"workshop|workplace": "WorkerContext, WorkerLock",
    r"sightings?": "RecorderStatus",
    r"intake": "MediaBuffer",
    r"(?<!best )efforts?": "QualityLevel",
    r"troubles?": "AppError, error",
    r"wish(?:es|ed)?": "SubscriptionSettings, preferences, wanted",
    r"doors?": "JoinPolicy",
}
"""A pattern of whole words (any case, also as parts of an identifier), and what to write."""

_PATTERNS: Final = (
    "*.py",
    "*.pyi",
    "*.rs",
    "*.ts",
    "*.tsx",
    "*.css",
    "*.md",
    "*.toml",
    "Makefile",
    ".ci/*",
    "tools/*",
    "deploy/*",
)
_DECISIONS: Final = ROOT / "tests/integration/spec/decisions.md"
_EXEMPT: Final = (
    *("tools/checks/words.py", "tests/unit/tools/test_words.py", "CHANGELOG.md", "docs/glossary.md"),
    *("tests/integration/spec/", "web/src/api/schema.d.ts"),
)
# an identifier's parts count too: camelCase and snake_case
_START, _END = r"(?:(?<![A-Za-z])|(?<=[a-z])(?-i:(?=[A-Z])))", r"(?-i:(?![a-z]))"
_RETIRED: Final = re.compile(f"{_START}(?:{'|'.join(RETIRED)}){_END}", re.IGNORECASE)


def problems() -> Iterator[str]:
    """Yield each place where a retired word stands. Tests may quote the contract's sentences word by word."""
    quotable = " ".join(_DECISIONS.read_text().split())
    for path in tracked(*_PATTERNS):
        name = shown(path)
        if name.startswith(_EXEMPT):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if line.strip(' "') in quotable:
                continue
            for found in _RETIRED.finditer(line):
                yield f"{name}:{number}: “{found[0]}”: write {_instead(found[0])}"


def _instead(word: str) -> str:
    return next(better for pattern, better in RETIRED.items() if re.fullmatch(pattern, word, re.IGNORECASE))
