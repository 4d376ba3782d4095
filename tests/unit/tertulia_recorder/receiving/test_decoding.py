"""Real packets, encoded here, through the decoders, in simulated time."""

from typing import cast

import numpy as np
import pytest

from support.encoded_media import PACKET, SimulatedFrame, SimulatedReceiver, opus, pictures
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.receiving.decoding import MediaDecoder, _VideoDecoder
from tertulia_recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver

VOICE, CAMERA = TrackSid("TR_voice"), TrackSid("TR_camera")
NOW_US = 50_000_000


class SimulatedDecoding:
    """A decoder with its receiver, its buffer and its clock."""

    def __init__(self) -> None:
        self.receiver, self.media_buffer, self.now_us = SimulatedReceiver(), MediaBuffer(), NOW_US
        self.decoder = MediaDecoder(cast("Receiver", self.receiver), self.media_buffer, lambda: self.now_us)
        self.tracks = {"a": VOICE, "v": CAMERA}

    def decode(self, *frames: SimulatedFrame) -> None:
        self.receiver.frames += frames
        self.decoder.advance(self.tracks)

    def sounds(self) -> list[tuple[int, int]]:
        """(begin, length in samples) of each chunk."""
        return [(chunk.time_us, len(chunk.pcm)) for chunk in self.media_buffer.sounds if chunk.pcm is not None]


@pytest.fixture
def decoding() -> SimulatedDecoding:
    return SimulatedDecoding()


def voice(packets: list[bytes], *, skip: range = range(0)) -> list[SimulatedFrame]:
    """Packets as they are sent: each one after its last sample was recorded, the last one now."""
    count = len(packets)
    return [
        SimulatedFrame("a", "opus", 5_000 + n * PACKET, 48_000, packet, age_us=(count - 1 - n) * 20_000)
        for n, packet in enumerate(packets)
        if n not in skip
    ]


def test_sound_is_one_chunk_with_the_time_at_which_it_was_recorded(decoding: SimulatedDecoding):
    decoding.decode(*voice(opus(10)))
    ((begun_us, samples),) = decoding.sounds()
    assert samples == 10 * PACKET
    assert begun_us == pytest.approx(NOW_US - 200_000, abs=100)
    assert decoding.media_buffer.sound_until_us == NOW_US


def test_what_is_not_read_yet_does_not_count_as_decoded(decoding: SimulatedDecoding):
    decoding.receiver.behind_us = 700_000
    decoding.decode(*voice(opus(2)))
    assert decoding.media_buffer.sound_until_us == NOW_US - 700_000


def test_a_few_lost_packets_are_silence_of_their_length(decoding: SimulatedDecoding):
    decoding.decode(*voice(opus(10), skip=range(4, 7)))
    ((_, samples),) = decoding.sounds()
    assert samples == 10 * PACKET
    pcm = decoding.media_buffer.sounds[0].pcm
    assert pcm is not None
    assert not pcm[4 * PACKET : 7 * PACKET].any()
    assert pcm[8 * PACKET :].any()


def test_after_a_pause_sound_has_a_time_of_its_own(decoding: SimulatedDecoding):
    decoding.decode(*voice(opus(30), skip=range(5, 25)))
    (first_us, _), (second_us, samples) = decoding.sounds()
    assert second_us - first_us == pytest.approx(500_000, abs=100)
    assert samples == 5 * PACKET


@pytest.mark.parametrize(("codec", "encoder"), [("vp8", "libvpx"), ("vp9", "libvpx-vp9"), ("h264", "libx264")])
def test_pictures_have_the_time_of_the_senders_clock(decoding: SimulatedDecoding, codec: str, encoder: str):
    """The second one comes 25 ms late; it is shown 40 ms after the first all the same."""
    ages_us = (40_000, -25_000, -40_000)
    encoded = pictures(encoder, (64, 48), (40, 120, 200))
    decoding.decode(
        *(
            SimulatedFrame("v", codec, 90_000 + n * 3_600, 90_000, data, age_us=age_us)
            for n, (data, age_us) in enumerate(zip(encoded, ages_us, strict=True))
        )
    )
    seen = [decoding.media_buffer.pictures.at(CAMERA, NOW_US + at_us) for at_us in (-20_000, 20_000, 60_000)]
    lights = [one.frame.to_ndarray()[:48].mean() for one in seen if one is not None]
    assert lights == pytest.approx([40, 120, 200], abs=6)
    times_us = [one.time_us for one in seen if one is not None]
    assert np.diff(times_us) == pytest.approx(40_000, abs=100)


def test_a_picture_is_turned_and_loses_odd_lines(decoding: SimulatedDecoding):
    (data,) = pictures("libvpx", (65, 49), (90,))
    decoding.decode(SimulatedFrame("v", "vp8", 0, 90_000, data, quarter_turns=1))
    picture = decoding.media_buffer.pictures.at(CAMERA, NOW_US)
    assert picture is not None
    assert (picture.size.w, picture.size.h) == (48, 64)
    assert picture.frame.to_ndarray()[:64].mean() == pytest.approx(90, abs=6)


