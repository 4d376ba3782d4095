import { type Signal, signal } from "@preact/signals-core";
import type { Cause } from "../trouble.ts";

export type DeviceKind = "camera" | "microphone";

export interface DeviceChoice {
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

/** What a failed `getUserMedia` means for a person (Media Capture and Streams, section 10.2). */
export function deviceCause(error: unknown): Cause {
  return (error instanceof Error && CAUSE_BY_ERROR[error.name]) || "device_failed";
}

/** One camera or microphone before the meeting: whether it is wanted, which one, and the track while it is on. */
export class LocalDevice {
  readonly kind: DeviceKind;
  readonly on: Signal<boolean>;
  readonly chosenId: Signal<string>;
  readonly choices = signal<readonly DeviceChoice[]>([]);
  readonly track = signal<MediaStreamTrack | null>(null);
  readonly problem = signal<Cause | null>(null);
  #attempt = 0;

  constructor(kind: DeviceKind, on: boolean, chosenId: string) {
    this.kind = kind;
    this.on = signal(on);
    this.chosenId = signal(chosenId);
  }

  constraints(): MediaTrackConstraints {
    const wanted = this.kind === "camera" ? CAMERA_CONSTRAINTS : MICROPHONE_CONSTRAINTS;
    return this.chosenId.value ? { ...wanted, deviceId: { ideal: this.chosenId.value } } : wanted;
  }

  /** Marks the start of an attempt to open the device; only the newest attempt's track is kept. */
  begin(): number {
    this.problem.value = null;
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
    this.chosenId.value = track?.getSettings().deviceId ?? this.chosenId.value;
  }

  fail(attempt: number, cause: Cause): void {
    if (attempt !== this.#attempt) return;
    this.track.value = null;
    this.on.value = false;
    this.problem.value = cause;
  }

  release(): void {
    this.#attempt += 1;
    this.track.peek()?.stop();
    this.track.value = null;
  }

  /** Gives the open track away without closing it. */
  give(): MediaStreamTrack | null {
    const track = this.track.peek();
    this.#attempt += 1;
    this.track.value = null;
    return track;
  }
}

/** Tracks that change hands: whoever gets them closes them. */
export interface OpenTracks {
  readonly camera: MediaStreamTrack | null;
  readonly microphone: MediaStreamTrack | null;
}

/** Camera and microphone of the person in front of this page, before the meeting. */
export class LocalDevices {
  readonly camera: LocalDevice;
  readonly microphone: LocalDevice;
  readonly #media: MediaDevicesLike | undefined;
  #opening: Promise<unknown> = Promise.resolve();
  readonly #refresh = (): void => void this.#listChoices();

  constructor(media: MediaDevicesLike | undefined, camera: LocalDevice, microphone: LocalDevice) {
    this.#media = media;
    this.camera = camera;
    this.microphone = microphone;
  }

  /** Opens what is wanted, with one question to the person where both are. A missing device never hinders the other. */
  async start(): Promise<void> {
    this.#media?.addEventListener("devicechange", this.#refresh);
    this.#opening = this.#openWanted();
    await this.#opening;
    await this.#listChoices();
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
    await this.#listChoices();
  }

  async choose(device: LocalDevice, id: string): Promise<void> {
    device.chosenId.value = id;
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

  /** Gives the open tracks away, as soon as the browser (and the person it may have to ask) has opened them. */
  async handOver(): Promise<OpenTracks> {
    await this.#opening;
    this.#media?.removeEventListener("devicechange", this.#refresh);
    return { camera: this.camera.give(), microphone: this.microphone.give() };
  }

  /** @returns false if several were asked for together and it is worth asking for each alone. */
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

  async #listChoices(): Promise<void> {
    const all = (await this.#media?.enumerateDevices().catch(() => [])) ?? [];
    for (const device of [this.camera, this.microphone]) device.choices.value = choicesOf(all, device.kind);
  }
}

/** The devices of one kind that can be named. Before permission is given browsers hide ids and labels. */
export function choicesOf(devices: readonly MediaDeviceInfo[], kind: DeviceKind): readonly DeviceChoice[] {
  return devices
    .filter((device) => device.kind === INPUT_KIND[kind] && device.deviceId !== "" && device.label !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}
