"""A recording that is kept in a bucket, played in the page by an address of the bucket itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from e2e.test_recording import item, play, reaches, start
from support.fake_media import RED
from support.people import People
from support.product import running_product
from support.s3 import BUCKET, S3Server, find_versitygw

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(find_versitygw() is None, reason="needs versitygw, which .ci/run installs"),
]


async def test_a_recording_in_a_bucket_plays_and_seeks_in_the_page(
    people: People, red_browser: Browser, tmp_path: Path
) -> None:
    bucket = S3Server(tmp_path / "s3")
    bucket.folder.mkdir()
    await bucket.start()
    kept = {"RECORDINGS_URL": f"s3://{BUCKET}", "RECORDINGS_DELIVERY": "redirect"}
    settings = {f"TERTULIA_{name}": value for name, value in kept.items()} | bucket.environment
    try:
        data = tmp_path / "data"
        data.mkdir()
        async with running_product(data, settings=settings) as product:
            room = await product.create_room()
            ana = await people.at(red_browser, "Ana")
            await ana.join(room.moderator)
            await ana.sees("Ana", RED)
            await start(ana)
            await reaches(ana, 4)
            await ana.press("Stop recording")
            await expect(item(ana)).to_have_attribute("data-status", "COMPLETE")
            async with ana.page.expect_response(lambda answer: f":{bucket.port}/" in answer.url) as fetched:
                player = await play(ana)
                await player.plays()
            assert (await fetched.value).status in {200, 206}
            await player.seeks(await player.duration_s() / 2)
            # what it shows cannot be read: the bucket is another origin
            await player.resume()
            await player.plays()
            await people.close()
    finally:
        await bucket.kill()
