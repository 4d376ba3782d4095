"""Uploading a large file to S3 in parts that stay there, so that an upload that was cut off goes on where it stopped.

obstore, which does everything else with buckets, gives up all parts of an upload that fails.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import structlog

from tertulia.errors import recordings_unavailable

_log = structlog.get_logger(__name__)

_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 60
_ATTEMPTS: Final = 2
_LARGEST_PARTS: Final = 10_000
"""S3's limit of an upload."""

_MAY_NOT_LIST: Final = frozenset({"AccessDenied", "NotImplemented", "MethodNotAllowed"})
P = ParamSpec("P")
T = TypeVar("T")


class S3Uploads:
    """The unfinished uploads of a bucket. What is where is asked of the bucket itself: nothing is kept here.

    Credentials, region and endpoint are those of the environment, by the names that obstore reads too.
    """

    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client: Any = None

    async def upload(
        self,
        path: str,
        source: Path,
        *,
        part_bytes: int,
        content_type: str,
        before_part: Callable[[], Awaitable[None]],
    ) -> None:
        """Upload a file that does not change any more. Raises Unavailable; the parts so far are kept then."""
        key, size = self._prefix + path, (await asyncio.to_thread(source.stat)).st_size
        part_bytes = max(part_bytes, -(-size // _LARGEST_PARTS))
        upload_id = await self._call(self._opened, key, content_type)
        there = await self._call(self._parts, key, upload_id)
        parts = []
        for number, start in enumerate(range(0, size, part_bytes), 1):
            await before_part()
            etag = await self._call(self._put, key, upload_id, number, (source, start, part_bytes), there.get(number))
            parts.append({"PartNumber": number, "ETag": etag})
        await before_part()
        await self._call(self._complete, key, upload_id, parts)

    async def abort(self, folder: str) -> None:
        """Delete the parts of unfinished uploads into a folder. Raises Unavailable."""
        await self._call(self._abort, f"{self._prefix}{folder}/")

    async def _call(self, function: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - slow to import, and rarely needed

        try:
            return await asyncio.to_thread(function, *arguments, **more)
        except (BotoCoreError, ClientError) as error:
            raise recordings_unavailable(type(error).__name__) from error

    # ── in a thread ──

    def _s3(self) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        if self._client is None:
            import botocore.session  # noqa: PLC0415 - as above
            from botocore.config import Config  # noqa: PLC0415

            endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
            endpoint = endpoint or os.environ.get("AWS_ENDPOINT")
            self._client = botocore.session.get_session().create_client(
                "s3",
                region_name=os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
                endpoint_url=endpoint,
                config=Config(
                    connect_timeout=_CONNECT_TIMEOUT_S,
                    read_timeout=_READ_TIMEOUT_S,
                    retries={"total_max_attempts": _ATTEMPTS},
                    s3={"addressing_style": "path" if endpoint else "auto"},
                    # other stores than Amazon's do not know the newer checksums
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        return self._client

    def _uploads(self, prefix: str) -> list[dict[str, Any]]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - as above

        pages = self._s3().get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        try:
            return [upload for page in pages for upload in page.get("Uploads", ())]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MAY_NOT_LIST:
                raise
            _log.warning("unfinished uploads cannot be listed: they start from zero, and stay", reason=str(error))
            return []

    def _opened(self, key: str, content_type: str) -> str:
        found = [each for each in self._uploads(key) if each["Key"] == key]
        if found:
            return str(max(found, key=lambda each: each["Initiated"])["UploadId"])
        begun = self._s3().create_multipart_upload(Bucket=self._bucket, Key=key, ContentType=content_type)
        return str(begun["UploadId"])

    def _parts(self, key: str, upload_id: str) -> dict[int, str]:
        pages = self._s3().get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
        return {part["PartNumber"]: part["ETag"] for page in pages for part in page.get("Parts", ())}

    def _put(self, key: str, upload_id: str, number: int, piece: tuple[Path, int, int], there: str | None) -> str:
        """Upload a part unless the bucket has it; its tag is its MD5, by which other content is recognised."""
        source, start, length = piece
        with source.open("rb") as file:
            file.seek(start)
            content = file.read(length)
        if there is not None and there.strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest():
            return there
        put = self._s3().upload_part(Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=content)
        return str(put["ETag"])

    def _complete(self, key: str, upload_id: str, parts: list[dict[str, Any]]) -> None:
        self._s3().complete_multipart_upload(
            Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
        )

    def _abort(self, prefix: str) -> None:
        for each in self._uploads(prefix):
            self._s3().abort_multipart_upload(Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"])
