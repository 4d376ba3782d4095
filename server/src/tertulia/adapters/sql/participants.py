"""What is kept of identities in rooms."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from tertulia.adapters.sql.statements import upsert
from tertulia.adapters.sql.tables import memberships
from tertulia.domain.access import Role
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import Membership
from tertulia.services.ports import MembershipRepository

_FIND: Final = select(memberships).where(
    memberships.c.room == bindparam("room"), memberships.c.identity == bindparam("identity")
)


class SqlMembershipRepository(MembershipRepository):
    """Memberships in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def find(self, room: RoomName, identity: Identity) -> Membership | None:
        row = self._connection.execute(_FIND, {"room": room, "identity": identity}).one_or_none()
        if row is None:
            return None
        return Membership(
            room=row.room,
            identity=row.identity,
            role=None if row.role is None else Role(row.role),
            role_changed_at_ms=row.role_changed_at_ms,
            reserved_until_ms=row.reserved_until_ms,
            tokens_revoked_until_ms=row.dead_before_ms,
        )

    def put(self, membership: Membership) -> None:
        upsert(
            self._connection,
            memberships,
            {
                "room": membership.room,
                "identity": membership.identity,
                "role": membership.role,
                "role_changed_at_ms": membership.role_changed_at_ms,
                "reserved_until_ms": membership.reserved_until_ms,
                "dead_before_ms": membership.tokens_revoked_until_ms,
            },
        )

    def delete_idle(self, *, now_ms: Millis, older_than_ms: Millis, limit: int) -> int:
        key = tuple_(memberships.c.room, memberships.c.identity)
        idle = (
            select(memberships.c.room, memberships.c.identity)
            .where(
                memberships.c.reserved_until_ms < now_ms,
                memberships.c.role.is_(None),
                memberships.c.dead_before_ms < older_than_ms,
            )
            .order_by(memberships.c.reserved_until_ms)
            .limit(limit)
        )
        return self._connection.execute(delete(memberships).where(key.in_(idle))).rowcount
