import { computed, type Signal, signal } from "@preact/signals-core";
import type { Cause } from "../app_error.ts";
import { deviceCause } from "./refusals.ts";

/** The part of the browser's `navigator.mediaDevices` that speakers need. */
export interface SpeakerMedia extends Pick<MediaDevices, "getUserMedia" | "enumerateDevices"> {
  /** Audio Output Devices API, section 3: a list of the browser's own, in Firefox. */
  selectAudioOutput?(): Promise<MediaDeviceInfo>;
}

type Option = Readonly<Pick<MediaDeviceInfo, "label">> & { readonly id: string };

/** Where the sound of the others is heard, where the browser leaves the choice to a page. */
export class Speaker {
  /** Empty for the system's own choice. */
  readonly selectedId: Signal<string>;
  /** Empty where there is nothing to choose. */
  readonly options = signal<readonly Option[]>([]);
  readonly testing = signal(false);
  readonly error = signal<Cause | null>(null);
  /** Whether the browser leaves the choice to a page. */
  readonly canChoose: boolean;
  /** Whether the browser hides all speakers until it is asked for one. */
  readonly isHidden = computed(() => this.#isListed.value && this.options.value.length === 0);
  /** Whether asking means the microphone: in browsers without a list of their own. */
  readonly asksForMicrophone: boolean;
  readonly #media: SpeakerMedia | null;
  readonly #remember: (id: string) => void;
  readonly #isListed = signal(false);

  /**
   * @param media is null where the browser leaves no choice to a page
   * @param remember is called when the user has chosen
   */
  constructor(selectedId: string, media: SpeakerMedia | null, remember: (id: string) => void) {
    this.selectedId = signal(selectedId);
    this.canChoose = media !== null;
    this.asksForMicrophone = media?.selectAudioOutput === undefined;
    this.#media = media;
    this.#remember = remember;
  }

  /** Takes over what the system has. Before permission is given browsers hide labels, and some do so again later. */
  list(devices: readonly MediaDeviceInfo[]): void {
    if (!this.canChoose) return;
    const named = devices.filter(({ kind, deviceId, label }) => kind === "audiooutput" && deviceId !== "" && label);
    if (named.length > 0) this.options.value = named.map(({ deviceId, label }) => ({ id: deviceId, label }));
    this.#isListed.value = true;
  }

  /** Has the browser show the speakers that it hides from those who use no microphone. Nothing of one is kept. */
  async ask(): Promise<void> {
    this.error.value = null;
    try {
      if (!this.#media?.selectAudioOutput) return await this.#askForMicrophone();
      const { deviceId } = await this.#media.selectAudioOutput();
      this.list(await this.#media.enumerateDevices());
      this.select(deviceId);
    } catch (error) {
      // a list that was closed without choosing is no failure
      const isClosed = !this.asksForMicrophone && error instanceof Error && error.name === "NotAllowedError";
      this.error.value = isClosed ? null : deviceCause(error, "microphone");
    }
  }

  async #askForMicrophone(): Promise<void> {
    const stream = await this.#media?.getUserMedia({ audio: true });
    try {
      // some browsers name speakers only while it is open
      this.list((await this.#media?.enumerateDevices()) ?? []);
    } finally {
      for (const track of stream?.getTracks() ?? []) track.stop();
    }
  }

  select(id: string): void {
    this.selectedId.value = id;
    this.error.value = null;
    this.#remember(id);
  }

  /** Tells that sound does not come there. */
  fail(): void {
    this.error.value = "device_failed";
  }

  /** Plays two notes there. */
  async test(): Promise<void> {
    if (this.testing.value) return;
    this.testing.value = true;
    this.error.value = null;
    try {
      const { playTestSound } = await import("./test_sound.ts");
      await playTestSound(this.canChoose ? this.selectedId.value : "");
    } catch {
      this.fail();
    } finally {
      this.testing.value = false;
    }
  }
}
