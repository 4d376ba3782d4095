import type { ToWorker } from "./protocol.ts";

type Send = (message: ToWorker, transfer: Transferable[]) => void;

/** A camera's frames on their way to the worker and back. */
export interface VideoStream {
  /** What comes out, to be published. */
  readonly track: MediaStreamTrack;
  /** Takes a frame that the worker has made; a browser that gives streams to the worker has none here. */
  receive(stream: number, picture: ImageBitmap): void;
  close(): void;
}

/** Insertable streams, which TypeScript's library does not have (https://w3c.github.io/mediacapture-transform). */
interface InsertableStreams {
  readonly MediaStreamTrackProcessor?: new (options: {
    readonly track: MediaStreamTrack;
    readonly maxBufferSize: number;
  }) => {
    readonly readable: ReadableStream<VideoFrame>;
  };
  readonly MediaStreamTrackGenerator?: new (options: {
    readonly kind: "video";
  }) => MediaStreamTrack & {
    readonly writable: WritableStream<VideoFrame>;
  };
}

/** How often a frame is taken where the page is hidden, and browsers stop to tell of new ones. */
const HIDDEN_INTERVAL_MS = 1000 / 15;

/** @returns why the background cannot be changed in this browser, or null where it can. */
export function isBackgroundSupported(): boolean {
  if (typeof OffscreenCanvas === "undefined" || typeof WebAssembly === "undefined") return false;
  const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = globalThis as InsertableStreams;
  const hasStreams = MediaStreamTrackProcessor !== undefined && MediaStreamTrackGenerator !== undefined;
  if (!hasStreams && !("captureStream" in HTMLCanvasElement.prototype)) return false;
  // the segmenter reads its pictures by WebGL 2, also where it computes on the CPU
  return new OffscreenCanvas(1, 1).getContext("webgl2") !== null;
}

export function openStream(track: MediaStreamTrack, stream: number, send: Send): VideoStream {
  const { MediaStreamTrackProcessor, MediaStreamTrackGenerator } = globalThis as InsertableStreams;
  if (!MediaStreamTrackProcessor || !MediaStreamTrackGenerator) return new CanvasStream(track, stream, send);
  const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1 });
  const generator = new MediaStreamTrackGenerator({ kind: "video" });
  const { writable } = generator;
  send({ type: "stream", stream, readable, writable }, [readable, writable] as unknown as Transferable[]);
  return {
    track: generator,
    receive: (_stream, picture) => picture.close(),
    close: () => {
      send({ type: "stop", stream }, []);
      generator.stop();
    },
  };
}

/** For browsers without insertable streams on the page: a video element gives frames, a canvas shows what comes back. */
class CanvasStream implements VideoStream {
  readonly track: MediaStreamTrack;
  readonly #stream: number;
  readonly #send: Send;
  readonly #video = document.createElement("video");
  readonly #canvas = document.createElement("canvas");
  #isOpen = true;

  constructor(track: MediaStreamTrack, stream: number, send: Send) {
    this.#stream = stream;
    this.#send = send;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.srcObject = new MediaStream([track]);
    this.#video.addEventListener("loadeddata", () => void this.#grab(), { once: true });
    // where a browser holds it back there is no picture of the camera anywhere
    this.#video.play().catch(() => undefined);
    const { width = 640, height = 360 } = track.getSettings();
    Object.assign(this.#canvas, { width, height });
    // Firefox captures nothing of a canvas without a context
    this.#canvas.getContext("bitmaprenderer");
    this.track = this.#canvas.captureStream().getVideoTracks()[0] as MediaStreamTrack;
  }

  receive(stream: number, picture: ImageBitmap): void {
    if (stream !== this.#stream || !this.#isOpen) {
      picture.close();
      return;
    }
    const { width, height } = picture;
    if (this.#canvas.width !== width || this.#canvas.height !== height) Object.assign(this.#canvas, { width, height });
    this.#canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(picture);
    if (document.hidden) setTimeout(() => void this.#grab(), HIDDEN_INTERVAL_MS);
    else this.#video.requestVideoFrameCallback(() => void this.#grab());
  }

  close(): void {
    this.#isOpen = false;
    this.#video.srcObject = null;
    this.track.stop();
    this.#send({ type: "stop", stream: this.#stream }, []);
  }

  async #grab(): Promise<void> {
    if (!this.#isOpen) return;
    const picture = await createImageBitmap(this.#video);
    this.#send({ type: "frame", stream: this.#stream, picture }, [picture]);
  }
}
