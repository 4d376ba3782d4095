import av
import numpy as np

from tertulia_recorder.drawing.layout import Size
from tertulia_recorder.drawing.pictures import Picture
from tertulia_recorder.ids import Identity
from tertulia_recorder.media_buffer import MediaBuffer, PictureBuffer
from tertulia_recorder.scene import Participant, Scene, TrackSid

TRACK = TrackSid("t")


def picture(time_us: int) -> Picture:
    return Picture(av.VideoFrame(16, 16, "yuv420p"), Size(16, 16), time_us)


def test_the_newest_picture_of_a_moment_is_given():
    buffer = PictureBuffer()
    pictures = [picture(n * 40) for n in range(5)]
    for each in pictures:
        buffer.add(TRACK, each)
    assert buffer.at(TRACK, -1) is None
    assert buffer.at(TRACK, 85) is pictures[2]
    assert buffer.at(TRACK, 85) is pictures[2]
    assert buffer.at(TRACK, 1000) is pictures[4]
    buffer.remove(TRACK)
    assert buffer.at(TRACK, 1000) is None


def test_pictures_do_not_pile_up():
    buffer = PictureBuffer()
    for n in range(1000):
        buffer.add(TRACK, picture(n))
    assert buffer.at(TRACK, 900) is None, "the oldest are dropped"
    newest = buffer.at(TRACK, 10_000)
    assert newest is not None
    assert newest.time_us == 999


def test_a_scene_holds_until_the_next_one():
    buffer = MediaBuffer()
    first, second = (Scene((Participant(Identity(name), name),)) for name in "ab")
    buffer.add_scene(first, 100)
    buffer.add_scene(second, 200)
    assert buffer.scene is second
    assert buffer.scene_at(99) == Scene()
    assert buffer.scene_at(150) is first
    assert buffer.scene_at(10_000) is second
    assert len(buffer.scenes) == 1


def test_sound_keeps_its_order_and_ends_with_the_track():
    buffer = MediaBuffer()
    pcm = np.ones((10, 2), np.int16)
    buffer.add_sound(TRACK, pcm, 5)
    buffer.end_sound(TRACK, 6)
    first, last = buffer.sounds
    assert (first.pcm is pcm, first.time_us) == (True, 5)
    assert (last.pcm, last.time_us) == (None, 6)


def test_large_pictures_cost_the_track_that_has_most_of_them():
    """512 MiB are 38 pictures of 4K."""
    buffer, other = PictureBuffer(), TrackSid("other")
    frame, size = av.VideoFrame(16, 16, "yuv420p"), Size(4096, 2304)
    buffer.add(other, Picture(frame, size, 0))
    for n in range(32):
        buffer.add(TRACK, Picture(frame, size, n))
    for n in range(1, 15):
        buffer.add(other, Picture(frame, size, n))
    assert buffer.at(TRACK, 0) is None, "it has lost its oldest ones"
    assert buffer.at(TRACK, 31) is not None
    assert buffer.at(other, 0) is not None
    for track in (TRACK, other):
        buffer.remove(track)
    assert buffer._bytes == 0
