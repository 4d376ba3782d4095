"""LiveKit's signalling over WebSocket: `/rtc/v1`, its older path where it carries a join request, and `validate`."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import JoinRequest, LeaveRequest
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tertulia_sfu.errors import GrantMissing, InvalidRequest, InvalidToken, MediaError, Refused, RoomFull, Unreachable
from tertulia_sfu.ids import RoomName, new_participant_sid
from tertulia_sfu.join_policy import Admission, JoinAttempt, JoinPolicy
from tertulia_sfu.rooms.live_room import check_sizes
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.permissions import Need, has
from tertulia_sfu.rooms.session import SignalSession
from tertulia_sfu.rooms.session_messages import leave_message
from tertulia_sfu.signalling.connection import SignalConnection, SignalConnections
from tertulia_sfu.tokens import Claims, Tokens, require_join
from tertulia_sfu.wire import parse_signal_request, unwrap_join_request

_log = structlog.get_logger(__name__)

CORS: Final = {"Access-Control-Allow-Origin": "*"}
NO_LEGACY_SIGNALLING: Final = (
    "This server speaks LiveKit's signalling v1 only: connect to /rtc/v1, or use a client that does."
)

_STATUS: Final[Mapping[str, int]] = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "invalid_argument": 400,
    "not_found": 404,
    "unavailable": 503,
}


@dataclass(frozen=True)
class _Entry:
    claims: Claims
    request: JoinRequest
    token_not_after: float | None


class Signalling:
    """The WebSocket edge: checks who comes, then carries frames between the socket and the session."""

    def __init__(
        self,
        *,
        rooms: LiveRooms,
        lines: SignalConnections,
        tokens: Tokens,
        join_policy: JoinPolicy,
        clock: Callable[[], float],
    ) -> None:
        self._rooms = rooms
        self._lines = lines
        self._tokens = tokens
        self._join_policy = join_policy
        self._clock = clock
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False

    def routes(self) -> list[BaseRoute]:
        """Where clients connect."""
        return [
            WebSocketRoute("/rtc/v1", self._connect),
            WebSocketRoute("/rtc", self._connect),
            Route("/rtc/v1/validate", self._validate),
            Route("/rtc/validate", self._validate),
            Route("/rtc/v1", self._not_upgraded),
            Route("/rtc", self._not_upgraded),
        ]

    async def stop(self, grace_s: float) -> None:
        """Let nobody in any more, and wait until the open sockets have closed."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("sockets still open", count=self._open)

    # ── who comes ──

    async def _not_upgraded(self, _request: Request) -> Response:
        return _text(404, "Connect with a WebSocket.")

    async def _validate(self, request: Request) -> Response:
        try:
            await self._enter(request)
        except MediaError as error:
            return _refusal(error)
        return _text(200, "success")

    async def _enter(self, connection: HTTPConnection) -> _Entry:
        """Verify token and join request, then ask the join_policy. Raises MediaError."""
        if self._stopping:
            raise Unreachable("The server is stopping.")
        claims = self._tokens.verify(_token(connection))
        require_join(claims)
        wrapped = connection.query_params.get("join_request")
        request = JoinRequest() if wrapped is None else unwrap_join_request(wrapped)
        self._rooms.check_exists(claims)
        admission = await self._admit(claims, request)
        claims = _own_metadata(_admitted(claims, admission), request)
        return _Entry(claims, request, admission.token_not_after)

    async def _admit(self, claims: Claims, request: JoinRequest) -> Admission:
        attempt = JoinAttempt(
            room=RoomName(claims.video.room), identity=claims.identity, claims=claims, reconnect=request.reconnect
        )
        try:
            admission = await self._join_policy.admit(attempt)
        except Exception:
            _log.exception("the join_policy failed")
            raise Unreachable("The server cannot check this join at the moment.") from None
        refusal = admission.refusal
        if refusal is not None:
            raise Refused(refusal.sentence, status=refusal.status, reason=refusal.reason)
        return admission

    async def _connect(self, socket: WebSocket) -> None:
        if "join_request" not in socket.query_params:
            is_legacy = not socket.url.path.endswith("/v1")
            sentence = NO_LEGACY_SIGNALLING if is_legacy else "The join_request is missing."
            await socket.send_denial_response(_text(404 if is_legacy else 400, sentence))
            return
        try:
            entry = await self._enter(socket)
        except MediaError as error:
            await socket.send_denial_response(_refusal(error))
            return
        self._open += 1
        self._idle.clear()
        try:
            await self._begin(socket, entry)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def _begin(self, socket: WebSocket, entry: _Entry) -> None:
        line = SignalConnection()
        if entry.request.reconnect:
            session = self._resume(entry, line)
        else:
            try:
                session = self._join(entry, line)
            except RoomFull:
                line.send(leave_message(DisconnectReason.JOIN_FAILURE).SerializeToString())
                session = None
            except MediaError as error:
                await socket.send_denial_response(_refusal(error))
                return
        await socket.accept()
        if session is None:
            line.end()
            await line.pump(socket)
        else:
            await self._carry(socket, session, line)

    def _join(self, entry: _Entry, line: SignalConnection) -> SignalSession:
        sid = new_participant_sid()
        self._lines.attach(sid, line)
        try:
            return self._rooms.join(
                sid, entry.claims, entry.request, now=self._clock(), token_not_after=entry.token_not_after
            )
        except BaseException:
            self._lines.detach(sid, line)
            raise

    def _resume(self, entry: _Entry, line: SignalConnection) -> SignalSession | None:
        """Go on with an old session, or tell the client (as the first message) that there is none."""
        claims, now = entry.claims, self._clock()
        session = self._rooms.resumable(claims.video.room, claims.identity, entry.request.participant_sid)
        if session is None:
            line.send(leave_message(DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT).SerializeToString())
            return None
        fault = session.participant.take_resume_fault(now)
        if fault is not None and fault.silent:
            return None
        self._lines.attach(session.participant.sid, line)
        session.resume(entry.request, now)
        if fault is not None:
            line.end()
        return session

    # ── carrying frames ──

    async def _carry(self, socket: WebSocket, session: SignalSession, line: SignalConnection) -> None:
        sid = session.participant.sid
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read(socket, session, line), name=f"signals of {sid}")
                await line.pump(socket)
                reader.cancel()
        finally:
            if self._lines.detach(sid, line):
                session.room.signal_lost(session.participant, self._clock())

    async def _read(self, socket: WebSocket, session: SignalSession, line: SignalConnection) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                line.end()
                return
            self._handle(session, message.get("bytes"))

    def _handle(self, session: SignalSession, frame: bytes | None) -> None:
        now = self._clock()
        if self._rooms.session(session.participant.sid) is not session:
            return
        try:
            session.handle(parse_signal_request(frame), now)
        except InvalidRequest as error:
            _log.info("signalling closed", participant=session.participant.sid, reason=str(error))
            session.room.remove(session.participant, DisconnectReason.STATE_MISMATCH, now)
        except Exception:
            _log.exception("signalling request failed", participant=session.participant.sid)
            session.room.start_over(session.participant, now)


