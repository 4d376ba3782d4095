import threading
from typing import cast

import pytest

from support.encoded_media import PACKET, SimulatedFrame, SimulatedReceiver, opus
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.receiving.decoding_thread import DecodingThread
from tertulia_recorder.scene import TrackSid
from tertulia_sfu.receiver import Receiver

VOICE = TrackSid("TR_voice")


def test_one_that_fails_says_that_nothing_more_can_arrive(caplog: pytest.LogCaptureFixture):
    """The connection sees that it has ended, and is made again; composing does not wait for it meanwhile."""
    receiver, media_buffer = SimulatedReceiver(), MediaBuffer()
    media_buffer.sound_until_us = media_buffer.pictures_until_us = 1

    def fail() -> None:
        raise ArithmeticError("a defect")

    receiver.before_drain = fail
    thread = DecodingThread(cast("Receiver", receiver), media_buffer)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert (media_buffer.sound_until_us, media_buffer.pictures_until_us) == (None, None)
    assert "a defect" in caplog.text


def test_what_arrives_is_decoded_until_the_end():
    receiver, media_buffer, drained = SimulatedReceiver(), MediaBuffer(), threading.Event()
    receiver.before_drain = drained.set
    receiver.frames += [SimulatedFrame("a", "opus", n * PACKET, 48_000, data) for n, data in enumerate(opus(3))]
    thread = DecodingThread(cast("Receiver", receiver), media_buffer)
    thread.tracks = {"a": VOICE}
    thread.start()
    assert drained.wait(30)
    thread.close()
    thread.join(30)
    assert not thread.is_alive()
    chunks = list(media_buffer.sounds)
    assert sum(len(chunk.pcm) for chunk in chunks if chunk.pcm is not None) == 3 * PACKET
    assert chunks[-1].pcm is None, "the track has ended"
    assert media_buffer.sound_until_us is None, "nothing more can arrive"
