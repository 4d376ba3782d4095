"""LiveKit's signalling over WebSocket: `/rtc/v1`, the older `/rtc` with two peer connections, and `validate`."""

import asyncio
import time
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
from structlog.contextvars import bind_contextvars

from tertulia_sfu.errors import (
    GrantMissing,
    InvalidRequest,
    InvalidToken,
    JoinRefused,
    MediaError,
    RoomFull,
    ServiceUnavailable,
)
from tertulia_sfu.ids import RoomName, new_participant_sid
from tertulia_sfu.join_policy import Admission, JoinAttempt, JoinPolicy
from tertulia_sfu.rooms.budget import COPIES_PER_MESSAGE, OFFER_MESSAGES, RESUME_MESSAGES
from tertulia_sfu.rooms.limits import check_sizes
from tertulia_sfu.rooms.live_rooms import LiveRooms
from tertulia_sfu.rooms.permissions import Requirement, fulfils
from tertulia_sfu.rooms.session import SignalSession
from tertulia_sfu.rooms.session_messages import leave_message
from tertulia_sfu.signalling import legacy
from tertulia_sfu.signalling.codec import parse_signal_request, unwrap_join_request
from tertulia_sfu.signalling.connection import SignalConnection, SignalConnections
from tertulia_sfu.signalling.join_budget import UNKNOWN_ADDRESS, JoinBudget
from tertulia_sfu.tokens import Claims, Tokens, require_join

_log = structlog.get_logger(__name__)

READ_REST_S: Final = 1.0  # for what a client sent before it closed
CORS: Final = {"Access-Control-Allow-Origin": "*"}
MAX_PARAMETERS: Final = 100
MAX_ESCAPES: Final = 16_384
"""In 256 KiB of base64, 8,192 characters are + and /, which some clients escape."""

_MAX_REASON: Final = 200
_STATUS: Final[Mapping[str, int]] = {
    "unauthenticated": 401,
    "permission_denied": 403,
    "invalid_argument": 400,
    "not_found": 404,
    "unavailable": 503,
}


@dataclass(frozen=True)
class _VerifiedJoin:
    """A join or resume that token, limits and join policy allow; `claims` are the ones that hold.

    `is_dual`: the client uses two peer connections.
    """

    claims: Claims
    request: JoinRequest
    is_dual: bool
    token_not_after: float | None


