"""What a server or recorder leaves of a recording when it dies between two steps: one function for each state."""

from __future__ import annotations

from support.offline_installation import OfflineInstallation, media, now_ms
from tertulia.domain.recordings.recording import Recording
from tertulia_recorder.job import EndReason, RecorderPhase


def claimed(_installation: OfflineInstallation, _row: Recording) -> None:
    """After the claim, before the folder."""


def folder_made(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row, job=False)


def job_written(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)


def joining(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_state(row, RecorderPhase.JOINING, started_at_ms=None)


def header_written(installation: OfflineInstallation, row: Recording) -> None:
    joining(installation, row)
    installation.write_part(row, media()[0][:1000])


def media_before_state(installation: OfflineInstallation, row: Recording) -> None:
    joining(installation, row)
    installation.write_part(row, media()[0])


def recording(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_part(row, media()[0][:-100])
    installation.write_state(row, RecorderPhase.RECORDING, duration_s=2.0, bytes=1000)


def finishing(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_part(row, media()[1])
    installation.write_state(row, RecorderPhase.FINISHING, reason=EndReason.STOPPED, duration_s=4.0)


def renamed(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_file(row)
    installation.write_state(row, RecorderPhase.FINISHING, reason=EndReason.STOPPED, duration_s=4.0)


def done(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_file(row)
    installation.write_state(
        row,
        RecorderPhase.DONE,
        reason=EndReason.EMPTY,
        duration_s=installation.duration_s(row),
        bytes=len(media()[1]),
        file_name=row.filename,
        started_at_ms=row.started_at_ms or now_ms(),
    )


def media_gone(installation: OfflineInstallation, row: Recording) -> None:
    done(installation, row)
    installation.file(row).unlink()


def overwritten(installation: OfflineInstallation, row: Recording) -> None:
    installation.make_folder(row)
    installation.write_part(row, b"this is not media" * 1000)
    installation.write_state(row, RecorderPhase.RECORDING, duration_s=2.0, bytes=1000)
