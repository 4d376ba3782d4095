"""The port that only this machine reaches."""

from pathlib import Path

import pytest

from tertulia.app.listening import connection_limits, loopback_socket


class Open:
    """A connection."""

    def make_room(self) -> None: ...


@pytest.mark.parametrize(("behind_proxy", "is_admitted"), [(False, False), (True, True)])
def test_a_proxy_counts_addresses_itself(behind_proxy: bool, is_admitted: bool):
    limits = connection_limits(behind_proxy=behind_proxy).connections
    for _ in range(1000):
        connection = Open()
        assert limits.admit(connection, "192.0.2.1")
        limits.is_served(connection)
    assert limits.admit(Open(), "192.0.2.1") is is_admitted


def test_the_port_stays_the_same_while_it_can(tmp_path: Path):
    remembered = tmp_path / "loopback-port"
    with loopback_socket(remembered) as first:
        host, port = first.getsockname()
        assert host == "127.0.0.1"
        with loopback_socket(remembered) as meanwhile:
            other = meanwhile.getsockname()[1]
            assert other != port
    with loopback_socket(remembered) as second:
        assert second.getsockname()[1] == other


@pytest.mark.parametrize("damaged", ["", "no number", "-1", "70000", "8\n0"])
def test_what_is_remembered_may_be_damaged(tmp_path: Path, damaged: str):
    remembered = tmp_path / "loopback-port"
    remembered.write_text(damaged)
    with loopback_socket(remembered) as listener:
        assert remembered.read_text() == str(listener.getsockname()[1])
