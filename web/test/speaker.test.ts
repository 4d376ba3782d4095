import { expect, test, vi } from "vitest";
import { Speaker } from "../src/session/speaker.ts";
import { playTestSound } from "../src/session/test_sound.ts";

vi.mock("../src/session/test_sound.ts", () => ({ playTestSound: vi.fn(async () => {}) }));

const DEVICES = [
  { kind: "audiooutput", deviceId: "default", label: "Standard" },
  { kind: "audiooutput", deviceId: "desk", label: "Desk" },
  { kind: "audiooutput", deviceId: "", label: "" },
  { kind: "audioinput", deviceId: "mic", label: "Desk" },
] as unknown as readonly MediaDeviceInfo[];

test("lists speakers that have a name, and remembers the choice", () => {
  const remembered: string[] = [];
  const speaker = new Speaker("", true, (id) => remembered.push(id));
  speaker.list(DEVICES);
  expect(speaker.options.value.map(({ id }) => id)).toEqual(["default", "desk"]);
  speaker.select("desk");
  expect(speaker.selectedId.value).toBe("desk");
  expect(remembered).toEqual(["desk"]);
});

test("a browser that leaves no choice to a page has the test alone", async () => {
  const speaker = new Speaker("desk", false, () => {});
  speaker.list(DEVICES);
  expect(speaker.options.value).toEqual([]);
  await speaker.test();
  expect(playTestSound).toHaveBeenLastCalledWith("");
});

test("a test that fails is told, until the next one or another choice", async () => {
  const speaker = new Speaker("desk", true, () => {});
  vi.mocked(playTestSound).mockRejectedValueOnce(new Error("gone"));
  await Promise.all([speaker.test(), speaker.test()]);
  expect(speaker.failed.value).toBe(true);
  expect(speaker.testing.value).toBe(false);
  await speaker.test();
  expect(speaker.failed.value).toBe(false);
  expect(playTestSound).toHaveBeenLastCalledWith("desk");
});
