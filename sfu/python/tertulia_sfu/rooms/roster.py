"""The participants of a room, and the ways to reach them: the part that all other parts of a live room use."""

from collections.abc import Iterable, Iterator
from typing import Final

from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import ParticipantUpdate, SignalResponse

from tertulia_sfu.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid, new_room_sid
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.ports import EventListener, MediaCommands, SignalSink, Timers

MAX_UPDATE_BYTES: Final = 128 * 1024


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
        self._listener = listener
        self._by_identity: dict[Identity, Participant] = {}
        self._by_sid: dict[ParticipantSid, Participant] = {}
        self._publishers: dict[TrackSid, Participant] = {}

    def __iter__(self) -> Iterator[Participant]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, participant: Participant) -> None:
        """Add a participant. Its identity must not be in use."""
        self._by_identity[participant.claims.identity] = participant
        self._by_sid[participant.sid] = participant

    def discard(self, participant: Participant) -> None:
        """Remove a participant, if it is there."""
        self._by_sid.pop(participant.sid, None)
        self._by_identity.pop(participant.claims.identity, None)
        for track in participant.publications:
            self._publishers.pop(track, None)

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

    def send(self, participant: Participant, message: SignalResponse) -> None:
        """Send a message to one participant."""
        self.signals.send([participant.sid], message)

    def send_all(self, message: SignalResponse, *, but: Participant | None = None) -> None:
        """Send a message to all participants, or to all but one."""
        self.signals.send([sid for sid in self._by_sid if but is None or sid != but.sid], message)

    def announce(
        self, participant: Participant, *, to_itself: bool = True, info: ParticipantInfo | None = None
    ) -> None:
        """Send a participant's new state to all. That of a hidden one is sent only to itself."""
        message = SignalResponse(update=ParticipantUpdate(participants=[info or participant.info()]))
        if participant.is_hidden:
            if to_itself:
                self.send(participant, message)
        else:
            participant.repeated_bytes += message.ByteSize()
            self.send_all(message, but=None if to_itself else participant)

    def send_update(self, participant: Participant, infos: Iterable[ParticipantInfo]) -> None:
        """Send the state of many participants to one, split into messages of about 128 KiB at most."""
        chunk: list[ParticipantInfo] = []
        size = 0
        for info in infos:
            if chunk and size + info.ByteSize() > MAX_UPDATE_BYTES:
                self.send(participant, SignalResponse(update=ParticipantUpdate(participants=chunk)))
                chunk, size = [], 0
            chunk.append(info)
            size += info.ByteSize()
        if chunk:
            self.send(participant, SignalResponse(update=ParticipantUpdate(participants=chunk)))

    def visible_to(self, viewer: Participant) -> list[ParticipantInfo]:
        """Return the state of all others that a participant may know of."""
        return [each.info() for each in self._by_sid.values() if each is not viewer and not each.is_hidden]

    def room_info(self) -> RoomInfo:
        """Return the room as clients and the server API see it."""
        counted = [each for each in self._by_sid.values() if each.is_counted]
        return RoomInfo(
            sid=self.sid,
            name=self.name,
            empty_timeout=self.empty_timeout_s,
            departure_timeout=self.departure_timeout_s,
            max_participants=self.max_participants,
            creation_time=int(self.created_at),
            creation_time_ms=int(self.created_at * 1000),
            metadata=self.metadata,
            num_participants=len(counted),
            num_publishers=sum(1 for each in counted if each.announced),
            active_recording=any(each.is_recorder for each in self._by_sid.values()),
        )

    def notify(self, event: str, participant: Participant | None = None, track: TrackInfo | None = None) -> None:
        """Report an event to the listener. Events of a track have only the ids of their participant, as in LiveKit."""
        info = None
        if participant is not None:
            info = participant.info()
            if track is not None:
                info = ParticipantInfo(sid=info.sid, identity=info.identity, name=info.name)
        self._listener(event, room=self.room_info(), participant=info, track=track)
