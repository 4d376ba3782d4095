import { signal } from "@preact/signals-core";
import type { LocalVideoTrack } from "livekit-client";
import { expect, test, vi } from "vitest";
import type { EngineListener } from "../src/effects/background_engine.ts";
import { Background, type BackgroundChoice } from "../src/session/background.ts";
import { FakeEngine, FakeLocalTrack } from "./fake_effects.ts";

function backgroundOf(saved = "none") {
  const engines: FakeEngine[] = [];
  const listeners: EngineListener[] = [];
  const remembered: BackgroundChoice[] = [];
  const load = vi.fn(async () => ({
    open: (listener: EngineListener) => {
      listeners.push(listener);
      engines.push(new FakeEngine());
      return engines.at(-1) as FakeEngine;
    },
    backdropOf: async (choice: string) => ({ kind: "blur", strength: choice }) as never,
  }));
  const background = new Background(saved, load, (choice) => void remembered.push(choice));
  return { background, load, engines, listeners, remembered };
}

const sdkTrack = (track: FakeLocalTrack) => track as unknown as LocalVideoTrack;
const settled = () => new Promise((resolve) => setTimeout(resolve));

test("without a background nothing is loaded, and a camera is left as it is", async () => {
  const { background, load } = backgroundOf();
  const track = new FakeLocalTrack();
  await background.apply(sdkTrack(track));
  expect(await background.captureOptions()).toBeUndefined();
  expect([load.mock.calls, track.done]).toEqual([[], []]);
});

test("a choice is remembered, and what was saved is checked", () => {
  const { background, remembered } = backgroundOf("something else");
  expect(background.choice.value).toBe("none");
  background.choose("sea");
  expect(remembered).toEqual(["sea"]);
  expect(backgroundOf("sea").background.choice.value).toBe("sea");
});

test("there is one processor: another background is another backdrop of it", async () => {
  const { background, engines } = backgroundOf("light");
  const track = new FakeLocalTrack();
  await background.apply(sdkTrack(track));
  background.choose("strong");
  await background.apply(sdkTrack(track));
  await background.apply(sdkTrack(track));
  expect(track.done).toEqual(["set"]);
  expect(engines.map(({ shown }) => shown)).toEqual([
    [
      { kind: "blur", strength: "light" },
      { kind: "blur", strength: "strong" },
    ],
  ]);
  background.choose("none");
  await background.apply(sdkTrack(track));
  expect(track.done).toEqual(["set", "stop"]);
  expect(engines[0]?.isClosed).toBe(true);
});

test("where the room does not allow it there is none, and the choice stays for other rooms", async () => {
  const { background, remembered } = backgroundOf("light");
  background.allowed.value = false;
  expect(background.active.value).toBe("none");
  expect(await background.captureOptions()).toBeUndefined();
  expect([background.choice.value, remembered]).toEqual(["light", []]);
});

test("a background that does not start keeps the camera from being shown without it", async () => {
  const { background, load } = backgroundOf("light");
  load.mockRejectedValueOnce(new Error("offline"));
  await expect(background.apply(sdkTrack(new FakeLocalTrack()))).rejects.toMatchObject({ code: "background_failed" });
  expect(background.starting.value).toBe(false);
  await expect(background.captureOptions()).resolves.toBeDefined();
});

test("after a failure the next choice starts another engine, whose processor replaces the old one", async () => {
  const { background, engines, listeners } = backgroundOf("light");
  const track = new FakeLocalTrack();
  await background.apply(sdkTrack(track));
  listeners[0]?.onFailure();
  expect([background.warning.value, engines[0]?.isClosed]).toEqual(["background_failed", true]);
  background.choose("strong");
  expect(background.warning.value).toBeNull();
  await background.apply(sdkTrack(track));
  expect(track.done).toEqual(["set", "set"]);
  expect(engines[1]?.shown).toEqual([{ kind: "blur", strength: "strong" }]);
});

test("a slow device is told as long as there is a background", async () => {
  const { background, listeners } = backgroundOf("light");
  await background.captureOptions();
  listeners[0]?.onSlow();
  expect(background.warning.value).toBe("background_slow");
  background.choose("none");
  listeners[0]?.onSlow();
  expect(background.warning.value).toBeNull();
});

test("the form shows its camera with the background, and frees it for the meeting", async () => {
  const { background, engines } = backgroundOf("light");
  const camera = signal<MediaStreamTrack | null>(null);
  background.follow(camera);
  expect(background.preview.value).toBeNull();
  camera.value = { id: "raw" } as MediaStreamTrack;
  await vi.waitFor(() => expect(background.preview.value?.id).toBe("processed"));
  const shown = background.preview.value;
  background.choose("strong");
  await settled();
  expect(background.preview.value).toBe(shown);
  camera.value = null;
  await vi.waitFor(() => expect(background.preview.value).toBeNull());
  expect(engines).toHaveLength(1);
});

test("a preview that fails is told, and the camera is shown as it is", async () => {
  const { background, load } = backgroundOf("light");
  load.mockRejectedValue(new Error("offline"));
  const camera = signal({ id: "raw" } as MediaStreamTrack);
  background.follow(camera);
  await vi.waitFor(() => expect(background.warning.value).toBe("background_failed"));
  expect(background.preview.value).toBeNull();
});
