import type { Track, TrackProcessor, VideoProcessorOptions } from "livekit-client";
import { FrameRateRule } from "./frame_rate.ts";
import type { Backdrop, FromWorker, ToWorker, Work } from "./protocol.ts";
import { openStream, type VideoStream } from "./video_stream.ts";

/** `source`: the camera's own track, by which its device is known. */
export type VideoProcessor = TrackProcessor<Track.Kind.Video, VideoProcessorOptions> & { source?: MediaStreamTrack };

/** What the engine tells while it runs. */
export interface EngineListener {
  readonly onSlow: () => void;
  readonly onFailure: () => void;
}

/** Replaces the background of a camera, in a worker. Of its processors the one that was opened last is at work. */
export class BackgroundEngine {
  readonly #worker: Worker;
  readonly #loaded: Promise<void>;
  readonly #listener: EngineListener;
  readonly #rule = new FrameRateRule();
  #open: VideoStream | null = null;
  #streams = 0;

  constructor(listener: EngineListener) {
    this.#listener = listener;
    this.#worker = new Worker(new URL("./background_worker.ts", import.meta.url));
    this.#loaded = new Promise((resolve, reject) => {
      this.#worker.addEventListener("error", () => reject(new Error("the worker did not start")));
      this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
        if (data.type === "loaded") resolve();
        else if (data.type === "failed") reject(new Error(data.reason));
      });
    });
    this.#worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#receive(data));
    this.#send({ type: "load", folder: EFFECT_PATHS.vision });
  }

  /** @throws Error if the worker or the model does not load. */
  async show(backdrop: Backdrop): Promise<void> {
    await this.#loaded;
    this.#rule.reset();
    this.#send({ type: "backdrop", backdrop }, backdrop.kind === "picture" ? [backdrop.picture] : []);
  }

  /** A processor for one track of the SDK, or of the form. */
  processor(): VideoProcessor {
    let stream: VideoStream | null = null;
    const close = () => {
      stream?.close();
      if (this.#open === stream) this.#open = null;
      stream = null;
    };
    const open = async ({ track }: VideoProcessorOptions) => {
      close();
      processor.source = track;
      delete processor.processedTrack;
      await this.#loaded;
      // a camera that is off has ended, and no frames can be taken of it: it restarts this with a track that lives
      if (track.readyState === "ended") return;
      stream = this.#openStream(track);
      processor.processedTrack = stream.track;
    };
    const processor: VideoProcessor = {
      name: "tertulia-background",
      init: open,
      restart: open,
      destroy: async () => close(),
    };
    return processor;
  }

  close(): void {
    this.#open?.close();
    this.#worker.terminate();
  }

  #openStream(track: MediaStreamTrack): VideoStream {
    this.#open?.close();
    this.#streams += 1;
    this.#open = openStream(track, this.#streams, (message, transfer) => this.#send(message, transfer));
    return this.#open;
  }

  #receive(message: FromWorker): void {
    if (message.type === "frame") this.#open?.receive(message.stream, message.picture);
    if (message.type === "work") this.#judge(message.work);
    if (message.type === "failed") this.#listener.onFailure();
  }

  #judge(work: Work): void {
    if (this.#rule.report(work, performance.now())) this.#listener.onSlow();
  }

  #send(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
