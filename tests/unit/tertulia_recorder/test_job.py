import pytest

from tertulia_recorder.ids import RecordingId, RoomName
from tertulia_recorder.job import EndReason, RecorderJob, RecorderMetrics, RecorderPhase, RecorderState

JOB = RecorderJob(
    recording_id=RecordingId("r"), room_name=RoomName("room"), media_url="ws://127.0.0.1:1", file_name="a.mp4"
)


def test_job_and_state_survive_json_and_newer_fields():
    assert RecorderJob.from_json(JOB.to_json()) == JOB
    state = RecorderState(
        phase=RecorderPhase.RECORDING,
        pid=3,
        reason=EndReason.LIMIT_DISK,
        details=("a", "b"),
        metrics=RecorderMetrics(cpu_s=1.5),
    )
    assert RecorderState.from_json(state.to_json()) == state
    assert RecorderState.from_json(state.to_json()[:-1] + ', "new": 1}') == state


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"phase": "nonsense", "pid": 1}', '{"recording_id": "x"}'])
def test_unreadable_json_is_a_value_error(text: str):
    for kind in (RecorderJob, RecorderState):
        with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
            kind.from_json(text)


@pytest.mark.parametrize("name", ["", "../x.mp4", "a/b.mp4", ".hidden"])
def test_a_file_name_cannot_leave_the_folder(name: str):
    with pytest.raises(ValueError, match="file_name"):
        RecorderJob(recording_id=JOB.recording_id, room_name=JOB.room_name, media_url="", file_name=name)


@pytest.mark.parametrize("name", ["max_duration_s", "empty_timeout_s", "start_timeout_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_times_are_positive(name: str, value: float):
    times: dict[str, float] = {name: value}
    with pytest.raises(ValueError, match=name):
        RecorderJob(  # type: ignore[arg-type]
            recording_id=JOB.recording_id, room_name=JOB.room_name, media_url="", file_name="a.mp4", **times
        )


def test_limits_are_told_from_other_reasons():
    limits = {reason for reason in EndReason if reason.is_limit}
    assert limits == {EndReason.LIMIT_DURATION, EndReason.LIMIT_SIZE, EndReason.LIMIT_DISK}
