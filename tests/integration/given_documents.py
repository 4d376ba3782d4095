"""The two given documents, and the overlay: what decisions.md adds to them, each line naming its sentence."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(os.environ.get("TERTULIA_SPEC_DIR", Path(__file__).parent / "spec"))
ERROR = {
    "description": "added by decisions.md",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}

# (sentence, status, which operations)
OVERLAY: list[tuple[str, int, Any]] = [
    ("an unknown or missing content type on a request with a body 415", 415, lambda _m, _p, op: "requestBody" in op),
    ("Malformed JSON is 422; Unknown body fields are refused (422)", 422, lambda _m, _p, op: "requestBody" in op),
    ("the permission of a participant: 401, 403", 401, lambda _m, _p, _op: True),
    ("internal disconnect without `roomName`: 422", 422, lambda m, p, _op: m == "delete" and "participants" in p),
    ("recording switched off 403", 403, lambda m, p, _op: (m, p) == ("post", "/recordings")),
    ("already recording 409; nobody in the room 409", 409, lambda m, p, _op: (m, p) == ("post", "/recordings")),
    ("When this machine can't carry another recording: 503", 503, lambda m, p, _op: (m, p) == ("post", "/recordings")),
    ("Stop: … not running 409; Delete: … running 409", 409, lambda m, p, _op: m != "get" and "recordings" in p),
    ("Delete: 204; unknown 404", 404, lambda m, p, _op: (m, p) == ("delete", "/recordings/{recordingId}")),
    ("Stream: … not finished 409", 409, lambda _m, p, _op: p.endswith("/stream")),
    ("a moderator's participant token for its own room (403)", 403, lambda _m, p, _op: p.endswith("/stream")),
    ("Wrong secrets at the token paths: 30 failures a minute and address", 429, lambda _m, p, _op: "token" in p),
    ("`maxItems` (1–100, else 422)", 422, lambda m, p, _op: m == "get" and p in {"/rooms", "/recordings"}),
]  # fmt: skip


def given(name: str) -> dict[str, Any]:
    """Load a given document as it is."""
    return dict(yaml.safe_load((FOLDER / name).read_text()))


def overlaid(name: str) -> dict[str, Any]:
    """Load a given document with what decisions.md adds."""
    document = copy.deepcopy(given(name))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for _sentence, status, concerns in OVERLAY:
                if concerns(method, path, operation):
                    operation["responses"].setdefault(str(status), ERROR)
    _overlay_authentication(document)
    return document


def _overlay_authentication(document: dict[str, Any]) -> None:
    # the role's secret is what authorises it
    for path in ("/participants/token",):
        document["paths"][path]["post"].pop("security", None)
    # the tokens (not the API key) are accepted as a bearer too
    schemes = document["components"]["securitySchemes"]
    if "apiKeyInHeader" not in schemes:
        document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        for methods in document["paths"].values():
            for operation in methods.values():
                if "security" in operation:
                    operation["security"] = [{"bearer": []}]
