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
const NAMELESS = [{ kind: "audiooutput", deviceId: "", label: "" }] as unknown as MediaDeviceInfo[];

/** A browser that names its devices while a microphone is open, as Safari does. */
class Hiding {
  readonly track = {
    stop: () => {
      this.isOpen = false;
    },
  };
  isOpen = false;
  refusal: Error | null = null;

  async getUserMedia(): Promise<MediaStream> {
    if (this.refusal) throw this.refusal;
    this.isOpen = true;
    return { getTracks: () => [this.track] } as unknown as MediaStream;
  }

  async enumerateDevices(): Promise<MediaDeviceInfo[]> {
    return this.isOpen ? [...DEVICES] : NAMELESS;
  }
}

function refused(name: string): Error {
  return Object.assign(new Error("no"), { name });
}

test("lists speakers that have a name, and remembers the choice", () => {
  const remembered: string[] = [];
  const speaker = new Speaker("", new Hiding(), (id) => remembered.push(id));
  expect(speaker.isHidden.value).toBe(false);
  speaker.list(DEVICES);
  expect(speaker.options.value.map(({ id }) => id)).toEqual(["default", "desk"]);
  speaker.select("desk");
  expect(speaker.selectedId.value).toBe("desk");
  expect(remembered).toEqual(["desk"]);
});

test("a browser that leaves no choice to a page has the test alone", async () => {
  const speaker = new Speaker("desk", null, () => {});
  speaker.list(DEVICES);
  expect(speaker.options.value).toEqual([]);
  expect([speaker.canChoose, speaker.isHidden.value]).toEqual([false, false]);
  await speaker.test();
  expect(playTestSound).toHaveBeenLastCalledWith("");
});

test("a test that fails is told, until the next one or another choice", async () => {
  const speaker = new Speaker("desk", new Hiding(), () => {});
  vi.mocked(playTestSound).mockRejectedValueOnce(new Error("gone"));
  await Promise.all([speaker.test(), speaker.test()]);
  expect(speaker.error.value).toBe("device_failed");
  expect(speaker.testing.value).toBe(false);
  await speaker.test();
  expect(speaker.error.value).toBeNull();
  expect(playTestSound).toHaveBeenLastCalledWith("desk");
});

test("speakers that are hidden from who uses no microphone are shown when asked for, and it is closed again", async () => {
  const media = new Hiding();
  const speaker = new Speaker("", media, () => {});
  speaker.list(NAMELESS);
  expect([speaker.isHidden.value, speaker.asksForMicrophone]).toEqual([true, true]);
  media.refusal = refused("NotAllowedError");
  await speaker.ask();
  expect([speaker.error.value, speaker.isHidden.value]).toEqual(["device_denied", true]);
  media.refusal = null;
  await speaker.ask();
  expect([speaker.error.value, speaker.isHidden.value, media.isOpen]).toEqual([null, false, false]);
  // hidden again, they are still there
  speaker.list(NAMELESS);
  expect(speaker.options.value.map(({ id }) => id)).toEqual(["default", "desk"]);
});

test("where the browser has a list of its own, that one is shown, and closing it is no failure", async () => {
  const [, desk] = DEVICES as [MediaDeviceInfo, MediaDeviceInfo];
  const chosen = vi.fn(async () => desk);
  const media = { getUserMedia: vi.fn(), enumerateDevices: async () => [desk], selectAudioOutput: chosen };
  const remembered: string[] = [];
  const speaker = new Speaker("", media, (id) => remembered.push(id));
  speaker.list(NAMELESS);
  chosen.mockRejectedValueOnce(refused("NotAllowedError"));
  await speaker.ask();
  expect([speaker.error.value, speaker.isHidden.value]).toEqual([null, true]);
  chosen.mockRejectedValueOnce(refused("NotFoundError"));
  await speaker.ask();
  expect(speaker.error.value).toBe("device_missing");
  await speaker.ask();
  expect([speaker.selectedId.value, speaker.error.value, speaker.isHidden.value]).toEqual(["desk", null, false]);
  expect(remembered).toEqual(["desk"]);
  expect(media.getUserMedia).not.toHaveBeenCalled();
});
