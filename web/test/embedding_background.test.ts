import { signal } from "@preact/signals-core";
import { beforeEach, expect, test, vi } from "vitest";
import { setBackground } from "../src/embedding/background.ts";
import { Background } from "../src/session/background.ts";
import type { MeetingPage } from "../src/session/page.ts";
import { FakeEngine } from "./fake_effects.ts";

const browser = vi.hoisted(() => ({ isSupported: true, picture: null as Blob | null }));
vi.mock("../src/effects/video_stream.ts", () => ({ isBackgroundSupported: () => browser.isSupported }));
vi.mock("../src/effects/own_picture.ts", () => ({ ownPicture: async () => browser.picture }));

beforeEach(() => Object.assign(browser, { isSupported: true, picture: null }));

/** A meeting whose camera takes what is chosen. */
function pageIn(view = "meeting") {
  const engine = new FakeEngine();
  const background = new Background("none", async () => ({ open: () => engine, backdropOf: async (c) => c as never }));
  const error = signal<{ device: "camera"; cause: string } | null>(null);
  const applied: string[] = [];
  const camera = { applyEffect: async () => void applied.push(background.active.value) };
  const meeting = { camera, error, canPublish: signal(true) };
  const page = { background, role: signal("publisher"), state: signal({ view, meeting }) };
  return { applied, background, camera, error, meeting, page: page as unknown as MeetingPage, engine };
}

test.each([
  ["light", "light"],
  ["strong", "strong"],
  ["blur", "strong"],
  ["sea", "sea"],
])("%s is %s, and on the camera when it resolves", async (wanted, choice) => {
  const { applied, page } = pageIn();
  await setBackground(page, wanted);
  expect(applied).toEqual([choice]);
  await setBackground(page, "none");
  expect(applied).toEqual([choice, "none"]);
});

test("the own picture is only there where the user has chosen one", async () => {
  const { background, page } = pageIn();
  await expect(setBackground(page, "own")).rejects.toMatchObject({ code: "not_found" });
  browser.picture = new Blob();
  await setBackground(page, "own");
  expect(background.choice.value).toBe("own");
});

test.each([undefined, 3, "beach", "constructor"])("%s is no background", async (wanted) => {
  await expect(setBackground(pageIn().page, wanted)).rejects.toMatchObject({ code: "bad_argument" });
});

test("where the room forbids it, it is refused, and can still be taken off", async () => {
  const { background, page } = pageIn();
  background.allowed.value = false;
  await expect(setBackground(page, "light")).rejects.toMatchObject({ code: "not_allowed" });
  expect(background.choice.value).toBe("none");
  await setBackground(page, "none");
});

test("it is refused to a viewer, and in a browser that cannot", async () => {
  const { meeting, page } = pageIn();
  meeting.canPublish.value = false;
  await expect(setBackground(page, "light")).rejects.toMatchObject({ code: "not_allowed" });
  meeting.canPublish.value = true;
  browser.isSupported = false;
  await expect(setBackground(page, "light")).rejects.toMatchObject({ code: "not_supported" });
});

test("a background that does not start is a failure", async () => {
  const { camera, error, page } = pageIn();
  camera.applyEffect = async () => {
    error.value = { device: "camera", cause: "background_failed" };
  };
  await expect(setBackground(page, "light")).rejects.toMatchObject({ code: "background_failed" });
});

test("in the form it is chosen for the meeting; after it there is nobody to see it", async () => {
  const { applied, background, page } = pageIn("prejoin");
  await setBackground(page, "light");
  expect([background.choice.value, applied]).toEqual(["light", []]);
  await expect(setBackground(pageIn("ended").page, "light")).rejects.toMatchObject({ code: "not_in_meeting" });
});
