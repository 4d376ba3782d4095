import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { LocalVideoTrack, VideoProcessorOptions } from "livekit-client";
import { AppError } from "../app_error.ts";
import type { EngineListener, VideoProcessor } from "../effects/background_engine.ts";
import type { Backdrop } from "../effects/protocol.ts";

export const PICTURES = ["dawn", "sea", "forest", "night", "own"] as const;
export const BACKGROUNDS = ["none", "light", "strong", ...PICTURES] as const;

export type Picture = (typeof PICTURES)[number];
export type BackgroundChoice = (typeof BACKGROUNDS)[number];

/** The code that is loaded when a background is used for the first time. */
export interface BackgroundCode {
  readonly open: (listener: EngineListener) => BackgroundEngineLike;
  /** @throws Error where there is no such picture. */
  readonly backdropOf: (choice: Exclude<BackgroundChoice, "none">) => Promise<Backdrop>;
}

export interface BackgroundEngineLike {
  show(backdrop: Backdrop): Promise<void>;
  processor(): VideoProcessor;
  close(): void;
}

/** What is worth telling of a background that is on. */
export type BackgroundWarning = "background_slow" | "background_failed";

/** What stands behind the user: as chosen, where the room allows it. */
export class Background {
  readonly choice: Signal<BackgroundChoice>;
  /** Whether the room allows it. Before the meeting nobody knows: what is chosen is shown to the user alone. */
  readonly allowed = signal(true);
  readonly active: ReadonlySignal<BackgroundChoice>;
  /** The form's camera with the background; null while there is none. */
  readonly preview = signal<MediaStreamTrack | null>(null);
  readonly starting = signal(false);
  readonly warning = signal<BackgroundWarning | null>(null);
  /** Changes when another own picture is chosen. */
  readonly version = signal(0);
  readonly #load: () => Promise<BackgroundCode>;
  readonly #remember: (choice: BackgroundChoice) => void;
  #engine: BackgroundEngineLike | null = null;
  #shown = "";
  readonly #made = new WeakMap<VideoProcessor, BackgroundEngineLike>();
  #previewing: VideoProcessor | null = null;
  #previewed: MediaStreamTrack | null = null;
  #previews: Promise<void> = Promise.resolve();

  constructor(
    saved: string,
    load: () => Promise<BackgroundCode>,
    remember: (choice: BackgroundChoice) => void = () => {},
  ) {
    this.choice = signal(BACKGROUNDS.find((choice) => choice === saved) ?? "none");
    this.active = computed(() => (this.allowed.value ? this.choice.value : "none"));
    this.#load = load;
    this.#remember = remember;
  }

  choose(choice: BackgroundChoice): void {
    this.warning.value = null;
    if (choice === "own") this.version.value += 1;
    this.choice.value = choice;
    this.#remember(choice);
  }

  /** For a camera that the SDK is to open: its first picture has the background already. */
  async captureOptions(): Promise<{ processor: VideoProcessor } | undefined> {
    const engine = await this.#started();
    return engine ? { processor: this.#processor(engine) } : undefined;
  }

  /** Puts what is chosen on a camera, or takes it off. */
  async apply(track: LocalVideoTrack): Promise<void> {
    const engine = await this.#started();
    const current = track.getProcessor() as VideoProcessor | undefined;
    if (!engine) {
      if (current) await track.stopProcessor();
      this.stop();
    } else if (!current || this.#made.get(current) !== engine) await track.setProcessor(this.#processor(engine));
  }

  /** Shows the camera of the form with the background, as long as it is open there. */
  follow(camera: ReadonlySignal<MediaStreamTrack | null>): void {
    effect(() => {
      camera.value;
      this.active.value;
      this.version.value;
      this.#previews = this.#previews.then(() => this.#show(camera)).catch(() => this.#tell("background_failed"));
    });
  }

  /** Settled when the form shows what is chosen, or has told that it cannot. */
  get shown(): Promise<void> {
    return this.#previews;
  }

  /** Frees what the effect holds. */
  stop(): void {
    this.#engine?.close();
    this.#engine = null;
  }

  async #show(camera: ReadonlySignal<MediaStreamTrack | null>): Promise<void> {
    const started = camera.peek() && (await this.#started());
    // the meeting may have taken it while the code was loaded
    const track = started && camera.peek();
    if (track && track === this.#previewed) return;
    await this.#previewing?.destroy();
    this.#previewing = track ? this.#processor(started) : null;
    this.#previewed = track;
    if (track) await this.#previewing?.init({ kind: "video", track } as VideoProcessorOptions);
    this.preview.value = this.#previewing?.processedTrack ?? null;
  }

  #processor(engine: BackgroundEngineLike): VideoProcessor {
    const processor = engine.processor();
    this.#made.set(processor, engine);
    return processor;
  }

  /** @returns the engine with what is chosen, or null where nothing is. @throws AppError */
  async #started(): Promise<BackgroundEngineLike | null> {
    const active = this.active.peek();
    if (active === "none") return null;
    const shown = `${active} ${this.version.peek()}`;
    this.starting.value = true;
    try {
      const code = await this.#load();
      this.#engine ??= this.#open(code);
      if (this.#shown !== shown) await this.#engine.show(await code.backdropOf(active));
      this.#shown = shown;
      return this.#engine;
    } catch (cause) {
      this.stop();
      throw new AppError("background_failed", { cause });
    } finally {
      this.starting.value = false;
    }
  }

  #open(code: BackgroundCode): BackgroundEngineLike {
    this.#shown = "";
    return code.open({
      onSlow: () => this.#tell("background_slow"),
      onFailure: () => {
        this.stop();
        this.#tell("background_failed");
      },
    });
  }

  #tell(warning: BackgroundWarning): void {
    if (this.active.peek() !== "none") this.warning.value = warning;
  }
}
