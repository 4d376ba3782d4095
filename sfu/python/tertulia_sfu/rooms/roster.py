"""The participants of a room, and the ways to reach them: the part that all other parts of a live room use."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from livekit.protocol.models import Codec, ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import SignalResponse

from tertulia_sfu.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid, new_room_sid
from tertulia_sfu.rooms.encoding import part, update_frames
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.participant_updates import AT_ONCE_UP_TO, ParticipantUpdates
from tertulia_sfu.rooms.ports import EventListener, MediaCommands, SignalSink, Timers

# what one participant adds to the counts of its room: counted, publishing, recording, keeping the room open
_Weight = tuple[int, int, int, int]
_NOTHING: _Weight = (0, 0, 0, 0)


def _weight(participant: Participant) -> _Weight:
    counted = participant.is_counted
    publishes = counted and participant.is_publisher
    return counted, publishes, participant.is_recorder, not participant.is_dependent


class Roster:
    """The participants of one room in the order they joined, its settings, and its ports."""

    def __init__(
        self,
        name: RoomName,
        *,
        now: float,
        media: MediaCommands,
        signals: SignalSink,
        timers: Timers,
        listener: EventListener,
    ) -> None:
        self.name = name
        self.sid: RoomSid = new_room_sid()
        self.created_at = now
        self.media = media
        self.signals = signals
        self.timers = timers
        self.metadata = ""
        self.max_participants = 0
        self.empty_timeout_s = 0
        self.departure_timeout_s = 0
        self.codecs: Sequence[str] = ()
        self._listener = listener
        self._by_identity: dict[Identity, Participant] = {}
        self._by_sid: dict[ParticipantSid, Participant] = {}
        self._publishers: dict[TrackSid, Participant] = {}
        self._weights: dict[ParticipantSid, _Weight] = {}
        self._counts: _Weight = _NOTHING
        # the state of each participant that the others know, serialised
        self._visible: dict[ParticipantSid, bytes] = {}
        self.updates = ParticipantUpdates(self.sid, self._by_sid.values, signals=signals, timers=timers)

    def __iter__(self) -> Iterator[Participant]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, participant: Participant) -> None:
        """Add a participant. Its identity must not be in use."""
        self._by_identity[participant.claims.identity] = participant
        self._by_sid[participant.sid] = participant
        self._recount(participant)

    def discard(self, participant: Participant) -> None:
        """Remove a participant, if it is there."""
        self._by_sid.pop(participant.sid, None)
        self._by_identity.pop(participant.claims.identity, None)
        for track in participant.publications:
            self._publishers.pop(track, None)
        self._visible.pop(participant.sid, None)
        self._recount(participant)

    def _recount(self, participant: Participant) -> None:
        """Take over what a participant adds to the counts, after any change of it."""
        before = self._weights.pop(participant.sid, _NOTHING)
        now = _NOTHING
        if participant.sid in self._by_sid:
            now = self._weights[participant.sid] = _weight(participant)
        if now != before:
            a, b, c, d = (count + new - old for count, new, old in zip(self._counts, now, before, strict=True))
            self._counts = (a, b, c, d)

    @property
    def num_counted(self) -> int:
        """The number of participants that count towards `max_participants`."""
        return self._counts[0]

    @property
    def is_kept_open(self) -> bool:
        """Whether there is a participant that is neither a recorder nor an agent."""
        return self._counts[3] > 0

    def add_publication(self, owner: Participant, publication: Publication) -> None:
        """Add a track to its publisher, and to the index by which it is found."""
        owner.publications[publication.sid] = publication
        self._publishers[publication.sid] = owner

    def remove_publication(self, owner: Participant, publication: Publication) -> None:
        """Remove a track from its publisher and from the index."""
        owner.publications.pop(publication.sid, None)
        self._publishers.pop(publication.sid, None)

    def find(self, identity: str) -> Participant | None:
        """Return the participant with this identity."""
        return self._by_identity.get(Identity(identity))

    def get(self, sid: str) -> Participant | None:
        """Return the participant with this session id."""
        return self._by_sid.get(ParticipantSid(sid))

    def find_publication(self, track: str) -> tuple[Participant, Publication] | None:
        """Return a track's publisher and publication, announced or not."""
        sid = TrackSid(track)
        owner = self._publishers.get(sid)
        return None if owner is None else (owner, owner.publications[sid])

    def announced_publications(self) -> list[tuple[Participant, Publication]]:
        """Return all publications that the participants know, with their publishers."""
        found = [(owner, owner.publications[track]) for track, owner in self._publishers.items()]
        return [(owner, publication) for owner, publication in found if publication.announced]

    def send(self, participant: Participant, message: SignalResponse | bytes) -> None:
        """Send a message to one participant."""
        self.signals.send([participant.sid], message)

    def send_all(self, message: SignalResponse, *, but: Participant | None = None) -> None:
        """Send a message to all participants, or to all but one."""
        self.signals.send([sid for sid in self._by_sid if but is None or sid != but.sid], message)

    def announce(
        self,
        participant: Participant,
        now: float,
        *,
        urgent: bool = True,
        to_itself: bool = True,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Tell all of a participant's new state, at once or a little later (see `ParticipantUpdates`).

        That of a hidden one is sent only to itself. `then` is called when it was sent.
        """
        self._recount(participant)
        if participant.is_hidden:
            if to_itself:
                for frame in update_frames([part(participant.info())]):
                    self.send(participant, frame)
            if then is not None:
                then()
            return
        state = part(participant.info())
        self._visible[participant.sid] = state
        participant.repeated_bytes += len(state)
        participant.repeated_copies += min(len(self), AT_ONCE_UP_TO)
        self.updates.add(participant, state, now, urgent=urgent, to_itself=to_itself, then=then)

    def announce_left(self, participant: Participant, state: bytes, now: float, *, urgent: bool) -> None:
        """Tell the others of the last state of a participant that left, or that became hidden to them."""
        self._visible.pop(participant.sid, None)
        participant.repeated_bytes += len(state)
        self.updates.add(participant, state, now, urgent=urgent, to_itself=False, then=None)

    def send_states(self, participant: Participant, states: Iterable[bytes]) -> None:
        """Send the state of many participants (parts) to one, split into messages of about 128 KiB at most."""
        for frame in update_frames(states):
            self.send(participant, frame)

    def visible_to(self, viewer: Participant) -> list[bytes]:
        """Return the state (parts) of all others that a participant may know of."""
        return [state for sid, state in self._visible.items() if sid != viewer.sid]

    def all_states(self) -> list[bytes]:
        """Return the state (parts) of all participants, hidden ones too."""
        return [self._visible.get(sid) or part(each.info()) for sid, each in self._by_sid.items()]

    def room_info(self) -> RoomInfo:
        """Return the room as clients and the server API see it."""
        counted, publishers, recorders, _independent = self._counts
        return RoomInfo(
            sid=self.sid,
            name=self.name,
            empty_timeout=self.empty_timeout_s,
            departure_timeout=self.departure_timeout_s,
            max_participants=self.max_participants,
            creation_time=int(self.created_at),
            creation_time_ms=int(self.created_at * 1000),
            metadata=self.metadata,
            enabled_codecs=[Codec(mime=mime) for mime in self.codecs],
            num_participants=counted,
            num_publishers=publishers,
            active_recording=recorders > 0,
        )

    def notify(self, event: str, participant: Participant | None = None, track: TrackInfo | None = None) -> None:
        """Report an event to the listener. Events of a track have only the ids of their participant, as in LiveKit."""
        info = None
        if participant is not None:
            info = participant.info()
            if track is not None:
                info = ParticipantInfo(sid=info.sid, identity=info.identity, name=info.name)
        self._listener(event, room=self.room_info(), participant=info, track=track)
