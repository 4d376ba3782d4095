"""Ids and times of the contract between a worker and its recorder. The product uses the same types."""

from typing import NewType

RoomName = NewType("RoomName", str)
Identity = NewType("Identity", str)
"""LiveKit's participant identity, unique in a room."""
RecordingId = NewType("RecordingId", str)
Millis = NewType("Millis", int)
"""An instant: whole milliseconds since the Unix epoch."""
