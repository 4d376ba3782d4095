"""Who is in a room, and how they are told: the part of a live room that all its other parts stand on."""

from collections.abc import Iterable, Iterator

from livekit.protocol.models import ParticipantInfo, TrackInfo
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.rtc import ParticipantUpdate, SignalResponse

from tertulia_sfu.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid, new_room_sid
from tertulia_sfu.rooms.participant import Participant, Publication
from tertulia_sfu.rooms.ports import EventListener, Media, Signals, Timers

MAX_UPDATE_BYTES = 128 * 1024


class Roster:
    """The participants of one room in the order they joined, and the ways out: signals, media, timers, notices."""

    def __init__(
        self, name: RoomName, *, now: float, media: Media, signals: Signals, timers: Timers, notices: EventListener
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
        self._notices = notices
        self._by_identity: dict[Identity, Participant] = {}
        self._by_sid: dict[ParticipantSid, Participant] = {}

    def __iter__(self) -> Iterator[Participant]:
        return iter(list(self._by_sid.values()))

    def __len__(self) -> int:
        return len(self._by_sid)

    def add(self, participant: Participant) -> None:
        """Take somebody in. The identity must be free."""
        self._by_identity[participant.claims.identity] = participant
        self._by_sid[participant.sid] = participant

    def discard(self, participant: Participant) -> None:
        """Forget somebody."""
        self._by_sid.pop(participant.sid, None)
        self._by_identity.pop(participant.claims.identity, None)

    def find(self, identity: str) -> Participant | None:
        """The participant with this identity."""
        return self._by_identity.get(Identity(identity))

    def get(self, sid: str) -> Participant | None:
        """The participant of this session id."""
        return self._by_sid.get(ParticipantSid(sid))

    def owner_of(self, track: str) -> tuple[Participant, Publication] | None:
        """Who publishes a track, announced or not."""
        for participant in self._by_sid.values():
            publication = participant.publications.get(TrackSid(track))
            if publication is not None:
                return participant, publication
        return None

    def send(self, participant: Participant, message: SignalResponse) -> None:
        """Tell one participant."""
        self.signals.send([participant.sid], message)

    def send_all(self, message: SignalResponse, *, but: Participant | None = None) -> None:
        """Tell everyone, or everyone else."""
        self.signals.send([sid for sid in self._by_sid if but is None or sid != but.sid], message)

    def announce(
        self, participant: Participant, *, to_itself: bool = True, info: ParticipantInfo | None = None
    ) -> None:
        """Tell of a change. A hidden participant's changes are told to itself only."""
        message = SignalResponse(update=ParticipantUpdate(participants=[info or participant.info()]))
        if participant.is_hidden:
            if to_itself:
                self.send(participant, message)
        else:
            self.send_all(message, but=None if to_itself else participant)

    def send_update(self, participant: Participant, infos: Iterable[ParticipantInfo]) -> None:
        """Tell one participant of many, split so that no message grows beyond 128 KiB or so."""
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
        """Everyone else that a participant may know of."""
        return [one.info() for one in self._by_sid.values() if one is not viewer and not one.is_hidden]

    def room_info(self) -> RoomInfo:
        """The room as clients and the server API see it."""
        counted = [one for one in self._by_sid.values() if one.takes_a_place]
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
            num_publishers=sum(1 for one in counted if one.announced),
            active_recording=any(one.is_recorder for one in self._by_sid.values()),
        )

    def notify(self, event: str, participant: Participant | None = None, track: TrackInfo | None = None) -> None:
        """Tell the application. Events about a track name their participant by its ids only, as LiveKit does."""
        info = None
        if participant is not None:
            info = participant.info()
            if track is not None:
                info = ParticipantInfo(sid=info.sid, identity=info.identity, name=info.name)
        self._notices(event, room=self.room_info(), participant=info, track=track)
