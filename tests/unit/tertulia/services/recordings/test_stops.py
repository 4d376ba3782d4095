"""How long ago a recording was stopped, as its recorder is told by the media server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.offline_installation import OfflineInstallation
from support.services import ManualClock, MediaServerInMemory
from tertulia.domain.access import Grants
from tertulia.domain.ids import Identity, Millis, RoomName
from tertulia.domain.participants import LiveParticipant
from tertulia.domain.recordings.recording import Recording, RecordingState
from tertulia.services.recordings import stops
from tertulia.services.recordings.stops import RecorderStops
from tertulia.services.tokens import recorder_identity

HOUR_MS = 3_600_000
MINUTE_S = 60.0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def row(installation: OfflineInstallation, room: RoomName, clock: ManualClock) -> Recording:
    """Return a recording that was stopped two seconds ago, and has not ended."""
    row = await installation.add_row(RecordingState.ENDING, room=room)
    stopped = replace(row, stop_requested_at_ms=Millis(clock.now - 2000))
    await installation.store.write(lambda tx: tx.recordings.update(stopped, only_from=frozenset({row.state})))
    return stopped


@pytest.fixture
def media(row: Recording) -> MediaServerInMemory:
    recorder = recorder_identity(row.id)
    grants = Grants(can_publish=False, can_subscribe=True, can_publish_data=False)
    hidden = LiveParticipant(recorder, "", Millis(0), None, grants, True)
    return MediaServerInMemory(connected={row.room: {recorder: hidden}})


@pytest.fixture
def sent(installation: OfflineInstallation, clock: ManualClock, media: MediaServerInMemory) -> RecorderStops:
    return RecorderStops(store=installation.store, clock=clock, media=media)


def ages_s(media: MediaServerInMemory) -> list[float]:
    return [age_s for _identity, age_s in media.stopped_recorders]


async def test_the_server_that_was_asked_knows_by_its_own_clock(
    sent: RecorderStops, row: Recording, clock: ManualClock, media: MediaServerInMemory
) -> None:
    """It tells the recorder at once, and again while the row has not ended; its clock may jump meanwhile."""
    await sent.send(row)
    clock.now += HOUR_MS
    await sent.repeat()
    assert media.stopped_recorders[0][0] == recorder_identity(row.id)
    assert len(ages_s(media)) == 2
    assert max(ages_s(media)) < MINUTE_S


async def test_another_server_takes_over(
    sent: RecorderStops, row: Recording, media: MediaServerInMemory, installation: OfflineInstallation
) -> None:
    await sent.repeat()
    assert 2 <= ages_s(media)[0] < MINUTE_S
    await installation.store.write(
        lambda tx: tx.recordings.update(
            replace(row, state=RecordingState.COMPLETE), only_from=frozenset({RecordingState.ENDING})
        )
    )
    await sent.repeat()
    assert len(media.stopped_recorders) == 1


async def test_a_clock_that_differs_reaches_back_to_the_last_look_only(
    installation: OfflineInstallation, room: RoomName, clock: ManualClock
) -> None:
    media = MediaServerInMemory()
    looking = RecorderStops(store=installation.store, clock=clock, media=media)
    await looking.repeat()
    row = await installation.add_row(RecordingState.ENDING, room=room)
    stopped = replace(row, stop_requested_at_ms=Millis(clock.now - HOUR_MS))
    await installation.store.write(lambda tx: tx.recordings.update(stopped, only_from=frozenset({row.state})))
    media.connected[row.room] = {recorder_identity(row.id): None}  # type: ignore[dict-item]
    await looking.repeat()
    assert ages_s(media)[0] < MINUTE_S


async def test_a_media_server_that_is_away_costs_nothing(
    sent: RecorderStops, row: Recording, media: MediaServerInMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop is accepted, and the recorder told later."""
    monkeypatch.setattr(stops, "_TIMEOUT_S", 0.1)
    media.is_away = True
    await sent.send(row)
    media.is_away = False
    await sent.repeat()
    assert len(media.stopped_recorders) == 1
    assert Identity(media.stopped_recorders[0][0]) == recorder_identity(row.id)
