"""Ids are types: a room's name never stands where a recording's id is expected."""

from __future__ import annotations

from typing import NewType

from tertulia_recorder.ids import Identity, Millis, RecordingId, RoomName

__all__ = ["LATEST", "ApiKeyId", "Identity", "MeetingId", "Millis", "RecordingId", "RoomName", "SessionId"]

SessionId = NewType("SessionId", str)
ApiKeyId = NewType("ApiKeyId", str)
MeetingId = NewType("MeetingId", str)
"""Of one running meeting: LiveKit's room SID. The next meeting of the same room has another one."""

LATEST = Millis(8_640_000_000_000_000)
"""The last instant that every client can hold (ECMAScript's limit of a date)."""
