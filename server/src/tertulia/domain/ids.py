"""Ids are types: a room's name never stands where a recording's id is expected."""

from __future__ import annotations

from typing import NewType

RoomName = NewType("RoomName", str)
Identity = NewType("Identity", str)
"""A participant's name: LiveKit's participant identity, unique in a room."""
RecordingId = NewType("RecordingId", str)
SessionId = NewType("SessionId", str)
Millis = NewType("Millis", int)
"""An instant: whole milliseconds since the Unix epoch."""

LATEST = Millis(8_640_000_000_000_000)
"""The last instant that every client can hold (ECMAScript's limit of a date)."""
