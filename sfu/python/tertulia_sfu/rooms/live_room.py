"""A live room: joining, resuming, leaving, changes, and the room's lifetime. `now` is the room's time (s)."""

import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from livekit.protocol.models import ClientInfo, DisconnectReason, ParticipantInfo, ParticipantPermission
from livekit.protocol.rtc import JoinRequest, LeaveRequest, RoomUpdate, SignalResponse

from tertulia_sfu.config import MediaConfig
from tertulia_sfu.errors import RoomFull
from tertulia_sfu.ids import ParticipantSid
from tertulia_sfu.rooms import session_messages
from tertulia_sfu.rooms.connectivity import Connectivity
from tertulia_sfu.rooms.data_relay import DataRelay
from tertulia_sfu.rooms.data_tracks import DataTrackManager
from tertulia_sfu.rooms.dynacast import Dynacast
from tertulia_sfu.rooms.encoding import join_frame, part
from tertulia_sfu.rooms.limits import check_sizes, distinct_values
from tertulia_sfu.rooms.negotiation import Negotiator
from tertulia_sfu.rooms.participant import Participant, SubscriptionPreferences
from tertulia_sfu.rooms.protocol import PROTOCOL, SUBSCRIBER_PRIMARY
from tertulia_sfu.rooms.publications import PublicationManager
from tertulia_sfu.rooms.quality import RoomQuality
from tertulia_sfu.rooms.roster import Roster
from tertulia_sfu.rooms.status_updates import StatusUpdates
from tertulia_sfu.rooms.subscriptions import SubscriptionManager
from tertulia_sfu.tokens import Claims, Tokens

MAX_DEPARTED: Final = 200


