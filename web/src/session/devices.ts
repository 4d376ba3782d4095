import { computed, type Signal, signal } from "@preact/signals-core";
import type { Cause } from "../app_error.ts";
import { type Facing, facingOf, oppositeOf } from "./facing.ts";
import { deviceCause } from "./refusals.ts";
import type { Speaker } from "./speaker.ts";

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

export const INPUT_KIND = { camera: "videoinput", microphone: "audioinput" } as const;

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

/** One camera or microphone before the meeting: whether it is switched on, which one, and its track while it is open. */
export class LocalDevice {
  readonly kind: DeviceKind;
  readonly on: Signal<boolean>;
  readonly selectedId: Signal<string>;
  readonly options = signal<readonly DeviceOption[]>([]);
  readonly track = signal<MediaStreamTrack | null>(null);
  readonly error = signal<Cause | null>(null);
  /** Settled when the browser has opened the device, or has refused to. */
  opening: Promise<unknown> = Promise.resolve();
  readonly #also: () => MediaTrackConstraints;
  #attempt = 0;

  /** @param also what else is asked of the browser */
  constructor(kind: DeviceKind, on: boolean, selectedId: string, also: () => MediaTrackConstraints = () => ({})) {
    this.kind = kind;
    this.#also = also;
    this.on = signal(on);
    this.selectedId = signal(selectedId);
  }

  /** @param facing where it is to look, whichever device that is */
  constraints(facing?: Facing): MediaTrackConstraints {
    const wanted = { ...(this.kind === "camera" ? CAMERA_CONSTRAINTS : MICROPHONE_CONSTRAINTS), ...this.#also() };
    if (facing) return { ...wanted, facingMode: { ideal: facing } };
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

  /** Returns the open track, once it is open (and the user has answered the prompt), and keeps no reference to it. */
  async detach(): Promise<DetachedTrack> {
    // what has failed before is known to the user
    const isKnown = this.error.peek() !== null;
    await this.opening;
    const detached = { track: this.track.peek(), cause: isKnown ? null : this.error.peek() };
    this.#attempt += 1;
    this.track.value = null;
    return detached;
  }
}

/** An open track, which the receiver owns and closes, or why it did not open meanwhile (null where it was off before). */
export interface DetachedTrack {
  readonly track: MediaStreamTrack | null;
  readonly cause: Cause | null;
}

/** The user's camera and microphone before the meeting. */
export class LocalDevices {
  readonly camera: LocalDevice;
  readonly microphone: LocalDevice;
  readonly speaker: Speaker;
  /** Where the open camera looks, if it tells and there is another one: on phones and tablets. */
  readonly facing = computed(() => {
    const { track, options } = this.camera;
    return track.value && options.value.length > 1 ? facingOf(track.value.getSettings()) : null;
  });
  readonly #media: MediaDevicesLike | undefined;
  readonly #remember: () => void;
  readonly #refresh = (): void => void this.list();

  /** @param remember is called when the user has chosen: a device, or whether it is on. */
  constructor(
    media: MediaDevicesLike | undefined,
    camera: LocalDevice,
    microphone: LocalDevice,
    speaker: Speaker,
    remember: (devices: LocalDevices) => void = () => {},
  ) {
    this.#media = media;
    this.#remember = () => remember(this);
    this.camera = camera;
    this.microphone = microphone;
    this.speaker = speaker;
  }

  /** Opens what is switched on, with one permission prompt for both. A missing device does not affect the other. */
  async start(): Promise<void> {
    this.#media?.addEventListener("devicechange", this.#refresh);
    const wanted = [this.camera, this.microphone].filter((device) => device.on.value);
    await this.#track(wanted, this.#openWanted(wanted));
    await this.list();
  }

  async #openWanted(wanted: readonly LocalDevice[]): Promise<void> {
    if (await this.#open(wanted)) return;
    for (const device of wanted) if (device.on.value) await this.#open([device]);
  }

  /** A device that is opened again meanwhile has a newer opening to wait for; those of the others stay. */
  #track(devices: readonly LocalDevice[], opening: Promise<unknown>): Promise<unknown> {
    for (const device of devices) device.opening = opening;
    return opening;
  }

  async toggle(device: LocalDevice): Promise<void> {
    device.on.value = !device.on.value;
    this.#remember();
    if (!device.on.value) return device.release();
    await this.#track([device], this.#open([device]));
    await this.list();
  }

  async select(device: LocalDevice, id: string): Promise<void> {
    device.selectedId.value = id;
    device.on.value = true;
    this.#remember();
    // some devices cannot be opened twice, and some browsers hold one camera at a time
    device.release();
    await this.#track([device], this.#open([device]));
  }

  /** From the front camera to the one at the back, and to the front again. */
  async flip(): Promise<void> {
    const facing = this.facing.value;
    if (!facing) return;
    // phones open one camera at a time
    this.camera.release();
    await this.#track([this.camera], this.#open([this.camera], oppositeOf(facing)));
    this.#remember();
  }

  /** Keeps a choice that was made in the meeting. */
  selected(kind: DeviceKind, id: string): void {
    this[kind].selectedId.value = id;
    this.#remember();
  }

  stop(): void {
    this.#media?.removeEventListener("devicechange", this.#refresh);
    this.camera.release();
    this.microphone.release();
  }

  /** Returns what was opened, for the meeting. */
  detach(kind: DeviceKind): Promise<DetachedTrack> {
    this.#media?.removeEventListener("devicechange", this.#refresh);
    return this[kind].detach();
  }

  /** @returns false if several were requested together and each should be tried alone. */
  async #open(devices: readonly LocalDevice[], facing?: Facing): Promise<boolean> {
    if (devices.length === 0) return true;
    const attempts = devices.map((device) => device.begin());
    const failAll = (causeOf: (kind: DeviceKind) => Cause): void =>
      devices.forEach((device, i) => void device.fail(attempts[i] ?? 0, causeOf(device.kind)));
    if (!this.#media) {
      failAll(() => "device_insecure");
      return true;
    }
    const constraints: MediaStreamConstraints = {};
    for (const device of devices)
      constraints[device.kind === "camera" ? "video" : "audio"] = device.constraints(facing);
    try {
      const stream = await this.#media.getUserMedia(constraints);
      devices.forEach((device, i) => {
        const [track] = device.kind === "camera" ? stream.getVideoTracks() : stream.getAudioTracks();
        device.accept(attempts[i] ?? 0, track);
      });
      return true;
    } catch (error) {
      if (devices.length > 1) return false;
      failAll((kind) => deviceCause(error, kind));
      return true;
    }
  }

  /** Lists what the system has. */
  async list(): Promise<void> {
    const all = (await this.#media?.enumerateDevices().catch(() => [])) ?? [];
    for (const device of [this.camera, this.microphone]) device.options.value = optionsOf(all, device.kind);
    this.speaker.list(all);
  }
}

/** The devices of one kind that have a label. Before permission is given browsers hide ids and labels. */
export function optionsOf(devices: readonly MediaDeviceInfo[], kind: DeviceKind): readonly DeviceOption[] {
  return devices
    .filter((device) => device.kind === INPUT_KIND[kind] && device.deviceId !== "" && device.label !== "")
    .map((device) => ({ id: device.deviceId, label: device.label }));
}