def _token(connection: HTTPConnection) -> str:
    header = connection.headers.get("authorization")
    if header is None:
        token = connection.query_params.get("access_token", "")
    elif header.startswith("Bearer "):
        token = header.removeprefix("Bearer ")
    else:
        raise InvalidToken("The Authorization header is not a bearer token.")
    if not token:
        raise InvalidToken("A token is needed.")
    return token


def _admitted(claims: Claims, admission: Admission) -> Claims:
    return replace(
        claims,
        video=claims.video if admission.grant is None else admission.grant,
        name=claims.name if admission.name is None else admission.name,
        metadata=claims.metadata if admission.metadata is None else admission.metadata,
        attributes=claims.attributes if admission.attributes is None else admission.attributes,
    )


def _own_metadata(claims: Claims, request: JoinRequest) -> Claims:
    """The claims with what the client itself sets while joining, if it may."""
    if not request.metadata and not request.participant_attributes:
        return claims
    if not has(claims, Need.UPDATE_OWN_METADATA):
        raise GrantMissing("The token does not allow setting one's own metadata (canUpdateOwnMetadata).")
    merged = dict(claims.attributes) | dict(request.participant_attributes)
    check_sizes(metadata=request.metadata, attributes=merged)
    return replace(claims, metadata=request.metadata or claims.metadata, attributes=merged)


def _refusal(error: MediaError) -> Response:
    status = error.status if isinstance(error, Refused) else _STATUS.get(error.code, 500)
    return _text(status, str(error))


def _text(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=status, headers=CORS)
