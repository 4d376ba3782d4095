"""Grants: the server refuses what a token does not allow, whatever the client tries; changes hold at once."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc
from livekit.rtc.participant import PublishTrackError

from support.livekit_clients import RED, is_near, joined, mean_colour, token
from support.media_servers import RunningServer

CAMERA = rtc.TrackSource.SOURCE_CAMERA


async def test_a_viewer_receives_and_cannot_publish(server: RunningServer, room: str) -> None:
    viewer_token = token(server, "viewer", room, can_publish=False, can_publish_data=False)
    async with joined(server, token(server, "ann", room)) as ann, joined(server, viewer_token) as viewer:
        await ann.shows(RED)
        assert is_near(await mean_colour(await viewer.receives("ann", CAMERA), RED), RED)
        with pytest.raises((PublishTrackError, asyncio.TimeoutError)):
            async with asyncio.timeout(2):
                await viewer.shows()
        await viewer.sees("ann")
        await viewer.me.publish_data(b"psst")
        await ann.me.publish_data(b"mark")
        await viewer.wait_for_event("data_received")
        assert ann.events_named("data_received") == []


async def test_only_allowed_sources_are_published(server: RunningServer, room: str) -> None:
    only_sound = token(server, "ann", room, can_publish=True, can_publish_sources=["microphone"])
    async with joined(server, only_sound) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.sounds()
        await bob.wait_for_event("track_subscribed")
        with pytest.raises((PublishTrackError, asyncio.TimeoutError)):
            async with asyncio.timeout(2):
                await ann.shows()
        assert len(bob.room.remote_participants["ann"].track_publications) == 1


async def test_who_may_not_subscribe_receives_nothing(server: RunningServer, room: str) -> None:
    deaf = token(server, "deaf", room, can_subscribe=False)
    async with (
        joined(server, token(server, "ann", room)) as ann,
        joined(server, deaf) as other,
        joined(server, token(server, "bob", room)) as bob,
    ):
        await ann.sounds()
        await bob.wait_for_event("track_subscribed")
        await other.sees("ann")
        assert other.events_named("track_subscribed") == []


async def test_own_metadata_needs_the_grant(server: RunningServer, room: str) -> None:
    allowed = token(server, "ann", room, can_update_own_metadata=True)
    async with joined(server, allowed) as ann, joined(server, token(server, "bob", room)) as bob:
        await bob.sees("ann")
        await ann.me.set_name("Anna")
        await ann.me.set_metadata("here")
        await ann.me.set_attributes({"hand": "up"})
        seen = bob.room.remote_participants["ann"]
        await bob.until(
            lambda: (seen.name, seen.metadata, dict(seen.attributes)) == ("Anna", "here", {"hand": "up"}),
            "ann's changes",
        )
        await ann.me.set_attributes({"hand": ""})
        await bob.until(lambda: not seen.attributes, "the attribute to go")
        await ann.sees("bob")
        await bob.me.set_name("Bobby")  # the SDK says nothing when it is refused
        await bob.me.publish_data(b"mark")
        await ann.wait_for_event("data_received")
        assert ann.room.remote_participants["bob"].name != "Bobby"


async def test_a_permission_taken_away_ends_what_it_allowed(
    server: RunningServer, room: str, admin: api.LiveKitAPI
) -> None:
    async with joined(server, token(server, "ann", room)) as ann, joined(server, token(server, "bob", room)) as bob:
        await ann.shows()
        await bob.receives("ann", CAMERA)
        await ann.sees("bob")
        silent = api.ParticipantPermission(can_subscribe=True, can_publish=False, can_publish_data=False)
        await admin.room.update_participant(api.UpdateParticipantRequest(room=room, identity="ann", permission=silent))
        await bob.wait_for_event("track_unpublished")
        await ann.until(lambda: not ann.me.permissions.can_publish, "ann to know")
        await ann.me.publish_data(b"psst")
        await bob.me.publish_data(b"mark")
        await ann.wait_for_event("data_received")
        assert bob.events_named("data_received") == []


async def test_a_permission_given_holds_at_once(server: RunningServer, room: str, admin: api.LiveKitAPI) -> None:
    viewer_token = token(server, "ann", room, can_publish=False)
    async with joined(server, viewer_token) as ann, joined(server, token(server, "bob", room)) as bob:
        full = api.ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True)
        await admin.room.update_participant(api.UpdateParticipantRequest(room=room, identity="ann", permission=full))
        await ann.until(lambda: ann.me.permissions.can_publish, "ann to know")
        await ann.shows(RED)
        assert is_near(await mean_colour(await bob.receives("ann", CAMERA), RED), RED)


async def test_a_publisher_decides_who_may_subscribe(server: RunningServer, room: str) -> None:
    async with (
        joined(server, token(server, "ann", room)) as ann,
        joined(server, token(server, "bob", room)) as bob,
        joined(server, token(server, "eve", room)) as eve,
    ):
        only_bob = [rtc.ParticipantTrackPermission(participant_identity="bob", allow_all=True)]
        ann.me.set_track_subscription_permissions(allow_all_participants=False, participant_permissions=only_bob)
        await ann.sounds()
        await bob.wait_for_event("track_subscribed")
        await eve.wait_for_event("track_published")
        assert eve.events_named("track_subscribed") == []
        ann.me.set_track_subscription_permissions(allow_all_participants=True)
        await eve.wait_for_event("track_subscribed")
