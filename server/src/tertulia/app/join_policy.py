"""The product's part in the embedded media server: who may join, and which TURN servers a participant gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tertulia.adapters.clock import SystemClock
from tertulia.domain.ids import Identity, Millis
from tertulia.errors import Forbidden, NotFound, TertuliaError
from tertulia.services.admission import AdmissionService
from tertulia.services.tokens import ParticipantMetadata
from tertulia.services.turn import turn_login
from tertulia.settings import Settings
from tertulia_sfu.config import IceServer
from tertulia_sfu.join_policy import Admission, JoinAttempt, Refusal


class RoomJoinPolicy:
    """Decides at every join what a token alone cannot hold: the room's expiry, a revoked token, a changed role."""

    def __init__(self, admission: AdmissionService) -> None:
        self._admission = admission

    async def admit(self, join: JoinAttempt) -> Admission:
        """Admit or refuse a client with a valid token."""
        metadata = ParticipantMetadata.parse(join.claims.metadata)
        issued_at_ms = metadata.issued_at_ms if metadata is not None else Millis(int(join.claims.issued_at * 1000))
        try:
            admitted = await self._admission.admit(
                join.room, Identity(join.identity), None if metadata is None else metadata.role, issued_at_ms
            )
        except NotFound as refusal:
            return Admission(Refusal(404, refusal.message))
        except Forbidden as refusal:
            return Admission(Refusal(403, refusal.message))
        except TertuliaError as refusal:
            return Admission(Refusal(503, refusal.told))
        if admitted.grants is None or metadata is None or admitted.role is None:
            return Admission(token_not_after=admitted.room_expires_at_ms / 1000)
        return Admission(
            grant=replace(
                join.claims.video,
                can_publish=admitted.grants.can_publish,
                can_subscribe=admitted.grants.can_subscribe,
                can_publish_data=admitted.grants.can_publish_data,
            ),
            metadata=metadata.in_text(join.claims.metadata, role=admitted.role),
            token_not_after=admitted.room_expires_at_ms / 1000,
        )


def ice_servers(settings: Settings) -> Callable[[str], list[IceServer]]:
    """Return the function that issues a participant's short-lived TURN logins."""
    clock = SystemClock()

    def servers(participant: str) -> list[IceServer]:
        if not settings.turn_urls:
            return []
        login = turn_login(settings.turn_secret, participant, now_ms=clock.now_ms())
        return [IceServer(settings.turn_urls, login.username, login.credential)]

    return servers
