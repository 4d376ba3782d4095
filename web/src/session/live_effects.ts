import { effect, untracked } from "@preact/signals-core";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Background } from "./background.ts";
import type { DeviceKind } from "./devices.ts";
import type { LiveSettings } from "./live_settings.ts";
import type { LiveDevice } from "./local_media.ts";
import type { NoiseSuppression } from "./noise.ts";
import type { Notices } from "./notices.ts";

type Effects = { readonly background: Background; readonly noise: NoiseSuppression };
type Live = Readonly<Record<DeviceKind, LiveDevice>> & { readonly settings: LiveSettings };
type Told = "background_slow" | "background_failed" | "background_refused" | "noise_failed";

/** Keeps the user's camera and microphone as chosen during a meeting, and as the room allows it. */
export class LiveEffects {
  readonly background: Background;
  readonly noise: NoiseSuppression;
  readonly #live: Live;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #stops: (() => void)[] = [];

  constructor(live: Live, { background, noise }: Effects, notices: Notices, announcer: Announcer) {
    this.background = background;
    this.noise = noise;
    this.#live = live;
    this.#notices = notices;
    this.#announcer = announcer;
  }

  start(): void {
    const { background, noise } = this;
    this.#follow(() => {
      background.allowed.value = this.#live.settings.current.value?.virtualBackground !== false;
      this.#tell("background_refused", !background.allowed.value && background.choice.peek() !== "none");
    });
    this.#follow(() => {
      background.active.value;
      background.version.value;
      untracked(() => void this.#live.camera.applyEffect());
    });
    this.#follow(() => {
      noise.level.value;
      untracked(() => void this.#live.microphone.applyEffect());
    });
    this.#follow(() => {
      const warning = background.warning.value;
      this.#tell("background_slow", warning === "background_slow");
      this.#tell("background_failed", warning === "background_failed");
    });
    this.#follow(() => this.#tell("noise_failed", noise.failed.value));
  }

  /** What the form has opened; where it has a background not before the room's settings are known. */
  async ready<T>(opening: Promise<T>, settled: Promise<void>): Promise<T> {
    if (this.background.choice.peek() !== "none") await settled;
    return opening;
  }

  /** Goes on without a background: the camera as it is, also where it did not start because of it. */
  async removeBackground(): Promise<void> {
    this.background.choose("none");
    if (this.#live.camera.wanted) await this.#live.camera.set(true);
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  #follow(act: () => void): void {
    this.#stops.push(effect(act));
  }

  #tell(kind: Told, isTrue: boolean): void {
    untracked(() => {
      if (!isTrue) return this.#notices.dismiss(kind);
      this.#notices.show({ kind });
      this.#announcer.announce(text.notices[kind]);
    });
  }
}