def test_garbage_costs_its_own_track_alone(decoding: SimulatedDecoding):
    good = voice(opus(3))
    decoding.decode(SimulatedFrame("v", "vp8", 0, 90_000, b"\xff" * 40), good[0], good[1], good[2])
    assert decoding.receiver.restarted == ["v"]
    assert sum(samples for _, samples in decoding.sounds()) == 3 * PACKET


@pytest.mark.parametrize(("codec", "encoder"), [("vp8", "libvpx"), ("vp9", "libvpx-vp9"), ("h264", "libx264")])
def test_a_picture_that_is_too_large_makes_its_track_a_placeholder(
    decoding: SimulatedDecoding, codec: str, encoder: str
):
    """A decode bomb: few bytes that become a picture of tens of megabytes, from any publisher."""
    (good,), (bomb,) = pictures(encoder, (64, 48), (40,)), pictures(encoder, (4608, 4608), (90,))
    decoding.decode(SimulatedFrame("v", codec, 90_000, 90_000, good))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US) is not None
    decoding.decode(SimulatedFrame("v", codec, 93_600, 90_000, bomb), *voice(opus(3)))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US + 1_000_000) is None
    assert decoding.receiver.restarted == ["v"]
    assert sum(samples for _, samples in decoding.sounds()) == 3 * PACKET, "sound goes on"
    decoding.decode(SimulatedFrame("v", codec, 97_200, 90_000, good))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US + 1_000_000) is not None, "it may become small again"


def test_pictures_that_come_too_fast_make_their_track_a_placeholder(decoding: SimulatedDecoding):
    """Small packets, each a picture, would take all the time that decoding has, and the sound of all others with it."""
    encoded = pictures("libvpx", (64, 48), [60] * 400)
    flood = [SimulatedFrame("v", "vp8", 90_000 + n * 225, 90_000, data) for n, data in enumerate(encoded)]
    decoding.decode(*flood, *voice(opus(3)))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US + 1_000_000) is None
    assert sum(samples for _, samples in decoding.sounds()) == 3 * PACKET
    decoding.now_us += 1_000_000
    decoding.decode(SimulatedFrame("v", "vp8", 200_000, 90_000, encoded[0]))
    assert decoding.media_buffer.pictures.at(CAMERA, decoding.now_us) is None, "it is not decoded for a while"
    decoding.now_us += 10_000_000
    decoding.decode(SimulatedFrame("v", "vp8", 1_200_000, 90_000, encoded[1]))
    assert decoding.receiver.restarted == ["v"], "only a key frame can begin again"
    decoding.decode(SimulatedFrame("v", "vp8", 1_203_600, 90_000, encoded[0]))
    assert decoding.media_buffer.pictures.at(CAMERA, decoding.now_us + 1_000_000) is not None


def test_a_section_that_carries_another_track_gets_another_decoder(decoding: SimulatedDecoding):
    decoding.decode(*voice(opus(3)))
    decoding.tracks = {"a": TrackSid("TR_other")}
    decoding.decode(*voice(opus(3)))
    assert [(chunk.track, chunk.pcm is None) for chunk in decoding.media_buffer.sounds] == [
        (VOICE, False),
        (VOICE, True),
        (TrackSid("TR_other"), False),
    ]


def test_sections_without_a_track_are_not_decoded(decoding: SimulatedDecoding):
    decoding.tracks = {}
    decoding.decode(*voice(opus(3)))
    assert decoding.sounds() == []


def test_at_the_end_nothing_more_can_arrive(decoding: SimulatedDecoding):
    decoding.receiver.frames += voice(opus(3))
    decoding.decoder.finish(decoding.tracks)
    assert sum(samples for _, samples in decoding.sounds()) == 3 * PACKET
    assert decoding.media_buffer.sounds[-1].pcm is None
    assert decoding.media_buffer.sound_until_us is None


def test_a_process_that_is_held_up_while_it_takes_frames_keeps_their_time(decoding: SimulatedDecoding):
    """A frame's age counts to the instant at which it is taken, however long ago the round began."""
    packets = opus(60)
    sent = voice(packets)

    def send(first: int, count: int) -> None:
        """Deliver packets now, of which the last one has just arrived."""
        for n, frame in enumerate(sent[first : first + count]):
            frame.age_us = (count - 1 - n) * 20_000
        decoding.decode(*sent[first : first + count])

    def held_up() -> None:
        decoding.now_us += 800_000
        for frame in decoding.receiver.frames:
            frame.age_us += 800_000

    send(0, 10)
    decoding.now_us += 40_000
    decoding.receiver.before_drain = held_up
    send(10, 2)
    decoding.receiver.before_drain = lambda: None
    send(12, 40)
    begins_us = [time_us for time_us, _ in decoding.sounds()]
    expected_us = [NOW_US - 200_000, NOW_US, NOW_US + 40_000]
    assert begins_us == pytest.approx(expected_us, abs=1_000)
    assert decoding.media_buffer.sound_until_us == decoding.now_us


