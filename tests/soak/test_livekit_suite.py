"""LiveKit's own tests against our media server: livekit-server's (signalling v0 and v1), the Go SDK's. `make soak`.

Both want a server of their own: where it comes from is replaced in one of their files when they are built.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from support.media_servers import KEY, SECRET, Ports, ServerProcess, tertulia_sfu_command

GO: Final = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
STARTS_OURS: Final = """func setupSingleNodeTest(name string) (*service.LivekitServer, func()) {
	url := fmt.Sprintf("http://localhost:%d", defaultServerPort)
	command := exec.Command(os.Getenv("TERTULIA_SFU"), "--host", "127.0.0.1", "--port", fmt.Sprint(defaultServerPort),
		"--udp-port", "0", "--tcp-port", "0", "--address", "127.0.0.1", "--keys", testApiKey+":"+testApiSecret)
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		panic(err)
	}
	for range 600 {
		if answer, err := http.Get(url); err == nil && answer.StatusCode == http.StatusOK {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	roomClient = livekit.NewRoomServiceJSONClient(url, &http.Client{})
	return nil, func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
	}
}
"""

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(GO is None, reason="needs Go, and LiveKit's modules from the Go module proxy"),
]


@dataclass(frozen=True)
class Suite:
    """A package of tests in a Go module: `change` makes one of its files use our server at a port."""

    module: str
    package: str
    file: str
    change: Callable[[str, int], str]
    tests: tuple[str, ...]


def _start_ours(source: str, port: int) -> str:
    found = re.search(r"^func setupSingleNodeTest\(.*?^}\n", source, re.MULTILINE | re.DOTALL)
    assert found is not None
    changed = source[: found.start()] + STARTS_OURS + source[found.end() :]
    changed = re.sub(r"defaultServerPort = \d+", f"defaultServerPort = {port}", changed)
    return changed.replace('import (\n\t"context"\n', 'import (\n\t"context"\n\t"os"\n\t"os/exec"\n', 1)


def _ask_ours(source: str, port: int) -> str:
    return source.replace("localhost:7880", f"127.0.0.1:{port}")


SERVER: Final = Suite(
    module="github.com/livekit/livekit-server@v1.13.5",
    package="./test",
    file="test/integration_helpers.go",
    change=_start_ours,
    # those that start one server in its usual configuration and look at it only as a client does;
    # for TestFireTrackBySdp and TestDeviceCodecOverride see docs/compatibility.md
    tests=(
        "TestClientCouldConnect",
        "TestClientConnectDuplicate",
        "Test_WhenAutoSubscriptionDisabled_ClientShouldNotReceiveAnyPublishedTracks",
        "Test_RenegotiationWithDifferentCodecs",
        "TestSingleNodeRoomList",
        "TestSingleNodeUpdateParticipant",
        "TestPingPong",
        "TestSingleNodeJoinAfterClose",
        "TestSingleNodeCloseNonRTCRoom",
        "TestSingleNodeUpdateSubscriptionPermissions",
        "TestSingleNodeAttributes",
        "TestSubscribeToCodecUnsupported",
    ),
)
SDK: Final = Suite(
    module="github.com/livekit/server-sdk-go/v2@v2.19.0",
    package=".",
    file="integration_test.go",
    change=_ask_ours,
    # TestForceTLS needs a TURN server, TestSimulcastCodec a publisher of PCMU; for TestSubscribeMutedTrack see
    # docs/compatibility.md
    tests=(
        "TestJoin",
        "TestPublishDTMF",
        "TestJoinError",
        "TestJoinSinglePeerConnection",
        "TestPublishRequiresSinglePC",
        "TestPubSub",
        "TestResume",
        "TestLimitPayloadSize",
        "TestPublishTrackMimeType",
        "TestE2EE_H264RoundTrip",
        "TestDynacastRepublish",
    ),
)


def _outcomes(suite: Suite, folder: Path, port: int) -> dict[str, str]:
    """Build a suite with its changed file, and run it. Return the outcome of each test and of its parts."""
    module = folder / "module"
    shutil.copytree(_module_folder(suite.module), module, copy_function=shutil.copyfile)
    changed = module / suite.file
    changed.parent.chmod(0o755)  # the module cache can only be read
    changed.write_text(suite.change(changed.read_text(), port))
    command = [str(GO), "test", "-count=1", "-json", "-timeout=25m"]
    command += ["-run", f"^({'|'.join(suite.tests)})$", suite.package]
    environment = os.environ | {
        "TERTULIA_SFU": str(Path(sys.executable).with_name("tertulia-sfu")),
        "LIVEKIT_KEYS": f"{KEY}: {SECRET}",
    }
    log = folder / "log.jsonl"
    with log.open("wb") as output:
        subprocess.run(command, cwd=module, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False)
    print(f"the whole log is in {log}")
    return dict(_events(log))


def _module_folder(module: str) -> Path:
    asked = [str(GO), "mod", "download", "-json", module]
    answer = subprocess.run(asked, capture_output=True, text=True, check=True, cwd="/")
    return Path(json.loads(answer.stdout)["Dir"])


def _events(log: Path) -> Iterator[tuple[str, str]]:
    for line in log.read_text().splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("Test") and event["Action"] in {"pass", "fail", "skip"}:
                yield event["Test"], event["Action"]


def _assert_passed(outcomes: dict[str, str], name: str) -> None:
    parts = {part: outcome for part, outcome in outcomes.items() if part.split("/")[0] == name}
    assert parts.get(name) == "pass", parts


@pytest.fixture(scope="module")
def of_server(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outcomes of livekit-server's tests; each starts a server."""
    return _outcomes(SERVER, tmp_path_factory.mktemp("server"), Ports().http)


@pytest.fixture(scope="module")
def of_sdk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The outcomes of the Go SDK's tests."""
    folder, ports = tmp_path_factory.mktemp("sdk"), Ports()
    process = ServerProcess(tertulia_sfu_command(ports), ports, log=folder / "server.log")
    asyncio.run(process.start())
    try:
        return _outcomes(SDK, folder, ports.http)
    finally:
        process.kill()


@pytest.mark.parametrize("name", SERVER.tests)
def test_of_livekit_server_passes(of_server: dict[str, str], name: str) -> None:
    _assert_passed(of_server, name)


@pytest.mark.parametrize("name", SDK.tests)
def test_of_the_go_sdk_passes(of_sdk: dict[str, str], name: str) -> None:
    _assert_passed(of_sdk, name)
