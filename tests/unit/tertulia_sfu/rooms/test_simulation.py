"""Simulated faults: each affects only its sender."""

from __future__ import annotations

import pytest
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, SimulateScenario

from support.meeting import Meeting


def test_a_simulated_speaker_stops_after_its_time() -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    ann.request(simulate=SimulateScenario(speaker_update=3))
    assert ann.last("speakers_changed").speakers[0].active
    meeting.advance(2.9)
    assert ann.last("speakers_changed").speakers[0].active
    meeting.advance(0.2)
    assert not ann.last("speakers_changed").speakers[0].active
    assert not bob.received("speakers_changed")


@pytest.mark.parametrize(
    ("scenario", "reason", "action"),
    [
        ("server_leave", DisconnectReason.SERVER_SHUTDOWN, LeaveRequest.DISCONNECT),
        ("leave_request_full_reconnect", DisconnectReason.STATE_MISMATCH, LeaveRequest.RECONNECT),
        ("node_failure", None, None),
        ("migration", None, None),
    ],
)
def test_ends_of_a_session(scenario: str, reason: int | None, action: int | None) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    ann.request(simulate=SimulateScenario(**{scenario: True}))
    assert ann.sid in meeting.signals.closed
    assert bob.sid not in meeting.signals.closed
    if reason is None:
        assert not ann.received("leave"), "a failed node sends nothing"
    else:
        assert (ann.last("leave").reason, ann.last("leave").action) == (reason, action)


@pytest.mark.parametrize(
    ("scenario", "silent", "times"),
    [("disconnect_signal_on_resume", False, 1), ("disconnect_signal_on_resume_no_messages", True, 3)],
)
def test_faults_of_the_next_resumes(scenario: str, silent: bool, times: int) -> None:
    meeting = Meeting()
    ann, bob = meeting.join("ann"), meeting.join("bob")
    ann.request(simulate=SimulateScenario(**{scenario: True}))
    faults = [ann.participant.take_resume_fault(meeting.now) for _ in range(times + 1)]
    assert [fault is not None and fault.silent is silent for fault in faults] == [True] * times + [False]
    assert bob.participant.take_resume_fault(meeting.now) is None


def test_unknown_scenarios_are_ignored() -> None:
    meeting = Meeting()
    ann = meeting.join("ann")
    ann.take_kinds()
    ann.request(simulate=SimulateScenario())
    ann.request(simulate=SimulateScenario(subscriber_bandwidth=100))
    assert ann.take_kinds() == []
