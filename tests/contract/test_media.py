"""Media: what one participant publishes, the others receive: the colour, the tone."""

from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from support.livekit_clients import BLUE, RED, is_near, joined, mean_colour, token, tone
from support.media_servers import RunningServer, embedded

CAMERA = rtc.TrackSource.SOURCE_CAMERA
MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


async def test_colour_and_tone_arrive_in_both_directions(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows(RED)
        await ann.sounds(440)
        await bob.shows(BLUE)
        await bob.sounds(880)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
        assert is_near(await mean_colour(await ann.receives("bob", CAMERA), BLUE), BLUE)
        assert await tone(await bob.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)
        assert await tone(await ann.receives("bob", MICROPHONE), 880) == pytest.approx(880, abs=20)


async def test_late_joiner_receives_what_is_published_already(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        await ann.shows(RED)
        await ann.sounds(440)
        async with joined(server, token(server, "bob", room)) as early:
            await early.receives("ann", CAMERA)
            async with joined(server, token(server, "eve", room)) as late:
                assert is_near(await mean_colour(await late.receives("ann", CAMERA), RED), RED)
                assert await tone(await late.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)


async def test_simulcast_camera_arrives(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows(RED, size=(1280, 720), simulcast=True)
        track = await bob.receives("ann", CAMERA)
        assert is_near(await mean_colour(track, RED), RED)
        publication = next(iter(bob.room.remote_participants["ann"].track_publications.values()))
        assert publication.simulcasted


@pytest.mark.parametrize("codec", ["VP8", "H264", "VP9", "AV1"])
async def test_the_codec_that_the_publisher_wants_is_sent(server: RunningServer, room: str, codec: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows(RED, codec=rtc.VideoCodec.Value(codec))
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
        publication = next(iter(bob.room.remote_participants["ann"].track_publications.values()))
        assert publication.mime_type.lower() == f"video/{codec.lower()}"


async def test_a_screen_and_its_sound_arrive_beside_camera_and_microphone(server: RunningServer, room: str) -> None:
    screen, screens_sound = rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows(RED)
        await ann.sounds(440)
        await ann.shows(BLUE, source=screen)
        await ann.sounds(880, source=screens_sound)
        assert is_near(await mean_colour(await bob.receives("ann", screen), BLUE), BLUE)
        assert await tone(await bob.receives("ann", screens_sound), 880) == pytest.approx(880, abs=20)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
        assert await tone(await bob.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)


async def test_codecs_may_be_restricted(room: str) -> None:
    async with (
        embedded(codecs=("video/VP8", "audio/opus")) as server,
        joined(server, token(server, "ann", room)) as ann,
        joined(server, token(server, "bob", room)) as bob,
    ):
        await ann.shows(RED)
        await ann.sounds(440)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)
        assert await tone(await bob.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)
        publications = bob.room.remote_participants["ann"].track_publications.values()
        assert {each.mime_type.lower() for each in publications} == {"video/vp8", "audio/opus"}


async def test_sound_is_sent_with_redundancy(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sounds(440)
        assert await tone(await bob.receives("ann", MICROPHONE), 440) == pytest.approx(440, abs=20)
        publication = next(iter(bob.room.remote_participants["ann"].track_publications.values()))
        assert publication.mime_type.lower() == "audio/red"


async def test_mute_and_unmute_are_seen(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        publication = await ann.sounds(440)
        track = await bob.receives("ann", MICROPHONE)
        publication.track.mute()
        await bob.wait_for_event("track_muted")
        publication.track.unmute()
        await bob.wait_for_event("track_unmuted")
        assert await tone(track, 440) == pytest.approx(440, abs=20)


async def test_unpublish_is_seen_and_the_next_track_arrives(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        first = await ann.shows(RED)
        await bob.receives("ann", CAMERA)
        await ann.me.unpublish_track(first.sid)
        await bob.wait_for_event("track_unpublished")
        await bob.wait_for_event("track_unsubscribed")
        await ann.shows(BLUE)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), BLUE), BLUE)


async def test_many_tracks_of_many_participants_arrive(server: RunningServer, room: str) -> None:
    """More tracks than the sections a client offers at first."""
    async with joined(server, token(server, "watcher", room)) as watcher:
        colours = {"ann": RED, "bob": BLUE, "cid": (30, 180, 30), "dan": (200, 200, 30), "eve": (30, 200, 200)}
        async with asyncio.timeout(100):
            await _show_all(server, room, watcher, colours)


async def _show_all(server: RunningServer, room: str, watcher, colours) -> None:
    if not colours:
        return
    (name, colour), *rest = colours.items()
    async with joined(server, token(server, name, room)) as client:
        await client.shows(colour, size=(160, 90))
        assert is_near(await mean_colour(await watcher.receives(name, CAMERA), colour), colour), name
        await _show_all(server, room, watcher, dict(rest))


async def test_unsubscribe_and_subscribe_again(server: RunningServer, room: str) -> None:
    bobs = token(server, "bob", room, can_update_own_metadata=True)
    async with joined(server, token(server, "ann", room)) as ann, joined(server, bobs) as bob:
        await ann.shows(RED)
        await bob.receives("ann", CAMERA)
        publication = next(iter(bob.room.remote_participants["ann"].track_publications.values()))
        publication.set_subscribed(False)
        await bob.wait_for_event("track_unsubscribed")
        # the SDK sends each change in a task of its own: on a busy machine the second could overtake the first
        await bob.me.set_attributes({"unsubscribed": "yes"})
        publication.set_subscribed(True)
        await bob.until(lambda: len(bob.events_named("track_subscribed")) == 2, "the track again")
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)


async def test_nothing_is_subscribed_without_auto_subscribe(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann:
        await ann.shows(RED)
        options = rtc.RoomOptions(auto_subscribe=False)
        async with joined(server, token(server, "bob", room), options=options) as bob:
            await bob.sees("ann")
            publications = bob.room.remote_participants["ann"].track_publications
            publication = await bob.until(lambda: next(iter(publications.values()), None), "the publication")
            assert publication.track is None
            publication.set_subscribed(True)
            assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)


async def test_publisher_learns_of_its_first_subscriber(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)):
        publication = await ann.sounds()
        async with asyncio.timeout(10):
            await publication.wait_for_subscription()


async def test_active_speakers_are_sent(server: RunningServer, room: str) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sounds(440)
        await bob.until(
            lambda: any(
                speaker.identity == "ann"
                for (speakers,) in bob.events_named("active_speakers_changed")
                for speaker in speakers
            ),
            "ann to speak",
        )