class SignalEndpoint:
    """The WebSocket endpoint: verifies joins, then carries messages between the socket and the session."""

    def __init__(
        self,
        *,
        rooms: LiveRooms,
        connections: SignalConnections,
        tokens: Tokens,
        join_policy: JoinPolicy,
        clock: Callable[[], float],
    ) -> None:
        self._rooms = rooms
        self._connections = connections
        self._tokens = tokens
        self._join_policy = join_policy
        self._clock = clock
        self._joins = JoinBudget()
        self._open_sockets = 0
        self._all_closed = asyncio.Event()
        self._all_closed.set()
        self._stopping = False

    def routes(self) -> list[BaseRoute]:
        """Return the routes that clients connect to."""
        return [
            WebSocketRoute("/rtc/v1", self._connect),
            WebSocketRoute("/rtc", self._connect),
            Route("/rtc/v1/validate", self._validate),
            Route("/rtc/validate", self._validate),
            Route("/rtc/v1", self._not_upgraded),
            Route("/rtc", self._not_upgraded),
        ]

    async def stop(self, grace_s: float) -> None:
        """Refuse new joins, and wait at most `grace_s` until the open sockets have closed."""
        self._stopping = True
        try:
            async with asyncio.timeout(grace_s):
                await self._all_closed.wait()
        except TimeoutError:
            _log.warning("sockets still open", count=self._open_sockets)

    # ── verifying ──

    async def _not_upgraded(self, _request: Request) -> Response:
        return _text(404, "Connect with a WebSocket.")

    async def _validate(self, request: Request) -> Response:
        try:
            _check_query(request)
            await self._verify(request)
        except MediaError as error:
            return _refusal(request, error)
        return _text(200, "success")

    async def _verify(self, connection: HTTPConnection) -> _VerifiedJoin:
        """Verify token and join request, then ask the join policy. Raise MediaError for what is not allowed."""
        self._joins.check(_address(connection), self._clock())
        claims = self._tokens.verify(_access_token(connection))
        require_join(claims)
        # every line of this request says whose it is, also when it is refused
        bind_contextvars(room=claims.video.room, identity=claims.identity)
        request, is_dual = _join_request(connection)
        await self._wait_for_turn(_address(connection), claims, request)
        if self._stopping:
            raise ServiceUnavailable("The server is stopping.")
        self._rooms.check_exists(claims)
        admission = await self._admit(claims, request)
        claims = _with_own_metadata(_with_admission(claims, admission), request)
        return _VerifiedJoin(claims, request, is_dual, admission.token_not_after)

    async def _wait_for_turn(self, address: str, claims: Claims, request: JoinRequest) -> None:
        """Wait as long as the budget for joins says. Raise ServiceUnavailable when it is used up."""
        room, identity = claims.video.room, claims.identity
        if request.reconnect and self._rooms.resumable(room, identity, request.participant_sid) is not None:
            return
        wait_s = self._joins.admit(address=address, room=room, identity=identity, now=self._clock())
        if wait_s:
            await asyncio.sleep(wait_s)

    async def _admit(self, claims: Claims, request: JoinRequest) -> Admission:
        attempt = JoinAttempt(
            room=RoomName(claims.video.room), identity=claims.identity, claims=claims, reconnect=request.reconnect
        )
        try:
            admission = await self._join_policy.admit(attempt)
        except Exception:  # noqa: BLE001 – a defect of the application refuses this join only, and is logged
            _log.exception("the join policy failed")
            raise ServiceUnavailable("The server cannot check this join at the moment.") from None
        refusal = admission.refusal
        if refusal is not None:
            raise JoinRefused(refusal.message, status=refusal.status)
        return admission

    # ── connecting ──

    async def _connect(self, socket: WebSocket) -> None:
        try:
            _check_query(socket)
        except MediaError as error:
            await socket.send_denial_response(_refusal(socket, error))
            return
        try:
            join = await self._verify(socket)
        except MediaError as error:
            await socket.send_denial_response(_refusal(socket, error))
            return
        self._open_sockets += 1
        self._all_closed.clear()
        try:
            await self._serve(socket, join)
        finally:
            self._open_sockets -= 1
            if not self._open_sockets:
                self._all_closed.set()

    async def _serve(self, socket: WebSocket, join: _VerifiedJoin) -> None:
        connection = SignalConnection(room=join.claims.video.room, identity=join.claims.identity)
        if join.request.reconnect:
            session = self._resume(socket, join, connection)
        else:
            try:
                session = self._join(join, connection, _address(socket))
            except RoomFull:
                connection.send(leave_message(DisconnectReason.JOIN_FAILURE).SerializeToString())
                session = None
            except MediaError as error:
                await socket.send_denial_response(_refusal(socket, error))
                return
        await socket.accept()
        if session is None:
            connection.close()
            await connection.run(socket)
        else:
            await self._carry_messages(socket, session, connection)

    def _join(self, join: _VerifiedJoin, connection: SignalConnection, address: str) -> SignalSession:
        sid, claims, cpu_before = new_participant_sid(), join.claims, time.thread_time()
        self._connections.attach(sid, connection)
        try:
            session = self._rooms.join(
                sid,
                claims,
                join.request,
                now=self._clock(),
                address=address,
                token_not_after=join.token_not_after,
                is_dual=join.is_dual,
            )
        except BaseException:
            self._connections.detach(sid, connection)
            raise
        self._joins.charge(
            room=claims.video.room,
            identity=claims.identity,
            cpu_s=time.thread_time() - cpu_before,
            repeated_bytes=session.participant.repeated_bytes,
            now=self._clock(),
        )
        return session

    def _resume(self, socket: WebSocket, join: _VerifiedJoin, connection: SignalConnection) -> SignalSession | None:
        """Continue an existing session, or tell the client (in the first message) to join again."""
        claims, now = join.claims, self._clock()
        session = self._rooms.resumable(claims.video.room, claims.identity, join.request.participant_sid)
        if session is not None:
            session.budget.charge(now, messages=RESUME_MESSAGES)
            if session.budget.is_exceeded:
                self._remove_offender(session, socket)
                session = None
        if session is None:
            connection.send(leave_message(DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT).SerializeToString())
            return None
        fault = session.participant.take_resume_fault(now)
        if fault is not None and fault.silent:
            return None
        self._connections.attach(session.participant.sid, connection)
        session.participant.address = _address(socket)
        session.resume(join.request, now)
        if fault is not None:
            connection.close()
        return session

    # ── carrying messages ──

    async def _carry_messages(self, socket: WebSocket, session: SignalSession, connection: SignalConnection) -> None:
        sid = session.participant.sid
        bind_contextvars(participant=sid)
        try:
            async with asyncio.TaskGroup() as tasks:
                reader = tasks.create_task(self._read(socket, session, connection), name=f"signals of {sid}")
                if await connection.run(socket):
                    # a client that leaves closes its socket right after its `leave`
                    await asyncio.wait([reader], timeout=READ_REST_S)
                reader.cancel()
        finally:
            if self._connections.detach(sid, connection):
                session.room.connectivity.signal_lost(session.participant, self._clock())

    async def _read(self, socket: WebSocket, session: SignalSession, connection: SignalConnection) -> None:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                connection.close()
                return
            wait_s = self._handle_at_cost(session, message.get("bytes"))
            if session.budget.is_exceeded:
                self._remove_offender(session, socket)
                return
            # without a wait, too, others take their turn: many messages may be here already
            await asyncio.sleep(wait_s)

    def _handle_at_cost(self, session: SignalSession, frame: bytes | None) -> float:
        """Handle a frame and charge what it cost. Return how long (s) to wait before the next."""
        participant = session.participant
        cpu_before, repeated_before = time.thread_time(), participant.repeated_bytes
        copies_before = participant.repeated_copies
        field = self._handle(session, frame)
        own = OFFER_MESSAGES if field in {"offer", "answer"} else 1
        return session.budget.charge(
            self._clock(),
            messages=own + (participant.repeated_copies - copies_before) // COPIES_PER_MESSAGE,
            size=len(frame or b""),
            cpu_s=time.thread_time() - cpu_before,
            repeated_bytes=participant.repeated_bytes - repeated_before,
        )

    def _remove_offender(self, session: SignalSession, connection: HTTPConnection) -> None:
        participant = session.participant
        _log.warning(
            "participant removed: its requests exceed the budget",
            address=_address(connection),
            **participant.log_fields,
        )
        session.room.remove(participant, DisconnectReason.STATE_MISMATCH, self._clock())

    def _handle(self, session: SignalSession, frame: bytes | None) -> str | None:
        """Handle a frame. Return the name of its message."""
        now = self._clock()
        if self._rooms.session(session.participant.sid) is not session:
            return None
        field = None
        try:
            request = parse_signal_request(frame)
            field = request.WhichOneof("message")
            session.handle(request, now)
        except InvalidRequest as error:
            _log.info("signalling closed", reason=str(error), **session.participant.log_fields)
            session.room.remove(session.participant, DisconnectReason.STATE_MISMATCH, now)
        except Exception:  # noqa: BLE001 – a defect costs one session a full reconnect, and is logged
            _log.exception("signalling request failed", **session.participant.log_fields)
            session.room.require_full_reconnect(session.participant, now)
        return field