class LiveRoom:
    """One meeting. What happens is a method call; what follows from it goes out through the roster's ports."""

    def __init__(
        self,
        roster: Roster,
        *,
        config: MediaConfig,
        tokens: Tokens,
        node_id: str,
        on_left: Callable[[Participant], None],
        on_closed: Callable[["LiveRoom"], None],
    ) -> None:
        self.roster = roster
        self.status = StatusUpdates(roster)
        self.quality = RoomQuality(roster)
        self.dynacast = Dynacast(roster)
        self.subscriptions = SubscriptionManager(roster, self.dynacast)
        self.publications = PublicationManager(roster, self.subscriptions, self.status.send_room_if_changed)
        self.data = DataRelay(roster)
        self.data_tracks = DataTrackManager(roster, self.status.send_room_if_changed)
        self.negotiation = Negotiator(roster, on_unanswered=self.require_full_reconnect)
        self.connectivity = Connectivity(roster, self.status, join_timeout_s=config.join_timeout_s, remove=self.remove)
        self._config = config
        self._tokens = tokens
        self._node_id = node_id
        self._on_left = on_left
        self._on_closed = on_closed
        self._sif_trailer = os.urandom(16)
        self._departed: deque[tuple[float, ParticipantSid, bytes]] = deque(maxlen=MAX_DEPARTED)
        self._started = False

    # ── joining ──

    def join(
        self,
        sid: ParticipantSid,
        claims: Claims,
        request: JoinRequest,
        *,
        now: float,
        address: str = "unknown",
        token_not_after: float | None = None,
        is_dual: bool = False,
    ) -> Participant:
        """Add a participant and send the first messages. Of two with one identity the newer stays. Raise RoomFull."""
        settings, protocol = request.connection_settings, request.client_info.protocol
        participant = Participant(
            sid=sid,
            claims=claims,
            client=_client_info(request.client_info),
            preferences=SubscriptionPreferences(
                auto_subscribe=settings.auto_subscribe,
                adaptive_stream=settings.adaptive_stream,
                auto_subscribe_data=settings.auto_subscribe_data_track,
            ),
            joined_at=now,
            protocol=protocol if is_dual else protocol or PROTOCOL,
            is_dual=is_dual,
            subscriber_primary=is_dual and protocol >= SUBSCRIBER_PRIMARY and claims.video.can_subscribe,
            address=address,
            token_not_after=token_not_after,
        )
        self._check_capacity(participant)
        older = self.roster.find(participant.identity)
        if older is not None:
            self.remove(older, DisconnectReason.DUPLICATE_IDENTITY, now)
        self.roster.add(participant)
        room, codecs = self.roster.sid, list(self.roster.codecs)
        self.roster.media.add_peer(sid, room=room, codecs=codecs)
        if is_dual:
            self.roster.media.add_subscriber(
                participant.subscriber_peer, room=room, channels=participant.subscriber_primary, codecs=codecs
            )
        self._send_join(participant, now)
        self._check_lifetime(now)
        self.connectivity.joined(participant, now)
        self.subscriptions.add_subscriber(participant)
        self.data_tracks.reconcile_subscriber(participant)
        return participant

    def _check_capacity(self, newcomer: Participant) -> None:
        limit = self.roster.max_participants
        if not limit or not newcomer.is_counted:
            return
        older = self.roster.find(newcomer.identity)
        if self.roster.num_counted - (older is not None and older.is_counted) >= limit:
            raise RoomFull(f"The room already holds {limit} participants.")

    def _send_join(self, participant: Participant, now: float) -> None:
        message = session_messages.join_message(
            room=self.roster.room_info(),
            participant=participant.info(),
            ice_servers=self._config.ice_servers(participant.sid),
            node_id=self._node_id,
            sif_trailer=self._sif_trailer,
            subscriber_primary=participant.subscriber_primary,
        )
        self.roster.send(participant, join_frame(message, self.roster.visible_to(participant)))
        self.roster.updates.mark_as_told(participant)
        participant.state = ParticipantInfo.JOINED
        participant.increment_version()
        self.roster.announce(participant, now, urgent=False, to_itself=False)
        self.roster.updates.mark_as_told(participant)
        self.send_token(participant, now)
        if not self._started:
            self._started = True
            self.roster.notify("room_started")
        self.status.send_room_if_changed(now)

    def send_token(self, participant: Participant, now: float) -> None:
        """Send the client a fresh token for its next reconnect, now and every `token_refresh_s`."""
        token = self._tokens.refresh(participant.claims, not_after=participant.token_not_after)
        self.roster.send(participant, SignalResponse(refresh_token=token))
        key = ("token", participant.sid)
        self.roster.timers.set(key, now + self._config.token_refresh_s, partial(self.send_token, participant))

    def resume(self, participant: Participant, *, now: float) -> None:
        """Send a client with a new signal connection what it may have missed."""
        lost_at = self.connectivity.resumed(participant, now)
        message = session_messages.reconnect_message(
            ice_servers=self._config.ice_servers(participant.sid),
            node_id=self._node_id,
            last_sequence=participant.last_reliable_sequence,
        )
        self.roster.send(participant, message)
        departed = [state for at, sid, state in self._departed if at >= lost_at and self.roster.get(sid) is None]
        self.roster.send_states(participant, departed)
        self.roster.send_states(participant, [part(participant.info()), *self.roster.visible_to(participant)])
        self.roster.updates.mark_as_told(participant)
        self.roster.send(participant, SignalResponse(room_update=RoomUpdate(room=self.roster.room_info())))
        self.negotiation.restart(participant)
        self.dynacast.repeat(participant)
        self.data_tracks.repeat_handles(participant)
        self.send_token(participant, now)

    # ── leaving ──

    def require_full_reconnect(self, participant: Participant, now: float) -> None:
        """End a session whose state is lost or wrong; the client is told to join again (LiveKit's full reconnect)."""
        self.remove(participant, DisconnectReason.STATE_MISMATCH, now, action=LeaveRequest.RECONNECT)

    def remove(
        self,
        participant: Participant,
        reason: "DisconnectReason",
        now: float,
        *,
        action: "LeaveRequest.Action" = LeaveRequest.DISCONNECT,
        send_leave: bool = True,
        announce: bool = True,
    ) -> None:
        """End a session: send `leave` and close the connection, and tell the others. Do nothing if it has ended."""
        if self.roster.get(participant.sid) is not participant:
            return
        if send_leave:
            self.roster.send(participant, session_messages.leave_message(reason, action))
        self.roster.signals.close(participant.sid)
        self.roster.discard(participant)
        self.roster.media.remove_peer(participant.sid)
        if participant.is_dual:
            self.roster.media.remove_peer(participant.subscriber_peer)
        self.data_tracks.forget(participant, tell=announce)
        self.connectivity.forget(participant)
        for key in ("token", "speaking", "answer"):
            self.roster.timers.cancel((key, participant.sid))
        participant.state = ParticipantInfo.DISCONNECTED
        participant.increment_version()
        if not participant.is_hidden:
            state = part(participant.info(reason))
            self._departed.append((now, participant.sid, state))
            if announce:
                self.roster.announce_left(participant, state, now, urgent=bool(participant.announced))
        self._notify_left(participant)
        self._on_left(participant)
        self.status.send_room_if_changed(now)
        self._check_lifetime(now)

    def _notify_left(self, participant: Participant) -> None:
        for publication in participant.announced:
            self.subscriptions.forget_track(publication.sid)
            self.roster.notify("track_unpublished", participant, publication.info)
        event = "participant_left" if participant.was_active else "participant_connection_aborted"
        self.roster.notify(event, participant)

    # ── lifetime ──

    def opened(self, now: float) -> None:
        """Start the empty timeout of a new room."""
        self._check_lifetime(now)

    def close(
        self, reason: "DisconnectReason", now: float, *, action: "LeaveRequest.Action" = LeaveRequest.DISCONNECT
    ) -> None:
        """End the meeting for all participants. Each is told of its own end only: not N² messages for N of them."""
        self.roster.send_all(session_messages.leave_message(reason, action))
        for participant in self.roster:
            self.remove(participant, reason, now, send_leave=False, announce=False)
        self.roster.timers.cancel(("lifetime", self.roster.sid))
        self.status.close()
        self.roster.updates.close()
        if self._started:
            self._started = False
            self.roster.notify("room_finished")
        self._on_closed(self)

    def _check_lifetime(self, now: float) -> None:
        key = ("lifetime", self.roster.sid)
        if self.roster.is_kept_open:
            self.roster.timers.cancel(key)
            return
        timeout_s = self.roster.departure_timeout_s if self._started else self.roster.empty_timeout_s
        self.roster.timers.set(key, now + timeout_s, partial(self.close, DisconnectReason.ROOM_CLOSED))

    # ── changes ──

    def change_participant(
        self,
        participant: Participant,
        *,
        now: float,
        name: str | None = None,
        metadata: str | None = None,
        attributes: dict[str, str] | None = None,
        permission: ParticipantPermission | None = None,
    ) -> None:
        """Change what is given, enforce it, and tell all. Raise InvalidRequest for values that are too long."""
        merged = participant.merged_attributes(attributes) if attributes else None
        check_sizes(name=name, metadata=metadata, attributes=merged)
        was_hidden = participant.is_hidden
        participant.change_claims(name=name, metadata=metadata, attributes=attributes, permission=permission)
        participant.increment_version()
        self.publications.withdraw_forbidden(participant, now)
        self.subscriptions.reconcile_subscriber(participant)
        self.data_tracks.follow_grants(participant)
        if participant.is_hidden and not was_hidden:
            self._announce_hidden(participant, now)
        self.roster.announce(participant, now)
        self.send_token(participant, now)
        self.status.send_room_if_changed(now)

    def _announce_hidden(self, participant: Participant, now: float) -> None:
        """Tell the others that a participant that became hidden has left."""
        info = participant.info()
        info.state = ParticipantInfo.DISCONNECTED
        self.roster.announce_left(participant, part(info), now, urgent=True)

    def change_metadata(self, metadata: str, now: float) -> None:
        """Change the room's metadata and tell all. Raise InvalidRequest if it is too long."""
        check_sizes(metadata=metadata)
        self.roster.metadata = metadata
        self.status.send_room_if_changed(now)


def _client_info(client: ClientInfo) -> ClientInfo:
    """Return what the others are told of a client: the rest is neither kept nor repeated."""
    return ClientInfo(
        client_protocol=client.client_protocol,
        capabilities=distinct_values(client.capabilities),
    )
