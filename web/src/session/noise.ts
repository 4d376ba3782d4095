import { type Signal, signal } from "@preact/signals-core";
import type { AudioProcessorOptions, LocalAudioTrack, Track, TrackProcessor } from "livekit-client";

export const NOISE_LEVELS = ["off", "browser", "strong"] as const;

/** Nothing, what the browser has, or a neural network of ours instead of it. */
export type NoiseLevel = (typeof NOISE_LEVELS)[number];

export type NoiseProcessor = TrackProcessor<Track.Kind.Audio, AudioProcessorOptions>;

/** The code that is loaded when the strong suppression is used for the first time. */
export interface NoiseCode {
  readonly openContext: () => AudioContext;
  readonly processorOf: (context: AudioContext) => NoiseProcessor;
}

/** How much noise is taken out of the user's microphone. */
export class NoiseSuppression {
  readonly level: Signal<NoiseLevel>;
  /** Whether the browser could not do what was chosen; its own suppression is used then. */
  readonly failed = signal(false);
  readonly #load: () => Promise<NoiseCode>;
  readonly #remember: (level: NoiseLevel) => void;

  constructor(saved: string, load: () => Promise<NoiseCode>, remember: (level: NoiseLevel) => void = () => {}) {
    this.level = signal(NOISE_LEVELS.find((level) => level === saved) ?? "browser");
    this.#load = load;
    this.#remember = remember;
  }

  choose(level: NoiseLevel): void {
    this.failed.value = false;
    this.level.value = level;
    this.#remember(level);
  }

  /** What the browser is asked for. Two suppressions one after the other would make speech sound hollow. */
  constraints(): { readonly noiseSuppression: boolean } {
    return { noiseSuppression: this.level.peek() === "browser" };
  }

  async captureOptions(): Promise<{ readonly noiseSuppression: boolean }> {
    return this.constraints();
  }

  /** Makes a published microphone as it is chosen. */
  async apply(track: LocalAudioTrack): Promise<void> {
    const isStrong = this.level.peek() === "strong";
    if (!isStrong && track.getProcessor()) await track.stopProcessor();
    const { noiseSuppression } = this.constraints();
    // browsers have it on unless they are told not to
    if ((track.constraints.noiseSuppression ?? true) !== noiseSuppression)
      await track.restartTrack({ ...track.constraints, noiseSuppression } as never);
    if (isStrong && !track.getProcessor()) await this.#start(track);
  }

  async #start(track: LocalAudioTrack): Promise<void> {
    try {
      const code = await this.#load();
      const context = code.openContext();
      // the SDK has one of another sample rate, or none
      await track.setAudioContext(context);
      await track.setProcessor(code.processorOf(context));
    } catch {
      this.failed.value = true;
      this.level.value = "browser";
    }
  }
}
