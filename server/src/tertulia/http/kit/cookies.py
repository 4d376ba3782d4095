"""The names of our cookies."""

from __future__ import annotations

from typing import Final

ACCESS_COOKIE: Final = "OvMeetAccessToken"
REFRESH_COOKIE: Final = "OvMeetRefreshToken"
PARTICIPANT_COOKIE: Final = "OvMeetParticipantToken"
