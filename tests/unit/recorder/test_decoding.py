"""What the decoding thread makes of encoded media: real packets, made here, and a receiver that is played."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
import pytest

from tertulia.recorder.clock import monotonic_us
from tertulia.recorder.decoding import DecodingThread
from tertulia.recorder.pipeline import Intake
from tertulia.recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver

VOICE, CAMERA = TrackSid("TR_voice"), TrackSid("TR_camera")
PACKET = 960
_VPX = {"deadline": "realtime", "lag-in-frames": "0"}
_AT_ONCE = {"libvpx": _VPX, "libvpx-vp9": _VPX, "libx264": {"tune": "zerolatency"}}


@dataclass
class PlayedFrame:
    mid: str
    codec: str
    rtp_time: int
    clock_hz: int
    data: bytes
    age_us: int = 0
    is_key: bool = True
    quarter_turns: int = 0


@dataclass
class PlayedReceiver:
    frames: list[PlayedFrame] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)

    def drain(self) -> list[PlayedFrame]:
        frames, self.frames = self.frames, []
        return frames

    def restart(self, mid: str) -> None:
        self.restarted.append(mid)


class Place:
    """A decoding thread that is run once, by hand."""

    def __init__(self) -> None:
        self.receiver, self.intake = PlayedReceiver(), Intake()
        self.thread = DecodingThread(cast("Receiver", self.receiver), self.intake)
        self.thread.carry({"a": VOICE, "v": CAMERA})

    def decode(self, *frames: PlayedFrame) -> None:
        self.receiver.frames += frames
        self.thread.close()
        self.thread.run()

    def sounds(self) -> list[tuple[int, int]]:
        """(begin, length in samples) of what was handed over."""
        return [(at_us, len(pcm)) for _, pcm, at_us in self.intake.sounds if isinstance(pcm, np.ndarray)]


@pytest.fixture
def place() -> Place:
    return Place()


def opus(count: int) -> list[bytes]:
    encoder = av.AudioCodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", av.AudioFormat("s16")
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(PACKET * (count + 1)) / 48_000)).astype(np.int16)
    packets: list[bytes] = []
    for number in range(count + 1):
        piece = np.repeat(wave[number * PACKET : (number + 1) * PACKET], 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(piece, "s16", "stereo")
        frame.sample_rate = 48_000
        packets += [bytes(each) for each in encoder.encode(frame)]
    return packets[:count]


def pictures(codec: str, size: tuple[int, int], lights: Iterable[int]) -> list[bytes]:
    encoder = av.codec.CodecContext.create(codec, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, "yuv420p"
    encoder.time_base = Fraction(1, 25)
    encoder.options = _AT_ONCE[codec]
    packets = []
    for number, light in enumerate(lights):
        frame = av.VideoFrame(*size, "yuv420p")
        for plane, value in zip(frame.planes, (light, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts = number
        packets += [bytes(each) for each in encoder.encode(frame)]
    return packets


def voice(packets: list[bytes], *, skip: range = range(0)) -> list[PlayedFrame]:
    """Packets as they come: each leaves when its last sample was spoken, and all have arrived by now."""
    count = len(packets)
    return [
        PlayedFrame("a", "opus", 5_000 + n * PACKET, 48_000, packet, age_us=(count - 1 - n) * 20_000)
        for n, packet in enumerate(packets)
        if n not in skip
    ]


def test_sound_is_one_piece_with_the_time_at_which_it_was_spoken(place: Place):
    before_us = monotonic_us()
    place.decode(*voice(opus(10)))
    ((begun_us, samples),) = place.sounds()
    assert samples == 10 * PACKET
    assert begun_us == pytest.approx(before_us - 200_000, abs=30_000)


def test_a_few_lost_packets_are_silence_of_their_length(place: Place):
    place.decode(*voice(opus(10), skip=range(4, 7)))
    ((_, samples),) = place.sounds()
    assert samples == 10 * PACKET
    pcm = next(pcm for _, pcm, _ in place.intake.sounds if isinstance(pcm, np.ndarray))
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
    gallery, now_us = place.intake.gallery, monotonic_us()
    seen = [gallery.at(CAMERA, at_us) for at_us in (now_us - 20_000, now_us + 20_000, now_us + 60_000)]
    lights = [one.frame.to_ndarray()[:48].mean() for one in seen if one is not None]
    assert lights == pytest.approx([40, 120, 200], abs=6)
    times_us = [one.time_us for one in seen if one is not None]
    assert np.diff(times_us) == pytest.approx(40_000, abs=2_000)


def test_a_picture_is_turned_and_loses_odd_lines(place: Place):
    (data,) = pictures("libvpx", (65, 49), (90,))
    place.decode(PlayedFrame("v", "vp8", 0, 90_000, data, quarter_turns=1))
    picture = place.intake.gallery.at(CAMERA, monotonic_us())
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
    place.thread.carry({"a": TrackSid("TR_other")})
    place.decode(*voice(opus(3)))
    tracks = [track for track, _, _ in place.intake.sounds]
    assert set(tracks) == {VOICE, TrackSid("TR_other")}


def test_what_nobody_asked_for_is_not_decoded(place: Place):
    place.thread.carry({})
    place.decode(*voice(opus(3)))
    assert place.sounds() == []
