"""Finds out who asks, on each of the two base paths. Which kinds of credential count, the permission table says."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from tertulia.domain.access import Actor, Principal, Role
from tertulia.errors import unauthenticated
from tertulia.http.kit.asgi import Scope, cookie, header
from tertulia.http.kit.cookies import ACCESS_COOKIE, PARTICIPANT_COOKIE
from tertulia.services.accounts import AccountService
from tertulia.services.participants import ParticipantService
from tertulia.services.tokens import ParticipantToken, ParticipantTokens

_ACTOR: Final = {Role.MODERATOR: Actor.MODERATOR, Role.PUBLISHER: Actor.PUBLISHER, Role.VIEWER: Actor.VIEWER}


def bearer(scope: Scope) -> str | None:
    """Read a bearer token (RFC 6750)."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


class Credentials:
    """Reads the credentials of a request. A bearer token beats a cookie, also when the token is wrong."""

    def __init__(
        self, *, accounts: AccountService, participants: ParticipantService, tokens: ParticipantTokens
    ) -> None:
        self._accounts = accounts
        self._participants = participants
        self._tokens = tokens

    async def api_key(self, scope: Scope) -> Principal | None:
        """Accept the API key; None when none came. Raises Unauthenticated for a wrong one."""
        offered = header(scope, b"x-api-key")
        if offered is None:
            return None
        if not await self._accounts.is_api_key(offered):
            raise unauthenticated()
        return Principal(Actor.API_KEY)

    async def admin(self, token: str | None) -> Principal | None:
        """Accept the access token of a living session."""
        session = await self._accounts.session_of(token) if token else None
        return None if session is None else Principal(Actor.ADMIN, session=session.id)

    async def participant(self, token: str | None) -> Principal | None:
        """Accept a living participant token; its holder's role is the one that is kept, not the one inside."""
        read = self._tokens.read(token) if token else None
        role = await self._participants.holder(read) if read is not None else None
        if read is None or role is None:
            return None
        return Principal(_ACTOR[role], room=read.room, identity=read.identity)

    def ticket(self, scope: Scope) -> Principal | None:
        """Accept a ticket in the query; None when none came. Raises Unauthenticated for a wrong one."""
        offered = parse_qs(scope["query_string"].decode("latin-1")).get("ticket")
        if offered is None:
            return None
        recording = self._accounts.recording_of_ticket(offered[0])
        if recording is None:
            raise unauthenticated()
        return Principal(Actor.TICKET, recording=recording)

    def holder(self, token: str | None) -> Principal | None:
        """Accept a participant token that may have run out."""
        read = self._tokens.read(token) if token else None
        return None if read is None else Principal(Actor.HOLDER, room=read.room, identity=read.identity)

    async def logged_in(self, scope: Scope) -> bool:
        """Tell whether an administrator's session comes along, whatever else does."""
        by_bearer = await self.admin(bearer(scope))
        return by_bearer is not None or await self.admin(cookie(scope, ACCESS_COOKIE)) is not None

    def shown(self, scope: Scope) -> ParticipantToken | None:
        """Read the participant token that comes along, living or not."""
        token = bearer(scope)
        by_bearer = self._tokens.read(token) if token else None
        if by_bearer is not None:
            return by_bearer
        token = cookie(scope, PARTICIPANT_COOKIE)
        return self._tokens.read(token) if token else None


class PublicAuthenticator:
    """The public API: the API key, or an administrator's session."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def identify(self, scope: Scope, accepted: frozenset[Actor]) -> Principal:
        """Return who asks. Raises Unauthenticated."""
        principal = await self._credentials.api_key(scope)
        if principal is None and Actor.ADMIN in accepted:
            principal = await self._credentials.admin(bearer(scope) or cookie(scope, ACCESS_COOKIE))
        if principal is None:
            raise unauthenticated()
        return principal


class InternalAuthenticator:
    """The internal API: an administrator's session or a participant's token, by bearer or cookie; never the API key."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def identify(self, scope: Scope, accepted: frozenset[Actor]) -> Principal:
        """Return who asks, if the operation takes that kind of credential. Raises Unauthenticated."""
        token = bearer(scope)
        principal = self._credentials.ticket(scope) if Actor.TICKET in accepted else None
        if principal is not None:
            return principal
        if Actor.HOLDER in accepted:
            principal = self._credentials.holder(token or cookie(scope, PARTICIPANT_COOKIE))
        if Actor.ADMIN in accepted:
            principal = await self._credentials.admin(token or cookie(scope, ACCESS_COOKIE))
        if principal is None and accepted & {Actor.MODERATOR, Actor.PUBLISHER, Actor.VIEWER}:
            principal = await self._credentials.participant(token or cookie(scope, PARTICIPANT_COOKIE))
        if principal is None:
            raise unauthenticated()
        return principal
