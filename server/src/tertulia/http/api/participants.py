"""Participants over HTTP, for both base paths."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tertulia.domain.ids import Identity
from tertulia.http.api.authentication import Credentials
from tertulia.http.api.schemas import InRoom, MeetingLink, RoleChange, TokenOptions, participant_answer
from tertulia.http.kit.asgi import header, set_cookie
from tertulia.http.kit.cookies import PARTICIPANT_COOKIE
from tertulia.http.kit.operations import Call
from tertulia.http.kit.replies import Reply, json_reply, no_content
from tertulia.services.participants import LinkRequest, ParticipantService, TokenRequest

_COOKIE_MAX_AGE_S: Final = 6 * 3600


class ParticipantHandlers:
    """Translates between HTTP and the participants' service."""

    def __init__(self, *, participants: ParticipantService, credentials: Credentials, secure_cookies: bool) -> None:
        self._participants = participants
        self._credentials = credentials
        self._secure_cookies = secure_cookies

    async def token(self, call: Call) -> Reply:
        """POST /participants/token on the public path: a taken name is no error."""
        return await self._answer_token(call, self._participants.token)

    async def token_if_free(self, call: Call) -> Reply:
        """POST /participants/token on the internal path: 409 when the name is taken by somebody else."""
        return await self._answer_token(call, self._participants.token_if_free)

    async def role(self, call: Call) -> Reply:
        """POST /participants/role: what a link is good for, before anybody is asked for a name or a camera."""
        link = call.body_as(MeetingLink)
        role = await self._participants.role_of_link(
            LinkRequest(
                room=link.roomName,
                secret=link.secret,
                logged_in=await self._logged_in(call),
                address=call.address,
            )
        )
        return json_reply({"role": role})

    async def refresh(self, call: Call) -> Reply:
        """POST /participants/token/refresh."""
        return await self._answer_token(call, self._participants.refreshed_token)

    async def _answer_token(self, call: Call, issue: Callable[[TokenRequest], Awaitable[str]]) -> Reply:
        options = call.body_as(TokenOptions)
        token = await issue(
            TokenRequest(
                room=options.roomName,
                identity=options.identity(),
                secret=options.secret,
                shown=self._credentials.shown(call.scope),
                logged_in=await self._logged_in(call),
                address=call.address,
            )
        )
        cookie = set_cookie(
            PARTICIPANT_COOKIE, token, path="/", max_age_s=_COOKIE_MAX_AGE_S, secure=self._secure_cookies
        )
        return json_reply({"token": token}, headers=[cookie])

    async def _logged_in(self, call: Call) -> bool:
        credentials_came = header(call.scope, b"authorization") or header(call.scope, b"cookie")
        return bool(credentials_came) and await self._credentials.logged_in(call.scope)

    async def disconnect(self, call: Call) -> Reply:
        """DELETE /participants/{participantName} on the public path."""
        await self._participants.disconnect(call.query_as(InRoom).roomName, Identity(call.path["participantName"]))
        return no_content()

    async def disconnect_as_moderator(self, call: Call) -> Reply:
        """DELETE /participants/{participantName} on the internal path: by a moderator of the same room."""
        call.only_in(call.query_as(InRoom).roomName)
        return await self.disconnect(call)

    async def list_all(self, call: Call) -> Reply:
        """GET /rooms/{roomName}/participants."""
        call.only_in(call.path["roomName"])
        return json_reply([participant_answer(one) for one in await self._participants.in_room(call.path["roomName"])])

    async def mute(self, call: Call) -> Reply:
        """POST /rooms/{roomName}/participants/{participantName}/mute."""
        call.only_in(call.path["roomName"])
        await self._participants.mute(call.path["roomName"], Identity(call.path["participantName"]))
        return no_content()

    async def change_role(self, call: Call) -> Reply:
        """PUT /rooms/{roomName}/participants/{participantName}."""
        call.only_in(call.path["roomName"])
        changed = await self._participants.change_role(
            call.path["roomName"], Identity(call.path["participantName"]), call.body_as(RoleChange).role
        )
        return json_reply(participant_answer(changed))
