"""Files for Chromium's fake camera and microphone: plain colours, which tests tell apart, a face, a voice, noise."""

from __future__ import annotations

import itertools
import struct
import wave
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from bench import footage

Rgb = tuple[int, int, int]

RED: Final[Rgb] = (200, 40, 40)
BLUE: Final[Rgb] = (40, 60, 200)

_WIDTH, _HEIGHT, _FRAMES_PER_S = 640, 360, 15
_BAR_WIDTH = 40
_SQUARE, _SQUARES_WIDTH = 12, 192
_FACE_FRAMES = 50
_SECONDS = 2
_SAMPLES_PER_S = 48_000
_VOICE_SECONDS = 4


def write_plain_picture(path: Path, colour: Rgb) -> Path:
    """Write a Y4M file (Chromium loops it): one colour, with a brighter bar that moves so that no frame repeats."""
    luma, blue, red = _yuv(colour)
    frames = _FRAMES_PER_S * _SECONDS
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F{_FRAMES_PER_S}:1 Ip A1:1 C420\n".encode())
        for number in range(frames):
            left = number * (_WIDTH - _BAR_WIDTH) // frames
            file.write(b"FRAME\n")
            for plane in _planes(luma, blue, red, left):
                file.write(plane.tobytes())
    return path


def write_face(path: Path) -> Path:
    """Write a Y4M file of a woman's face; on its left, behind her, are black and white squares."""
    clip = footage.fetch()
    rows, columns = np.indices((_HEIGHT, _SQUARES_WIDTH)) // _SQUARE
    squares = np.where((rows + columns) % 2, 220, 30).astype(np.uint8)
    with path.open("wb") as file, av.open(str(clip)) as container:
        file.write(f"YUV4MPEG2 W{_WIDTH} H{_HEIGHT} F{footage.FPS}:1 Ip A1:1 C420\n".encode())
        for frame in itertools.islice(container.decode(video=0), _FACE_FRAMES):
            planes = frame.reformat(_WIDTH, _HEIGHT, "yuv420p").to_ndarray()
            planes[:_HEIGHT, :_SQUARES_WIDTH] = squares
            file.write(b"FRAME\n" + planes.tobytes())
    return path


def png_of(colour: Rgb) -> bytes:
    """Return a picture of one colour (PNG, third edition, section 5)."""
    width, height = 64, 36
    rows = (b"\0" + bytes(colour) * width) * height

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_noise(path: Path) -> Path:
    """Write a WAV file of an office's ventilation: noise that does not change, louder at low frequencies."""
    random = np.random.default_rng(1)
    white = random.normal(0, 1, _SAMPLES_PER_S * _VOICE_SECONDS)
    hum = np.convolve(white, np.ones(24) / 24, "same") + 0.15 * white
    return _write_wav(path, (hum / np.max(np.abs(hum)) * 0.3 * 32767).astype("<i2"))


def write_silence(path: Path) -> Path:
    """Write a WAV file as a microphone gives that is switched off at the device."""
    return _write_wav(path, np.zeros(_SAMPLES_PER_S, "<i2"))


def write_voice(path: Path) -> Path:
    """Write a WAV file (Chromium loops it) that noise suppression takes for speech.

    A steady tone would be filtered out: this is a vowel-like stack of harmonics in syllables, with pauses.
    """
    time_s = np.arange(_SAMPLES_PER_S * _VOICE_SECONDS) / _SAMPLES_PER_S
    pitch_hz = 140 + 25 * np.sin(2 * np.pi * 0.7 * time_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / _SAMPLES_PER_S
    vowel = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 16))
    syllables = np.clip(np.sin(2 * np.pi * 3.5 * time_s), 0, None) * (time_s % 2 < 1.6)
    return _write_wav(path, (vowel * syllables / np.max(np.abs(vowel)) * 0.6 * 32767).astype("<i2"))


def _write_wav(path: Path, samples: npt.NDArray[np.int16]) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_SAMPLES_PER_S)
        file.writeframes(samples.tobytes())
    return path


def _planes(luma: int, blue: int, red: int, left: int) -> Iterator[npt.NDArray[np.uint8]]:
    picture = np.full((_HEIGHT, _WIDTH), luma, np.uint8)
    picture[:, left : left + _BAR_WIDTH] = min(235, luma + 60)
    yield picture
    for chroma in (blue, red):
        yield np.full((_HEIGHT // 2, _WIDTH // 2), chroma, np.uint8)


def _yuv(colour: Rgb) -> tuple[int, int, int]:
    """Convert to limited-range BT.601, which is what a fake camera's frames are taken for."""
    red, green, blue = (value / 255 for value in colour)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(16 + 219 * luma), round(128 + 224 * (blue - luma) / 1.772), round(128 + 224 * (red - luma) / 1.402)
