"""How long the fuzzers run: some seconds over fixed random numbers in CI, as long as wanted by `make fuzz`.

Each test takes its random numbers and its rounds from `fuzzing`. Without settings they are the same in every run. With
`FUZZ_SECONDS` each test goes on for so long, from a seed that is printed; `FUZZ_SEED` repeats a run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Final

import pytest

from support.rest import RestServer, running_server

CI_SECONDS: Final = 5.0
"""A slower machine does fewer rounds, always in the same order."""
DEFECTS: Final = ("Traceback", "panicked", "internal fault", "worker fault", "by a defect", '"level":"error"')
"""Words of the server's log that say that something went wrong that nobody foresaw."""


@dataclass(frozen=True)
class Fuzzing:
    """The random numbers of one test and how long it goes on."""

    random: Random
    seconds: float | None

    def rounds(self, at_most: int) -> Iterator[int]:
        """Count rounds: in CI at most so many, and not beyond CI_SECONDS."""
        until = time.monotonic() + (self.seconds or CI_SECONDS)
        number = 0
        while time.monotonic() < until and (self.seconds is not None or number < at_most):
            yield number
            number += 1
        print(f"{number} rounds")
        assert number > at_most // 50, "too slow to find anything"


@pytest.fixture
def fuzzing(request: pytest.FixtureRequest) -> Fuzzing:
    seconds = os.environ.get("FUZZ_SECONDS")
    seed = os.environ.get("FUZZ_SEED") or (str(SystemRandom().getrandbits(32)) if seconds else "1")
    print(f"FUZZ_SEED={seed}")
    return Fuzzing(Random(f"{seed} {request.node.name}"), float(seconds) if seconds else None)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestServer]:
    with running_server(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


@pytest.fixture
def unharmed(server: RestServer) -> Iterator[RestServer]:
    """The server; after the test it still serves, and its log tells of no defect."""
    log = server.folder / "log"
    before = log.stat().st_size
    yield server
    assert server.process
    assert server.process.poll() is None, server.log()[-3000:]
    assert server.ask("GET", "/rooms?maxItems=1").status_code == 200
    added = log.read_bytes()[before:].decode()
    found = [line for line in added.splitlines() if any(word in line for word in DEFECTS)]
    assert not found, found[:5]
