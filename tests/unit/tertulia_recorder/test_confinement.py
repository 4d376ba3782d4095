"""What a recorder cannot do any more, in processes of their own: it is for good."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[2]
PRELUDE = """
import ctypes, json, os, resource, socket, subprocess, sys, threading
from tertulia_recorder import confinement

def errno_of(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0

libc = ctypes.CDLL(None, use_errno=True)

def errno_of_call(name, *arguments):
    return ctypes.get_errno() if getattr(libc, name)(*arguments) == -1 else 0

status = lambda: dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
"""


def run(code: str) -> Any:
    """Run code that prints JSON in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60, check=False, cwd=TESTS
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_system_calls_that_a_recorder_does_not_need_are_denied() -> None:
    denied = run("""
confinement.confine()
print(json.dumps({
    "exec": errno_of(lambda: os.execv("/bin/true", ["true"])),
    "spawn": errno_of(lambda: subprocess.run(["/bin/true"])),
    "fork": errno_of(os.fork),
    "packet socket": errno_of(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    "raw socket": errno_of(lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58)),
    "virtual machine socket": errno_of(lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)),
    "audit socket": errno_of(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9)),
    "listen": errno_of(socket.socket(socket.AF_INET, socket.SOCK_STREAM).listen),
    "kill": errno_of(lambda: os.kill(os.getppid(), 0)),
    "ptrace": errno_of_call("ptrace", 16, os.getppid(), 0, 0),
    "mount": errno_of_call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    "unshare": errno_of_call("unshare", 0x10000000),
    "raise a limit": errno_of_call("prlimit64", 0, 7, ctypes.create_string_buffer(16), None),
}))
""")
    assert denied == dict.fromkeys(denied, errno.EPERM)


def test_what_a_recorder_needs_still_works() -> None:
    works = run("""
confinement.confine()
seen = []
thread = threading.Thread(target=seen.append, args=(1,))
thread.start()
thread.join()
print(json.dumps({
    "threads": 1 - len(seen),
    "udp": errno_of(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind(("::1", 0))),
    "tcp": errno_of(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "unix": errno_of(lambda: socket.socketpair()),
    "routes": errno_of(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)),
    "names": errno_of(lambda: socket.getaddrinfo("localhost", 80)),
    "itself": errno_of(lambda: os.kill(os.getpid(), 0)),
    "limits": errno_of(lambda: resource.getrlimit(resource.RLIMIT_NOFILE)),
}))
""")
    assert works == dict.fromkeys(works, 0)


def test_limits_and_no_new_privileges() -> None:
    shown = run("""
confinement.confine()
limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in ("CORE", "NOFILE", "DATA")}
try:
    bytearray(confinement.memory_limit_bytes())
except MemoryError:
    limits["memory"] = "refused"
print(json.dumps(limits | {"status": {name: status()[name] for name in ("NoNewPrivs", "Seccomp")}}))
""")
    assert shown["status"] == {"NoNewPrivs": "1", "Seccomp": "2"}
    assert shown["CORE"] == [0, 0]
    assert shown["NOFILE"] == [256, 256]
    assert shown["DATA"][1] >= 1024**3
    assert shown["memory"] == "refused"


def test_where_the_kernel_cannot_the_recording_is_made_all_the_same() -> None:
    assert (
        run("""
def cannot():
    raise OSError("no seccomp")
confinement.deny_unneeded_system_calls = cannot
confinement.confine()
print(json.dumps(errno_of(lambda: subprocess.run(["/bin/true"]))))
""")
        == 0
    )


@pytest.mark.parametrize("encoder", ["libvpx", "libx264"])
def test_a_decode_bomb_beyond_the_memory_limit_costs_its_own_picture(encoder: str) -> None:
    """Twenty publishers of 4K pictures, and memory for a few of them."""
    shown = run(f"""
from support.encoded_media import PACKET, SimulatedFrame, SimulatedReceiver, opus, pictures
from tertulia_recorder.media_buffer import MediaBuffer
from tertulia_recorder.receiving.decoding import MediaDecoder
codec = {"vp8" if encoder == "libvpx" else "h264"!r}
packets, bombs = opus(12), pictures({encoder!r}, (3840, 2160), (60, 61, 62))
(small,) = pictures({encoder!r}, (64, 48), (90,))
receiver, media_buffer = SimulatedReceiver(), MediaBuffer()
decoder = MediaDecoder(receiver, media_buffer)
tracks = {{f"v{{n}}": f"TR_{{n}}" for n in range(20)}} | {{"a": "TR_a", "s": "TR_small"}}
used = int(status()["VmData"].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 200_000_000, resource.getrlimit(resource.RLIMIT_DATA)[1]))
for n, packet in enumerate(packets):
    receiver.frames.append(SimulatedFrame("a", "opus", n * PACKET, 48_000, packet))
    receiver.frames.append(SimulatedFrame("s", codec, n * 3600, 90_000, small))
    if n < len(bombs):
        receiver.frames += [
            SimulatedFrame(f"v{{m}}", codec, n * 3600, 90_000, bombs[n], is_key=not n) for m in range(20)
        ]
    decoder.advance(tracks)
sound = sum(len(chunk.pcm) for chunk in media_buffer.sounds if chunk.pcm is not None)
at = lambda track: media_buffer.pictures.at(track, 2**62)
print(json.dumps([sound, sum(at(f"TR_{{n}}") is not None for n in range(20)), at("TR_small") is not None]))
""")
    sound, large, has_small = shown
    assert sound == 12 * 960, "all sound"
    assert large < 20, "the memory is not enough for all of them"
    assert has_small
