"""What the decoding thread makes of encoded media: real packets, made here, and a receiver that is played."""

from typing import cast

import numpy as np
import pytest

from support.encoded_media import PACKET, PlayedFrame, PlayedReceiver, opus, pictures
from tertulia_recorder.pipeline.pipeline import MediaBuffer
from tertulia_recorder.receiving.decoding import Decoding, DecodingThread
from tertulia_recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver

VOICE, CAMERA = TrackSid("TR_voice"), TrackSid("TR_camera")
NOW_US = 50_000_000


class Place:
    """A decoding, and a hand on its clock."""

    def __init__(self) -> None:
        self.receiver, self.media_buffer = PlayedReceiver(), MediaBuffer()
        self.decoding = Decoding(cast("Receiver", self.receiver), self.media_buffer)
        self.decoding.carry({"a": VOICE, "v": CAMERA})

    def decode(self, *frames: PlayedFrame, now_us: int = NOW_US) -> None:
        self.receiver.frames += frames
        self.decoding.advance(now_us)

    def sounds(self) -> list[tuple[int, int]]:
        """(begin, length in samples) of what was handed over."""
        return [(at_us, len(pcm)) for _, pcm, at_us in self.media_buffer.sounds if isinstance(pcm, np.ndarray)]


@pytest.fixture
def place() -> Place:
    return Place()


def voice(packets: list[bytes], *, skip: range = range(0)) -> list[PlayedFrame]:
    """Packets as they come: each leaves when its last sample was spoken, and all have arrived by now."""
    count = len(packets)
    return [
        PlayedFrame("a", "opus", 5_000 + n * PACKET, 48_000, packet, age_us=(count - 1 - n) * 20_000)
        for n, packet in enumerate(packets)
        if n not in skip
    ]


def test_sound_is_one_piece_with_the_time_at_which_it_was_spoken(place: Place):
    place.decode(*voice(opus(10)))
    ((begun_us, samples),) = place.sounds()
    assert samples == 10 * PACKET
    assert begun_us == pytest.approx(NOW_US - 200_000, abs=100)
    assert place.media_buffer.handed_over_us == NOW_US


def test_what_is_not_read_yet_is_not_said_to_be_handed_over(place: Place):
    place.receiver.behind_us = 700_000
    place.decode(*voice(opus(2)))
    assert place.media_buffer.handed_over_us == NOW_US - 700_000


def test_a_few_lost_packets_are_silence_of_their_length(place: Place):
    place.decode(*voice(opus(10), skip=range(4, 7)))
    ((_, samples),) = place.sounds()
    assert samples == 10 * PACKET
    pcm = next(pcm for _, pcm, _ in place.media_buffer.sounds if isinstance(pcm, np.ndarray))
    assert not pcm[4 * PACKET : 7 * PACKET].any()
    assert pcm[8 * PACKET :].any()


def test_after_a_pause_sound_has_its_own_time(place: Place):
    place.decode(*voice(opus(30), skip=range(5, 25)))
    (first_us, _), (second_us, samples) = place.sounds()
    assert second_us - first_us == pytest.approx(500_000, abs=100)
    assert samples == 5 * PACKET


@pytest.mark.parametrize(("codec", "encoder"), [("vp8", "libvpx"), ("vp9", "libvpx-vp9"), ("h264", "libx264")])
def test_pictures_have_the_time_of_the_senders_clock(place: Place, codec: str, encoder: str):
    """The second one comes 25 ms late; it is shown 40 ms after the first all the same."""
    ages_us = (40_000, -25_000, -40_000)
    encoded = pictures(encoder, (64, 48), (40, 120, 200))
    place.decode(
        *(
            PlayedFrame("v", codec, 90_000 + n * 3_600, 90_000, data, age_us=age_us)
            for n, (data, age_us) in enumerate(zip(encoded, ages_us, strict=True))
        )
    )
    seen = [place.media_buffer.gallery.at(CAMERA, NOW_US + at_us) for at_us in (-20_000, 20_000, 60_000)]
    lights = [one.frame.to_ndarray()[:48].mean() for one in seen if one is not None]
    assert lights == pytest.approx([40, 120, 200], abs=6)
    times_us = [one.time_us for one in seen if one is not None]
    assert np.diff(times_us) == pytest.approx(40_000, abs=100)


def test_a_picture_is_turned_and_loses_odd_lines(place: Place):
    (data,) = pictures("libvpx", (65, 49), (90,))
    place.decode(PlayedFrame("v", "vp8", 0, 90_000, data, quarter_turns=1))
    picture = place.media_buffer.gallery.at(CAMERA, NOW_US)
    assert picture is not None
    assert (picture.size.w, picture.size.h) == (48, 64)
    assert picture.frame.to_ndarray()[:64].mean() == pytest.approx(90, abs=6)


def test_garbage_costs_its_own_track_alone(place: Place):
    good = voice(opus(3))
    place.decode(PlayedFrame("v", "vp8", 0, 90_000, b"\xff" * 40), good[0], good[1], good[2])
    assert place.receiver.restarted == ["v"]
    assert sum(samples for _, samples in place.sounds()) == 3 * PACKET


def test_a_section_that_carries_another_track_begins_anew(place: Place):
    place.decode(*voice(opus(3)))
    place.decoding.carry({"a": TrackSid("TR_other")})
    place.decode(*voice(opus(3)))
    tracks = [track for track, _, _ in place.media_buffer.sounds]
    assert set(tracks) == {VOICE, TrackSid("TR_other")}


def test_what_nobody_asked_for_is_not_decoded(place: Place):
    place.decoding.carry({})
    place.decode(*voice(opus(3)))
    assert place.sounds() == []


def test_the_thread_takes_what_comes_and_at_its_end_nothing_more_can_come(place: Place):
    thread = DecodingThread(place.decoding, place.media_buffer)
    thread.start()
    place.receiver.frames += voice(opus(3))
    thread.close()
    thread.join(10)
    assert sum(samples for _, samples in place.sounds()) == 3 * PACKET
    assert place.media_buffer.handed_over_us is None
