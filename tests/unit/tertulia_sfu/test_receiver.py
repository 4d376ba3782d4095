"""The binding of the receiver; receiving media is tested in Rust, and by every recording."""

import time

import pytest

from tertulia_sfu.receiver import Receiver, receive_from


def test_it_offers_receiving_sections_at_addresses_of_this_machine():
    receiver = receive_from("127.0.0.1")
    offer = receiver.offer(audio=2, video=1)
    assert receiver.state == "connecting"
    assert receiver.drain_audio() == []
    assert receiver.drain_video() == []
    receiver.close()
    assert offer.count("m=audio") == 2
    assert offer.count("m=video") == 1
    assert offer.count("a=recvonly") == 3
    assert " 127.0.0.1 " in offer


def test_an_unknown_host_is_an_error_only_when_joining():
    receiver = receive_from("no-such-host.invalid")
    assert receiver.offer(audio=1, video=0)
    receiver.close()


def test_what_is_not_an_address_is_refused():
    with pytest.raises(OSError, match="is not an IP address"):
        Receiver(addresses=["localhost"])


def test_answers_that_do_not_fit_are_refused_and_candidates_that_do_not_fit_are_ignored():
    receiver = Receiver(addresses=["127.0.0.1"])
    with pytest.raises(ValueError, match="no offer is pending"):
        receiver.answer(sdp="v=0")
    receiver.offer(audio=1, video=0)
    with pytest.raises(ValueError, match="SDP"):
        receiver.answer(sdp="not at all")
    receiver.add_candidate("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active")
    receiver.add_candidate("nonsense")
    receiver.restart("unknown")
    receiver.close()
    receiver.close()


def test_closing_takes_no_time():
    receiver = Receiver(addresses=["127.0.0.1"])
    started = time.monotonic()
    receiver.close()
    assert time.monotonic() - started < 2


def test_it_says_that_nothing_waits_and_that_it_has_ended():
    receiver = Receiver(addresses=["127.0.0.1"])
    deadline = time.monotonic() + 10
    while receiver.behind_us > 500_000:
        assert time.monotonic() < deadline
    assert receiver.state == "connecting"
    receiver.close()
    assert receiver.state == "gone"
