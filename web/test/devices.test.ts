import { expect, test } from "vitest";
import { LocalDevice, LocalDevices, type MediaDevicesLike, optionsOf } from "../src/session/devices.ts";
import { deviceCause } from "../src/session/refusals.ts";
import { Speaker } from "../src/session/speaker.ts";

class FakeTrack extends EventTarget {
  stopped = false;
  readonly kind: "audio" | "video";
  readonly deviceId: string;

  constructor(kind: "audio" | "video", deviceId: string) {
    super();
    this.kind = kind;
    this.deviceId = deviceId;
  }

  getSettings() {
    return { deviceId: this.deviceId };
  }

  stop() {
    this.stopped = true;
  }
}

function failure(name: string): Error {
  return Object.assign(new Error(name), { name });
}

/** A machine whose devices open, or fail, as the test says. */
function machine(failing: { audio?: string; video?: string } = {}) {
  const opened: FakeTrack[] = [];
  const asked: MediaStreamConstraints[] = [];
  const media = Object.assign(new EventTarget(), {
    async getUserMedia(constraints: MediaStreamConstraints) {
      asked.push(constraints);
      const kinds = (["audio", "video"] as const).filter((kind) => constraints[kind]);
      for (const kind of kinds) if (failing[kind]) throw failure(failing[kind]);
      const tracks = kinds.map((kind) => new FakeTrack(kind, `${kind}-1`));
      opened.push(...tracks);
      const of = (kind: string) => tracks.filter((track) => track.kind === kind);
      return { getVideoTracks: () => of("video"), getAudioTracks: () => of("audio") };
    },
    async enumerateDevices() {
      return [
        { kind: "videoinput", deviceId: "video-1", label: "Front" },
        { kind: "audioinput", deviceId: "audio-1", label: "Desk" },
      ];
    },
  });
  const devices = new LocalDevices(
    media as unknown as MediaDevicesLike,
    new LocalDevice("camera", true, ""),
    new LocalDevice("microphone", true, ""),
    new Speaker("", null, () => {}),
  );
  return { devices, opened, asked };
}

test("requests both at once, and lists the devices", async () => {
  const { devices, asked } = machine();
  await devices.start();
  expect(asked).toHaveLength(1);
  expect(devices.camera.track.value).not.toBeNull();
  expect(devices.microphone.track.value).not.toBeNull();
  expect(devices.camera.options.value).toEqual([{ id: "video-1", label: "Front" }]);
  expect(devices.camera.selectedId.value).toBe("video-1");
});

test("a missing camera does not affect the microphone", async () => {
  const { devices } = machine({ video: "NotFoundError" });
  await devices.start();
  expect(devices.microphone.track.value).not.toBeNull();
  expect(devices.camera.error.value).toBe("device_missing");
  expect(devices.camera.on.value).toBe(false);
});

test("a page that is not secure has no devices, and says why", async () => {
  const devices = new LocalDevices(
    undefined,
    new LocalDevice("camera", true, ""),
    new LocalDevice("microphone", true, ""),
    new Speaker("", null, () => {}),
  );
  await devices.start();
  expect(devices.camera.error.value).toBe("device_insecure");
  expect(devices.microphone.error.value).toBe("device_insecure");
});

test("switched off during the permission prompt: the device is closed when it opens", async () => {
  const { devices, opened } = machine();
  const starting = devices.start();
  await devices.toggle(devices.camera);
  await starting;
  expect(devices.camera.track.value).toBeNull();
  expect(opened.filter((track) => track.kind === "video").every((track) => track.stopped)).toBe(true);
});

test("off closes the device, on opens it again", async () => {
  const { devices, opened } = machine();
  await devices.start();
  await devices.toggle(devices.camera);
  expect(opened.find((track) => track.kind === "video")?.stopped).toBe(true);
  await devices.toggle(devices.camera);
  expect(devices.camera.track.value).not.toBeNull();
});

test("tracks that the meeting owns stay open", async () => {
  const { devices, opened } = machine();
  await devices.start();
  await devices.detach("camera");
  await devices.detach("microphone");
  devices.stop();
  expect(opened.some((track) => track.stopped)).toBe(false);
});

test("joining before the browser has opened the devices still publishes them", async () => {
  const { devices } = machine();
  void devices.start();
  const [camera, microphone] = await Promise.all([devices.detach("camera"), devices.detach("microphone")]);
  expect(camera.track).not.toBeNull();
  expect(microphone.track).not.toBeNull();
});

test("a camera that is still opening is not lost because the microphone was switched", async () => {
  const { devices } = machine();
  void devices.start();
  void devices.toggle(devices.microphone);
  void devices.toggle(devices.microphone);
  expect((await devices.detach("camera")).track).not.toBeNull();
});

test("what the meeting does not get has a cause, and what is off has none", async () => {
  const { devices } = machine({ video: "NotFoundError" });
  void devices.start();
  void devices.toggle(devices.microphone);
  expect(await devices.detach("camera")).toEqual({ track: null, cause: "device_missing" });
  expect(await devices.detach("microphone")).toEqual({ track: null, cause: null });
});

test("what the form has already told is not told again", async () => {
  const { devices } = machine({ video: "NotFoundError" });
  await devices.start();
  expect(await devices.detach("camera")).toEqual({ track: null, cause: null });
});

test("an unplugged device is reported", async () => {
  const { devices, opened } = machine();
  await devices.start();
  opened.find((track) => track.kind === "audio")?.dispatchEvent(new Event("ended"));
  expect(devices.microphone.error.value).toBe("device_missing");
  expect(devices.microphone.track.value).toBeNull();
});

test("devices without a name are not offered", () => {
  const hidden = [{ kind: "audioinput", deviceId: "", label: "" }] as unknown as MediaDeviceInfo[];
  expect(optionsOf(hidden, "microphone")).toEqual([]);
});

test.each([
  ["NotAllowedError", "device_denied"],
  ["NotFoundError", "device_missing"],
  ["NotReadableError", "device_in_use"],
  ["SomethingNewError", "device_failed"],
])("%s means %s", (name, cause) => {
  expect(deviceCause(failure(name), "camera")).toBe(cause);
});
