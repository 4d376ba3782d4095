"""What a client understands, by the protocol version that it names when it joins (`ClientInfo.protocol`)."""

from typing import Final

PROTOCOL: Final = 17
"""What this server speaks; also that of clients that name none."""

SUBSCRIBER_PRIMARY: Final = 3  # of two peer connections, the one that receives counts
TRACK_UNPUBLISHED: Final = 7  # the server's message that it has ended a track
QUALITY_LOST: Final = 11  # `ConnectionQuality.LOST`
LEAVE_ACTION: Final = 13  # `LeaveRequest.action`; earlier ones take every `leave` for the end or for a new join
POSITIVE_RESPONSE: Final = 15  # a `RequestResponse` that reports no error