class SlowMachine:
    """Nine cameras and two voices in real time, on a machine that needs nearly twice that for the pictures."""

    PICTURE_COSTS_US = 8_000
    PICTURE_US, SOUND_US = 40_000, 20_000
    CAMERAS, VOICES = 9, 2

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.media_buffer, self.now_us, self.restarted = MediaBuffer(), NOW_US, set[str]()
        self.decoder = MediaDecoder(cast("Receiver", self), self.media_buffer, lambda: self.now_us)
        self.tracks = {f"v{n}": TrackSid(f"TR_v{n}") for n in range(self.CAMERAS)}
        self.tracks |= {f"a{n}": TrackSid(f"TR_a{n}") for n in range(self.VOICES)}
        self.worst_delay_us = 0
        self._packets, self._pictures = opus(50), pictures("libvpx", (64, 48), (90,))
        self._sent = {"opus": 0, "vp8": 0}
        decode = _VideoDecoder.decode

        def slow(this: _VideoDecoder, *arguments: object) -> None:
            self.now_us += self.PICTURE_COSTS_US
            decode(this, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(_VideoDecoder, "decode", slow)

    behind_us = 0

    def restart(self, mid: str) -> None:
        self.restarted.add(mid)

    def drain_audio(self) -> list[SimulatedFrame]:
        self.worst_delay_us = max(self.worst_delay_us, self.now_us - (self.media_buffer.sound_until_us or self.now_us))
        return self._arrived("opus", self.SOUND_US, "a", self.VOICES, 48_000, self._packets)

    def drain_video(self) -> list[SimulatedFrame]:
        return self._arrived("vp8", self.PICTURE_US, "v", self.CAMERAS, 90_000, self._pictures)

    def _arrived(
        self, codec: str, every_us: int, kind: str, count: int, clock_hz: int, data: list[bytes]
    ) -> list[SimulatedFrame]:
        frames, sent = [], self._sent[codec]
        while NOW_US + sent * every_us <= self.now_us:
            age_us, rtp_time = self.now_us - NOW_US - sent * every_us, sent * every_us * clock_hz // 1_000_000
            frames += [
                SimulatedFrame(f"{kind}{n}", codec, rtp_time, clock_hz, data[sent % len(data)], age_us=age_us)
                for n in range(count)
            ]
            sent += 1
        self._sent[codec] = sent
        return frames

    def run(self, seconds: float) -> None:
        until_us = self.now_us + int(seconds * 1_000_000)
        while self.now_us < until_us:
            self.decoder.advance(self.tracks)
            self.now_us += 40_000


def test_where_there_is_no_time_for_all_pictures_sound_is_complete_and_in_time(monkeypatch: pytest.MonkeyPatch):
    machine = SlowMachine(monkeypatch)
    machine.run(12)
    assert machine.worst_delay_us < 150_000
    for n in range(machine.VOICES):
        chunks = [chunk for chunk in machine.media_buffer.sounds if chunk.track == f"TR_a{n}" and chunk.pcm is not None]
        samples = sum(len(chunk.pcm) for chunk in chunks if chunk.pcm is not None)
        assert samples == pytest.approx((machine.now_us - NOW_US) * 48 // 1000, abs=9_600)
    assert len(machine.restarted) >= 3, "pictures are given up"
    newest = [
        machine.media_buffer.pictures.at(track, machine.now_us) for mid, track in machine.tracks.items() if "v" in mid
    ]
    in_time = [each for each in newest if each is not None and machine.now_us - each.time_us < 1_500_000]
    assert 3 <= len(in_time) < machine.CAMERAS, "the others are in time"
    assert machine.now_us - (machine.media_buffer.pictures_until_us or 0) < 1_500_000


def test_a_machine_that_stood_still_gives_no_picture_up(monkeypatch: pytest.MonkeyPatch):
    machine = SlowMachine(monkeypatch)
    machine.PICTURE_COSTS_US = 2_000
    machine.run(1)
    machine.now_us += 1_800_000
    machine.run(2)
    assert machine.restarted == set()
    assert machine.media_buffer.pictures_until_us is not None
    assert machine.now_us - machine.media_buffer.pictures_until_us < 200_000


def test_a_refused_frame_makes_its_track_a_placeholder(decoding: SimulatedDecoding):
    """The receiver reads how large a picture becomes before it is decoded."""
    good, later = pictures("libvpx", (64, 48), (40, 50))
    decoding.decode(SimulatedFrame("v", "vp8", 0, 90_000, good))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US) is not None
    decoding.decode(SimulatedFrame("v", "vp8", 3_600, 90_000, b"", is_refused=True), *voice(opus(3)))
    assert decoding.media_buffer.pictures.at(CAMERA, NOW_US + 1_000_000) is None
    assert sum(samples for _, samples in decoding.sounds()) == 3 * PACKET
    decoding.now_us += 6_000_000
    decoding.decode(
        SimulatedFrame("v", "vp8", 540_000, 90_000, good), SimulatedFrame("v", "vp8", 543_600, 90_000, later)
    )
    assert decoding.media_buffer.pictures.at(CAMERA, decoding.now_us + 1_000_000) is not None
