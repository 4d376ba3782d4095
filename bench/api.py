"""REST requests a second: one server process on one core, the load on the other.

    python -m bench.api [--seconds 10]

Authenticated `GET /rooms/{roomName}`, `POST /rooms` and token creation, on SQLite and PostgreSQL, by `wrk`; beside them
the least that Express 5 can do for the same work (`bench/express`, when its packages are installed). Each is asked as
fast as it can, then half as often at random moments: the second p99 is what an application sees of a server that is
not overloaded. Then our memory over 100,000 requests. PostgreSQL runs on both cores with a commit on the disk.
On a machine that others use too, the CPU time of a request says more than requests a second.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from support.ports import free_port
from support.postgres import running_postgres
from support.rest import API_KEY, FAR, RestServer, running_server

EXPRESS = Path(__file__).parent / "express"
TICKS = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 32
ROOMS = 100
MEMORY_REQUESTS = 100_000
MEMORY_STEP_S = 4
PAUSES = """
math.randomseed({seed})
delay = function() return math.floor(-math.log(1 - math.random()) * {mean_ms:.2f} + 0.5) end
"""
"""For wrk: a pause before each request, of exponential length, so that requests come at random moments."""


@dataclass(frozen=True)
class Load:
    """What is asked for, again and again: a script for wrk."""

    name: str
    path: str
    script: str


@dataclass(frozen=True)
class Figures:
    """What came out of one load."""

    requests: int
    per_second: float
    cpu_us: float
    p99_ms: float


def loads(rooms: list[tuple[str, str]]) -> list[Load]:
    """The loads on rooms, given by name and secret. Tokens go round, since tokens of one room wait for one another."""
    room = rooms[0][0]
    post = 'wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n'
    listed = ", ".join(f'{{"{name}", "{secret}"}}' for name, secret in rooms)
    token = (
        f"{post}n = 0\nrooms = {{{listed}}}\nrequest = function() n = n + 1\nlocal room = rooms[n % #rooms + 1]\n"
        'return wrk.format(nil, nil, nil, \'{"roomName": "\' .. room[1] .. \'", "participantName": "p\' .. n .. '
        '\'", "secret": "\' .. room[2] .. \'"}\') end\n'
    )
    return [
        Load("GET /rooms/{roomName}", f"/meet/api/v1/rooms/{room}", ""),
        Load("POST /rooms", "/meet/api/v1/rooms", f"{post}wrk.body = '{{\"expirationDate\": {FAR}}}'\n"),
        Load("POST /participants/token", "/meet/api/v1/participants/token", token),
    ]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(url: str, pid: int, load: Load, seconds: int, *, per_second: float | None = None) -> Figures:
    """Ask with 32 connections, as fast as answers come or so often a second (about)."""
    pauses = ""
    if per_second is not None:
        pauses = PAUSES.format(seed=pid, mean_ms=max(CONNECTIONS / per_second * 1000 - 1, 0))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(load.script + pauses)
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-H", f"X-API-KEY: {API_KEY}"]
        before = cpu_s(pid)
        done = subprocess.run(
            ["taskset", "-c", "1", *command, "-s", script.name, f"{url}{load.path}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        spent = cpu_s(pid) - before
    if "Non-2xx" in done.stdout:
        raise RuntimeError(done.stdout)
    requests = int(re.search(r"(\d+) requests in", done.stdout)[1])
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout)
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return Figures(requests, requests / seconds, spent / requests * 1e6, float(p99[1]) * scale)


def full_and_half(what: str, url: str, pid: int, load: Load, seconds: int) -> None:
    full = measure(url, pid, load, seconds)
    half = measure(url, pid, load, seconds, per_second=full.per_second / 2)
    print(
        f"{what:<12} {load.name:<26} {full.per_second:6.0f} /s   {full.cpu_us:6.0f} µs of CPU a request"
        f"   p99 {full.p99_ms:6.1f} ms;  at {half.per_second:5.0f} /s: p99 {half.p99_ms:6.1f} ms",
        flush=True,
    )


def memory_mb(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def ours(what: str, server: RestServer, seconds: int) -> None:
    made = [server.create_room() for _ in range(ROOMS)]
    pid = server.process.pid
    subprocess.run(["taskset", "-acp", "0", str(pid)], capture_output=True, check=True)
    asked = loads([(room.name, room.secret("viewer")) for room in made])
    samples = [f"{memory_mb(pid):.0f}"]
    for load in asked:
        full_and_half(what, server.url, pid, load, seconds)
    requests, turns = 0, cycle(asked)
    while requests < MEMORY_REQUESTS:
        requests += measure(server.url, pid, next(turns), MEMORY_STEP_S).requests
        samples.append(f"{memory_mb(pid):.0f}")
    print(
        f"{what:<12} memory: {samples[0]} MB at first, then over {requests} requests {' '.join(samples[1:])}\n",
        flush=True,
    )


@contextmanager
def express() -> Iterator[tuple[str, int]]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            ["taskset", "-c", "0", "node", EXPRESS / "server.js", f"{folder}/x.db", str(port), API_KEY, "secret"],
            stdout=subprocess.PIPE, env=os.environ | {"NODE_ENV": "production"},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.kill()
            process.wait()


def theirs(seconds: int) -> None:
    with express() as (url, pid):
        request = urllib.request.Request(
            f"{url}/meet/api/v1/rooms", method="POST", data=f'{{"expirationDate": {FAR}}}'.encode(),
            headers={"X-API-KEY": API_KEY, "content-type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:
            room = re.search(r'"roomName":"(\w+)"', answer.read().decode())[1]
        for load in loads([(room, "x")]):
            full_and_half("Express", url, pid, load, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="how long each load lasts")
    seconds = parser.parse_args().seconds
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        with running_server(Path(folder) / "sqlite") as server:
            ours("SQLite", server, seconds)
        with running_postgres(durable=True) as cluster:
            url = cluster.new_database()
            with running_server(Path(folder) / "postgres", TERTULIA_DATABASE_URL=url) as server:
                ours("PostgreSQL", server, seconds)
    if (EXPRESS / "node_modules").is_dir():
        theirs(seconds)
    else:
        print(f"Express: not installed (cd {EXPRESS} && npm install)")


if __name__ == "__main__":
    main()
