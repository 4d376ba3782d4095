import { type Signal, signal } from "@preact/signals-core";
import type { Cause } from "../app_error.ts";

export type DeviceKind = "camera" | "microphone";

export interface DeviceOption {
  readonly id: string;
  readonly label: string;
}

/** The part of the browser's `navigator.mediaDevices` that is used; `undefined` on a page that is not secure. */
export type MediaDevicesLike = Pick<
  MediaDevices,
  "getUserMedia" | "enumerateDevices" | "addEventListener" | "removeEventListener"
>;

const INPUT_KIND = { camera: "videoinput", microphone: "audioinput" } as const;

/** 720p is what the simulcast layers are cut from; the browser takes the nearest it has. */
const CAMERA_CONSTRAINTS: MediaTrackConstraints = {
  width: { ideal: 1280 },
  height: { ideal: 720 },
  frameRate: { ideal: 30 },
};
const MICROPHONE_CONSTRAINTS: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

const CAUSE_BY_ERROR: Readonly<Record<string, Cause>> = {
  NotAllowedError: "device_denied",
  SecurityError: "device_denied",
  NotFoundError: "device_missing",
  OverconstrainedError: "device_missing",
  NotReadableError: "device_in_use",
  AbortError: "device_in_use",
};

/** What a failed `getUserMedia` means for the user (Media Capture and Streams, section 10.2). */
export function deviceCause(error: unknown): Cause {
  return (error instanceof Error && CAUSE_BY_ERROR[error.name]) || "device_failed";
}

/** One camera or microphone before the meeting: whether it is switched on, which one, and its track while it is open. */
export class LocalDevice {
  readonly kind: DeviceKind;
  readonly on: Signal<boolean>;
  readonly selectedId: Signal<string>;
  readonly options = signal<readonly DeviceOption[]>([]);
  readonly track = signal<MediaStreamTrack | null>(null);
  readonly error = signal<Cause | null>(null);
  #attempt = 0;

  constructor(kind: DeviceKind, on: boolean, selectedId: string) {
    this.kind = kind;
    this.on = signal(on);
    this.selectedId = signal(selectedId);
  }

  constraints(): MediaTrackConstraints {
    const wanted = this.kind === "camera" ? CAMERA_CONSTRAINTS : MICROPHONE_CONSTRAINTS;
    return this.selectedId.value ? { ...wanted, deviceId: { ideal: this.selectedId.value } } : wanted;
  }

  /** Marks the start of an attempt to open the device; only the newest attempt's track is kept. */
  begin(): number {
    this.error.value = null;
    this.#attempt += 1;
    return this.#attempt;
  }

  accept(attempt: number, track: MediaStreamTrack | undefined): void {
    if (attempt !== this.#attempt || !this.on.value) {
      track?.stop();
      return;
    }
    this.track.peek()?.stop();
    this.track.value = track ?? null;
    track?.addEventListener("ended", () => {
      // pulled out, or taken away by the browser: `stop` itself does not fire this
      if (this.track.peek() === track) this.fail(this.#attempt, "device_missing");
    });
    this.selectedId.value = track?.getSettings().deviceId ?? this.selectedId.value;
  }

  fail(attempt: number, cause: Cause): void {
    if (attempt !== this.#attempt) return;
    this.track.value = null;
    this.on.value = false;
    this.error.value = cause;
  }

  release(): void {
    this.#attempt += 1;
    this.track.peek()?.stop();
    this.track.value = null;
  }

  /** Returns the open track and keeps no reference to it, so that it stays open. */
  detachTrack(): MediaStreamTrack | null {
    const track = this.track.peek();
    this.#attempt += 1;
    this.track.value = null;
    return track;
  }
}

/** Open tracks. The receiver owns them and closes them. */
export interface LocalTracks {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
}

/** The user's camera and microphone before the meeting. */
export class LocalDevices {
  readonly camera: LocalDevice;
  readonly microphone: LocalDevice;
  readonly #media: MediaDevicesLike | undefined;
  #opening: Promise<unknown> = Promise.resolve();
  readonly #refresh = (): void => void this.#listOptions();

  constructor(media: MediaDevicesLike | undefined, camera: LocalDevice, microphone: LocalDevice) {
    this.#media = media;
    this.camera = camera;
    this.microphone = microphone;
  }

  /** Opens what is switched on, with one permission prompt for both. A missing device does not affect the other. */
  async start(): Promise<void> {
    this.#media?.addEventListener("devicechange", this.#refresh);
    this.#opening = this.#openWanted();
    await this.#opening;
    await this.#listOptions();
  }

  async #openWanted(): Promise<void> {
    const wanted = [this.camera, this.microphone].filter((device) => device.on.value);
    if (!(await this.#open(wanted))) for (const device of wanted) await this.#open([device]);
  }

  async toggle(device: LocalDevice): Promise<void> {
    device.on.value = !device.on.value;
    if (!device.on.value) return device.release();
    this.#opening = this.#open([device]);
    await this.#opening;
    await this.#listOptions();
  }

  async select(device: LocalDevice, id: string): Promise<void> {
    device.selectedId.value = id;
    device.on.value = true;
    // some devices cannot be opened twice, and some browsers hold one camera at a time
    device.release();
    this.#opening = this.#open([device]);
    await this.#opening;
  }

  stop(): void {
    this.#media?.removeEventListener("devicechange", this.#refresh);
    this.camera.release();
    this.microphone.release();
  }

  /** Returns the open tracks, once the browser has opened them (and the user has answered its prompt). */
  async detachTracks(): Promise<LocalTracks> {
    await this.#opening;
    this.#media?.removeEventListener("devicechange", this.#refresh);
    return { camera: this.camera.detachTrack(), microphone: this.microphone.detachTrack() };
  }

  /** @returns false if several were requested together and each should be tried alone. */
  async #open(devices: readonly LocalDevice[]): Promise<boolean> {
    if (devices.length === 0) return true;
    const attempts = devices.map((device) => device.begin());
    const failAll = (cause: Cause): void => devices.forEach((device, i) => void device.fail(attempts[i] ?? 0, cause));
    if (!this.#media) {
      failAll("device_insecure");
      return true;
    }
    const constraints: MediaStreamConstraints = {};
    for (const device of devices) constraints[device.kind === "camera" ? "video" : "audio"] = device.constraints();
    try {
      const stream = await this.#media.getUserMedia(constraints);
      devices.forEach((device, i) => {
        const [track] = device.kind === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
        device.accept(attempts[i] ?? 0, track);
      });
      return true;
    } catch (error) {
      if (devices.length > 1) return false;
      failAll(deviceCause(error));
      return true;
    }
  }

  async #listOptions(): Promise<void> {
    const all = (await this.#media?.enumerateDevices().catch(() => [])) ?? [];
    for (const device of [this.camera, this.microphone]) device.options.value = optionsOf(all, device.kind);
  }
}

/** The devices of one kind that have a label. Before permission is given browsers hide ids and labels. */
export function optionsOf(devices: readonly MediaDeviceInfo[], kind: DeviceKind): readonly DeviceOption[] {
  return devices
    .filter((device) => device.kind === INPUT_KIND[kind] && device.deviceId !== "" && device.label !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}
