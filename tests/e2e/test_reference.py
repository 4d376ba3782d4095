"""The API reference at `…/docs`: complete, usable without a mouse, and calling nothing but our own server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from support.accessibility import overflows, violations
from support.product import API_KEY, Product

pytestmark = pytest.mark.asyncio(loop_scope="session")

BASE_PATHS: Final = ("/meet/api/v1", "/meet/internal-api/v1")
SUMMARIES: Final = """
(rows) => rows.map((row) => [
  row.querySelector('.opblock-summary-method').textContent,
  row.querySelector('[data-path]').dataset.path,
  row.querySelector('.opblock-summary-description').textContent,
])
"""


@pytest_asyncio.fixture(loop_scope="session")
async def page(red_browser: Browser, product: Product) -> AsyncIterator[Page]:
    """A window that must write nothing to the console and ask no other server."""
    context = await red_browser.new_context(viewport={"width": 1280, "height": 800})
    window = await context.new_page()
    problems: list[str] = []
    window.on("pageerror", lambda error: problems.append(str(error)))
    window.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    window.on("request", lambda sent: None if is_own(sent.url, product) else problems.append(sent.url))
    yield window
    await context.close()
    assert problems == []


def is_own(address: str, product: Product) -> bool:
    return address.startswith((f"{product.url}/", f"{by_another_name(product)}/", "data:", "blob:"))


def by_another_name(product: Product) -> str:
    """Return an address of the server that is not the public one, which the document names."""
    return f"http://localhost:{product.port}"


async def open_reference(page: Page, server_url: str, base_path: str = BASE_PATHS[0]) -> None:
    await page.goto(f"{server_url}{base_path}/docs")
    await expect(page.locator(".opblock").first).to_be_visible()


async def open_operation(page: Page, operation_id: str) -> Locator:
    operation = page.locator(f'.opblock[id$="-{operation_id}"]')
    await operation.locator("button.opblock-summary-control").click()
    await expect(operation.locator(".code-samples pre")).to_be_visible()
    return operation


async def authorize(page: Page) -> None:
    await page.get_by_role("button", name="Authorize", exact=True).click()
    api_key = page.locator(".auth-container").filter(has_text="X-API-KEY")
    await api_key.get_by_role("textbox").fill(API_KEY)
    await api_key.get_by_role("button", name="Authorize").click()
    await api_key.get_by_role("button", name="Close").click()
    await expect(page.locator(".auth-container")).to_have_count(0)


@pytest.mark.parametrize("base_path", BASE_PATHS)
async def test_it_lists_every_operation_of_its_own_base_path(page: Page, product: Product, base_path: str) -> None:
    async with aiohttp.ClientSession() as http, http.get(f"{product.url}{base_path}/openapi.json") as answer:
        document = await answer.json()
    await open_reference(page, product.url, base_path)
    await expect(page.get_by_role("heading", level=1)).to_contain_text(document["info"]["title"])
    described = [
        [method.upper(), path, one["summary"]]
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]
    assert sorted(await page.locator(".opblock-summary").evaluate_all(SUMMARIES)) == sorted(described)


async def test_try_it_calls_the_server_that_it_was_opened_at_with_the_key(page: Page, product: Product) -> None:
    await open_reference(page, by_another_name(product))
    await authorize(page)
    operation = await open_operation(page, "createRoom")
    body = json.dumps({"expirationDate": 1_900_000_000_000, "roomNamePrefix": "tried"})
    await operation.get_by_label("Request body").fill(body)
    async with page.expect_request(f"{by_another_name(product)}{BASE_PATHS[0]}/rooms"):
        await operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table")
    await expect(answer.locator(".response-col_status").last).to_contain_text("200")
    room = json.loads(await answer.locator(".response-col_description pre").first.inner_text())
    assert room["roomName"].startswith("tried-")
    assert (await product.ask("GET", f"/rooms/{room['roomName']}"))["roomName"] == room["roomName"]
    # what was sent is what the sample shows now
    await expect(operation.locator(".code-samples pre")).to_contain_text(f"X-API-KEY: {API_KEY}")


async def test_code_samples_in_three_languages(page: Page, product: Product) -> None:
    await open_reference(page, product.url)
    operation = await open_operation(page, "getRoom")
    sample = operation.locator(".code-samples pre")
    address = f"{product.url}{BASE_PATHS[0]}/rooms/{{roomName}}"
    for language, words in {"curl": "curl", "JavaScript": "fetch(", "Python": "requests.get("}.items():
        await operation.get_by_role("button", name=language, exact=True).click()
        await expect(sample).to_contain_text(words)
        await expect(sample).to_contain_text(address)
        await expect(sample).to_contain_text("YOUR_API_KEY")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_violation(page: Page, product: Product, scheme: str) -> None:
    await page.emulate_media(color_scheme=scheme)
    await open_reference(page, product.url)
    await open_operation(page, "createRoom")
    assert await violations(page) == []
    await page.get_by_role("button", name="Authorize", exact=True).click()
    assert await violations(page) == []


async def test_it_fits_a_phone(page: Page, product: Product) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await open_reference(page, product.url)
    await open_operation(page, "createRoom")
    assert not await overflows(page)
