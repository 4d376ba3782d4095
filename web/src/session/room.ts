import { CriticalTimers, DefaultReconnectPolicy, Room, setLogLevel, VideoPresets } from "livekit-client";
import type { DeviceKind } from "./devices.ts";
import { densityOf } from "./grid.ts";
import type { Speaker } from "./speaker.ts";

/**
 * When to reconnect after the connection broke (the SDK adds half as much at random): for about a minute, in short steps,
 * since the user is waiting. The SDK's own steps of seven seconds would delay the return after a restart.
 */
const RECONNECT_DELAYS_MS = [0, 300, 600, 1000, ...Array<number>(30).fill(2000)];

/** How often the SDK looks whether it is connected, and how often it does here: half of the time between is lost to users. */
const SDK_LOOKS_EVERY_MS = 50;
const LOOKS_EVERY_MS = 10;

interface RoomOptions {
  readonly deviceIds: Readonly<Record<DeviceKind, string>>;
  readonly speaker: Pick<Speaker, "selectedId">;
}

/** The SDK's room, set up for our page. */
export function newRoom({ deviceIds, speaker }: RoomOptions): Room {
  // names of participants do not belong in the console
  setLogLevel("error");
  CriticalTimers.setTimeout = (act, delayMs, ...values) =>
    setTimeout(act, delayMs === SDK_LOOKS_EVERY_MS ? LOOKS_EVERY_MS : delayMs, ...values);
  return new Room({
    adaptiveStream: { pixelDensity: densityOf(devicePixelRatio) },
    ...(speaker.selectedId.value && { audioOutput: { deviceId: speaker.selectedId.value } }),
    dynacast: true,
    audioCaptureDefaults: { ...(deviceIds.microphone && { deviceId: { ideal: deviceIds.microphone } }) },
    videoCaptureDefaults: {
      resolution: VideoPresets.h720.resolution,
      ...(deviceIds.camera && { deviceId: { ideal: deviceIds.camera } }),
    },
    reconnectPolicy: new DefaultReconnectPolicy(RECONNECT_DELAYS_MS),
    publishDefaults: { simulcast: true, videoCodec: "vp8" },
  });
}
