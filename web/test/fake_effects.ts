import { Background, type BackgroundCode, type BackgroundEngineLike } from "../src/session/background.ts";
import { PLAIN } from "../src/session/brand.ts";
import { type NoiseCode, NoiseSuppression } from "../src/session/noise.ts";

/** The effects as nobody uses them: nothing of their code may be loaded. */
export function noEffects() {
  const load = () => Promise.reject(new Error("loaded without being used"));
  return { background: new Background("none", load), noise: new NoiseSuppression("browser", load) };
}

/** A page that looks as Tertulia does, without effects. */
export function plainPage() {
  return { ...noEffects(), brand: PLAIN };
}

/** An engine without a worker, that keeps what it was asked for. */
export class FakeEngine implements BackgroundEngineLike {
  readonly shown: unknown[] = [];
  isClosed = false;
  fails: Error | null = null;

  async show(backdrop: unknown): Promise<void> {
    if (this.fails) throw this.fails;
    this.shown.push(backdrop);
  }

  processor() {
    const processor = {
      name: "fake",
      processedTrack: undefined as MediaStreamTrack | undefined,
      init: async () => {
        processor.processedTrack = { id: "processed" } as MediaStreamTrack;
      },
      restart: async () => {},
      destroy: async () => {
        processor.processedTrack = undefined;
      },
    };
    return processor as ReturnType<BackgroundEngineLike["processor"]>;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A track of the SDK that only knows its processor. */
export class FakeLocalTrack {
  processor: { name: string } | undefined;
  readonly constraints: MediaTrackConstraints;
  readonly done: string[] = [];

  constructor(constraints: MediaTrackConstraints = {}) {
    this.constraints = constraints;
  }

  getProcessor() {
    return this.processor;
  }

  async setProcessor(processor: { name: string }) {
    this.processor = processor;
    this.done.push("set");
  }

  async stopProcessor() {
    this.processor = undefined;
    this.done.push("stop");
  }

  async setAudioContext() {}

  async restartTrack({ noiseSuppression }: MediaTrackConstraints) {
    this.constraints.noiseSuppression = noiseSuppression as boolean;
    this.done.push(`restart ${noiseSuppression}`);
  }
}

export type { BackgroundCode, NoiseCode };