def _check_query(connection: HTTPConnection) -> None:
    """Raise InvalidRequest for more parameters or escapes than clients send: each costs time, and anyone may ask."""
    query: bytes = connection.scope["query_string"]
    if query.count(b"&") > MAX_PARAMETERS or query.count(b"%") > MAX_ESCAPES:
        raise InvalidRequest("The query has too many parameters or escaped bytes.")


def _join_request(connection: HTTPConnection) -> tuple[JoinRequest, bool]:
    """Return what a client joins with, and whether it uses two peer connections. Raise InvalidRequest."""
    wrapped = connection.query_params.get("join_request")
    if wrapped is not None:
        return unwrap_join_request(wrapped), False
    if connection.url.path.removesuffix("/validate").endswith("/v1"):
        raise InvalidRequest("The join_request is missing.")
    return legacy.join_request_of(connection.query_params), True


def _access_token(connection: HTTPConnection) -> str:
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


def _with_admission(claims: Claims, admission: Admission) -> Claims:
    """Return the claims with what the join policy replaced in them."""
    return replace(
        claims,
        video=claims.video if admission.grant is None else admission.grant,
        name=claims.name if admission.name is None else admission.name,
        metadata=claims.metadata if admission.metadata is None else admission.metadata,
        attributes=claims.attributes if admission.attributes is None else admission.attributes,
    )


def _with_own_metadata(claims: Claims, request: JoinRequest) -> Claims:
    """Return the claims with what the client sets itself while joining. Raise GrantMissing if it may not."""
    if not request.metadata and not request.participant_attributes:
        return claims
    if not fulfils(claims, Requirement.UPDATE_OWN_METADATA):
        raise GrantMissing("The token does not allow setting one's own metadata (canUpdateOwnMetadata).")
    # who joins cannot delete what the token says
    added = {key: value for key, value in request.participant_attributes.items() if value}
    merged = dict(claims.attributes) | added
    check_sizes(metadata=request.metadata, attributes=merged)
    return replace(claims, metadata=request.metadata or claims.metadata, attributes=merged)


def _refusal(connection: HTTPConnection, error: MediaError) -> Response:
    """Log that a join is refused, and return the response."""
    status = error.status if isinstance(error, JoinRefused) else _STATUS.get(error.code, 500)
    _log.warning(
        "join refused", code=error.code, status=status, reason=str(error)[:_MAX_REASON], address=_address(connection)
    )
    return _text(status, str(error))


def _address(connection: HTTPConnection) -> str:
    return UNKNOWN_ADDRESS if connection.client is None else connection.client.host


def _text(status: int, text: str) -> Response:
    return PlainTextResponse(text, status_code=status, headers=CORS)
