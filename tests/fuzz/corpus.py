"""The kept corpus: real sessions of LiveKit's SDK, and films. `python -m fuzz.make_corpus` records it again."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "corpus"
SESSIONS: Final = FOLDER / "sessions.jsonl"
OFFERS: Final = FOLDER / "offers.json"
DATAGRAMS: Final = FOLDER / "datagrams.json"


@cache
def sessions() -> list[list[bytes]]:
    """Return what clients sent in each session: the join request, then signal requests."""
    return [[base64.b64decode(each) for each in json.loads(line)] for line in SESSIONS.read_text().splitlines()]


@cache
def offers() -> list[str]:
    """Return offers that clients made, from small to large ones."""
    return [str(each) for each in json.loads(OFFERS.read_text())]


@cache
def datagrams() -> list[bytes]:
    """Return datagrams that a client sent: STUN, DTLS, and encrypted RTP, RTCP and data."""
    return [base64.b64decode(each) for each in json.loads(DATAGRAMS.read_text())]


@cache
def films() -> list[bytes]:
    """Return films as a recorder that was killed leaves them."""
    return [path.read_bytes() for path in sorted(FOLDER.glob("*.mp4"))]
