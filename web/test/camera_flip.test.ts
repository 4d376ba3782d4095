import { expect, test } from "vitest";
import { LocalDevice, LocalDevices, type MediaDevicesLike } from "../src/session/devices.ts";
import { facingOf, oppositeOf } from "../src/session/facing.ts";
import { Speaker } from "../src/session/speaker.ts";

interface Camera {
  readonly deviceId: string;
  readonly facingMode?: string;
}

const PHONE: readonly Camera[] = [
  { deviceId: "front", facingMode: "user" },
  { deviceId: "back", facingMode: "environment" },
];

/** A machine with these cameras, of which one can be open at a time. */
function machine(cameras: readonly Camera[]) {
  let open = 0;
  const remembered: string[] = [];
  const media = Object.assign(new EventTarget(), {
    async getUserMedia({ video }: { video: MediaTrackConstraints }) {
      if (open > 0) throw new Error("another camera is open");
      open += 1;
      const facing = (video.facingMode as { ideal: string } | undefined)?.ideal;
      const camera = cameras.find(({ facingMode }) => facingMode === facing) ?? cameras[0];
      const track = Object.assign(new EventTarget(), {
        getSettings: () => camera,
        stop: () => {
          open -= 1;
        },
      });
      return { getVideoTracks: () => [track], getAudioTracks: () => [] };
    },
    enumerateDevices: async () => cameras.map(({ deviceId }) => ({ kind: "videoinput", deviceId, label: deviceId })),
  });
  const devices = new LocalDevices(
    media as unknown as MediaDevicesLike,
    new LocalDevice("camera", true, ""),
    new LocalDevice("microphone", false, ""),
    new Speaker("", null, () => {}),
    ({ camera }) => remembered.push(camera.selectedId.value),
  );
  return { devices, remembered };
}

test("a phone goes from the front camera to the one at the back and to the front again", async () => {
  const { devices, remembered } = machine(PHONE);
  await devices.start();
  expect(devices.facing.value).toBe("user");
  await devices.flip();
  expect(devices.facing.value).toBe("environment");
  await devices.flip();
  expect(devices.facing.value).toBe("user");
  expect(devices.camera.error.value).toBeNull();
  expect(remembered).toEqual(["back", "front"]);
});

test.each<[string, readonly Camera[]]>([
  ["a computer with two cameras", [{ deviceId: "a" }, { deviceId: "b" }]],
  ["a tablet with one camera", PHONE.slice(0, 1)],
])("%s has nothing to flip", async (_name, cameras) => {
  const { devices, remembered } = machine(cameras);
  await devices.start();
  expect(devices.facing.value).toBeNull();
  await devices.flip();
  expect(remembered).toEqual([]);
});

test("cameras that look elsewhere have no opposite", () => {
  expect(facingOf({ facingMode: "left" })).toBeNull();
  expect(oppositeOf("environment")).toBe("user");
});
