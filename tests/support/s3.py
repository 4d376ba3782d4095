"""A real S3 server on a free loopback port, which can be killed and started again: an object store's outage."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from support.ports import free_port

BUCKET: Final = "recordings"
_DEADLINE_S: Final = 20
_ACCESS, _SECRET = "test-access", "test-secret-key"


def find_versitygw() -> str | None:
    return shutil.which("versitygw") or shutil.which("versitygw", path=str(Path.home() / "go/bin"))


@dataclass
class S3Server:
    """Keeps its objects as files below `folder`; one bucket."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it is told, as every S3 client reads it."""
        return {
            "AWS_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": _ACCESS,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_REGION": "us-east-1",
        }

    async def start(self) -> None:
        program = find_versitygw()
        assert program, "versitygw is not installed: go install github.com/versity/versitygw/cmd/versitygw@latest"
        (self.folder / "objects" / BUCKET).mkdir(parents=True, exist_ok=True)
        (self.folder / "about").mkdir(exist_ok=True)
        with (self.folder / "s3.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                program, "--quiet", "--port", f"127.0.0.1:{self.port}",
                "posix", "--sidecar", str(self.folder / "about"), str(self.folder / "objects"),
                env=os.environ | {"ROOT_ACCESS_KEY": _ACCESS, "ROOT_SECRET_KEY": _SECRET}, stdout=log, stderr=log,
            )  # fmt: skip
        async with asyncio.timeout(_DEADLINE_S):
            while not await self._answers():
                assert self.process.returncode is None, (self.folder / "s3.log").read_text()
                await asyncio.sleep(0.05)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def objects(self) -> list[Path]:
        return [path for path in (self.folder / "objects" / BUCKET).rglob("*") if path.is_file()]
