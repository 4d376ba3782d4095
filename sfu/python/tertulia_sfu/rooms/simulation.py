"""LiveKit's `simulate` requests: faults that test suites of clients ask for. Each affects only its sender."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from livekit.protocol.models import DisconnectReason, SpeakerInfo
from livekit.protocol.rtc import CandidateProtocol, SignalResponse, SimulateScenario, SpeakersChanged

from tertulia_sfu.rooms.live_room import LiveRoom
from tertulia_sfu.rooms.participant import Participant

RESUME_FAULT_S: Final = 5.0
SILENT_RESUMES: Final = 3
MAX_SPEAKING_S: Final = 60


def simulate(room: LiveRoom, participant: Participant, scenario: SimulateScenario, now: float) -> None:
    """Run one scenario. Unknown ones are ignored."""
    field = scenario.WhichOneof("scenario")
    action = _SCENARIOS.get(field or "")
    if action is not None:
        action(room, participant, getattr(scenario, str(field)), now)


def _speaker_update(room: LiveRoom, participant: Participant, duration_s: int, now: float) -> None:
    send = partial(_send_speaking, room, participant)
    send(0.9, now)
    end = now + max(0, min(duration_s, MAX_SPEAKING_S))
    room.roster.timers.set(("speaking", participant.sid), end, partial(send, 0.0))


def _send_speaking(room: LiveRoom, participant: Participant, level: float, _now: float) -> None:
    speaker = SpeakerInfo(sid=participant.sid, level=level, active=level > 0)
    room.roster.send(participant, SignalResponse(speakers_changed=SpeakersChanged(speakers=[speaker])))


def _node_failure(room: LiveRoom, participant: Participant, _on: bool, now: float) -> None:
    room.remove(participant, DisconnectReason.UNKNOWN_REASON, now, send_leave=False)


def _server_leave(room: LiveRoom, participant: Participant, _on: bool, now: float) -> None:
    room.remove(participant, DisconnectReason.SERVER_SHUTDOWN, now)


def _full_reconnect(room: LiveRoom, participant: Participant, _on: bool, now: float) -> None:
    room.require_full_reconnect(participant, now)


def _disconnect_on_resume(_room: LiveRoom, participant: Participant, _on: bool, now: float) -> None:
    participant.arm_resume_fault(silent=False, times=1, until=now + RESUME_FAULT_S)


def _silent_disconnect_on_resume(_room: LiveRoom, participant: Participant, _on: bool, now: float) -> None:
    participant.arm_resume_fault(silent=True, times=SILENT_RESUMES, until=now + RESUME_FAULT_S)


def _switch_candidate_protocol(room: LiveRoom, participant: Participant, protocol: int, _now: float) -> None:
    # the client reconnects by itself
    room.negotiation.use_tcp_only(participant.identity, tcp_only=protocol == CandidateProtocol.TCP)


_SCENARIOS: Final[dict[str, Callable[[LiveRoom, Participant, Any, float], None]]] = {
    "speaker_update": _speaker_update,
    "node_failure": _node_failure,
    "migration": _node_failure,
    "server_leave": _server_leave,
    "disconnect_signal_on_resume": _disconnect_on_resume,
    "disconnect_signal_on_resume_no_messages": _silent_disconnect_on_resume,
    "switch_candidate_protocol": _switch_candidate_protocol,
    "leave_request_full_reconnect": _full_reconnect,
}
