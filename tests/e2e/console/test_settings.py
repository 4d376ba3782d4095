"""Settings that change while the server runs, API keys, the password: each as an administrator changes it."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Browser, expect

from support.administrator import PHONE, Administrator, Opens
from support.people import People
from support.rest import INTERNAL, RestServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOGO: Final = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40"><circle cx="40" cy="20" r="20"/></svg>'


async def open_part(admin: Administrator, part: str) -> None:
    await admin.go("Settings")
    await admin.page.get_by_role("navigation", name="Settings").get_by_role("link", name=part).click()


async def test_settings_count_at_once_and_are_taken_back(administrators: Opens, server: RestServer) -> None:
    ada, bob = await administrators("ada"), await administrators("bob", viewport=PHONE)
    await bob.go("Settings")
    room = server.create_room(roomNamePrefix="auth")
    await ada.go("Settings")
    form = ada.page.get_by_role("form", name="Who may join")
    await form.get_by_label("Everybody needs a login too").check()
    await form.get_by_role("button", name="Save").click()
    await expect(ada.notice("The settings were saved.")).to_be_visible()
    await expect(form).to_contain_text("changed here")
    await expect(bob.page.get_by_label("Everybody needs a login too")).to_be_checked()
    body = {"roomName": room.name, "participantName": "Ana", "secret": room.secret("publisher")}
    assert server.ask("POST", "/participants/token", body, base=INTERNAL).status_code == 401
    await form.get_by_role("button", name="Use the configured value of Who may join").click()
    await expect(bob.page.get_by_label("A link is enough")).to_be_checked()
    assert server.ask("POST", "/participants/token", body, base=INTERNAL).status_code == 200


async def test_what_cannot_be_is_told_before_it_is_sent(administrators: Opens) -> None:
    admin = await administrators()
    await admin.go("Settings")
    form = admin.page.get_by_role("form", name="Embedding")
    await form.get_by_label("Sites that may embed meetings").fill("https://app.example.com\nnonsense")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_text("“nonsense” is not the address of a site")).to_be_visible()
    look = admin.page.get_by_role("form", name="Appearance")
    await look.get_by_label("Colour in light mode", exact=True).fill("#ffffaa")
    await expect(look.get_by_text("too low: 3 : 1 is needed to be seen")).to_be_visible()
    await admin.is_accessible()
    await look.get_by_label("Colour in light mode", exact=True).fill("#7a3b00")
    await look.get_by_label("Name").fill("Example AG")
    await look.get_by_role("button", name="Save").click()
    await expect(admin.notice("The settings were saved.")).to_be_visible()
    await look.get_by_role("button", name="Use the configured value of Appearance").click()
    await expect(look.get_by_label("Name")).to_have_value("")


async def test_the_console_has_the_name_and_the_logo_of_the_installation(
    administrators: Opens, people: People, server: RestServer, red_browser: Browser
) -> None:
    admin = await administrators()
    await admin.go("Settings")
    look = admin.page.get_by_role("form", name="Appearance")
    await look.get_by_label("Name").fill("Example AG")
    await look.get_by_label("Logo").set_input_files({"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": LOGO})
    await look.get_by_role("button", name="Save").click()
    brand = admin.page.locator(".brand")
    await expect(brand).to_have_text("Example AG Console")
    await expect(brand.locator("img")).to_have_js_property("naturalWidth", 80)
    await expect(admin.page).to_have_title("Settings – Example AG")
    await admin.is_accessible()
    stranger = people.add(await Administrator.of(server, red_browser, "stranger"))
    await expect(stranger.heading("Log in")).to_be_visible()
    await expect(stranger.page.locator(".brand")).to_have_text("Example AG Console")
    await expect(stranger.page).to_have_title("Example AG")
    await stranger.is_accessible()
    await look.get_by_role("button", name="Use the configured value of Appearance").click()
    await expect(brand).to_have_text("Tertulia Console")
    await expect(brand.locator("img")).to_have_count(0)


async def test_new_rooms_begin_as_the_settings_say(administrators: Opens) -> None:
    admin = await administrators()
    await admin.go("Settings")
    form = admin.page.get_by_role("form", name="New rooms")
    await form.get_by_label("Expire after days").fill("7")
    await form.get_by_label("Most participants").fill("25")
    await form.get_by_label("Lobby").check()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_contain_text("changed here")
    await admin.go("Rooms")
    await admin.press("New room")
    dialog = admin.dialog("New room")
    await expect(dialog.get_by_label("Expires")).to_have_value("week")
    await expect(dialog.get_by_label("Most participants")).to_have_value("25")
    await expect(dialog.get_by_label("Lobby")).to_be_checked()
    await admin.page.keyboard.press("Escape")
    await admin.go("Settings")
    await form.get_by_role("button", name="Use the configured value").click()
    await expect(form).to_contain_text("default")


async def test_every_other_setting_says_where_it_comes_from(administrators: Opens) -> None:
    admin = await administrators()
    await admin.go("Settings")
    await admin.page.get_by_label("Filter settings").fill("TERTULIA_HOST")
    row = admin.page.locator(".setting-list li", has_text="TERTULIA_HOST")
    await expect(row).to_contain_text("127.0.0.1")
    await expect(row).to_contain_text("from the environment")
    await expect(admin.page.locator(".setting-list li")).to_have_count(1)


async def test_api_keys_are_made_rotated_without_a_gap_and_revoked(administrators: Opens, server: RestServer) -> None:
    admin = await administrators()
    await open_part(admin, "API keys")
    await admin.page.get_by_label("Name of the application").fill("intranet")
    await admin.press("New key")
    made = admin.dialog("The new key of intranet")
    key = await made.get_by_label("API key").input_value()
    await admin.is_accessible()
    await made.get_by_role("button", name="Done").click()
    row = admin.page.locator('.row[data-key="intranet"]')
    await expect(row).to_contain_text("never used")
    await expect(admin.page.locator(".row", has_text="TERTULIA_API_KEY")).to_contain_text("Held by the configuration")
    assert server.ask("GET", "/rooms?maxItems=1", key=key).status_code == 200

    await row.get_by_role("button", name="Rotate intranet").click()
    await admin.dialog("Rotate intranet?").get_by_role("button", name="Rotate", exact=True).click()
    newer = await made.get_by_label("API key").input_value()
    assert newer != key
    await made.get_by_role("button", name="Done").click()
    assert server.ask("GET", "/rooms?maxItems=1", key=key).status_code == 200
    assert server.ask("GET", "/rooms?maxItems=1", key=newer).status_code == 200
    await expect(row).to_contain_text("The old secret works until")

    await row.get_by_role("button", name="Revoke intranet").click()
    await admin.dialog("Revoke intranet?").get_by_role("button", name="Revoke", exact=True).click()
    await expect(row).to_have_count(0)
    for revoked in (key, newer):
        assert server.ask("GET", "/rooms?maxItems=1", key=revoked).status_code == 401


async def test_keys_of_another_administrator_are_seen_at_once(administrators: Opens, people: People) -> None:
    ada, bob = await administrators("ada"), await administrators("bob", viewport=PHONE, color_scheme="dark")
    name = "<b>Büro</b> \u2067of a name that is rather long for a phone"
    for admin in (ada, bob):
        await open_part(admin, "API keys")
    await ada.page.get_by_label("Name of the application").fill(name)
    await ada.press("New key")
    await expect(ada.dialog("The new key of")).to_be_visible()
    await people.screenshot("console-key-made")
    await ada.dialog("The new key of").get_by_role("button", name="Done").click()
    row = bob.page.locator(".row", has_text=name)
    await expect(row).to_be_visible()
    await bob.is_accessible()
    await row.get_by_role("button", name="Rotate").click()
    await expect(bob.dialog("Rotate")).to_be_visible()
    await bob.is_accessible()
    await people.screenshot("console-key-rotate")
    await bob.dialog("Rotate").get_by_role("button", name="Rotate", exact=True).click()
    await bob.dialog("The new key of").get_by_role("button", name="Done").click()
    await people.screenshot("console-keys")
    await row.get_by_role("button", name="Revoke").click()
    await bob.page.get_by_role("dialog").get_by_role("button", name="Revoke", exact=True).click()
    await expect(ada.page.locator(".row", has_text=name)).to_have_count(0)


async def test_a_configured_password_is_told(administrators: Opens) -> None:
    admin = await administrators()
    await open_part(admin, "Password")
    await expect(admin.page.get_by_text("TERTULIA_ADMIN_PASSWORD holds the password")).to_be_visible()
    await expect(admin.page.get_by_label("New password")).to_have_count(0)
