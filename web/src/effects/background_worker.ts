import { ImageSegmenter } from "@mediapipe/tasks-vision";
import { Compositor, type Segment } from "./compositor.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";

/** How often the work that was done is told. */
const WORK_INTERVAL_MS = 1000;

/** The thread that replaces the background: the page stays as quick as it was. */
class BackgroundThread {
  #compositor: Compositor | null = null;
  /** The stream in work. A frame that is not replaced is not passed on: it would show what the user hides. */
  #stream = 0;
  #frames = 0;
  #busyMs = 0;
  #sinceMs = performance.now();

  async receive(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "load":
        this.#compositor = new Compositor(await openSegmenter(message.folder));
        return tell({ type: "loaded" });
      case "backdrop":
        return this.#compositor?.show(message.backdrop);
      case "stream":
        this.#stream = message.stream;
        return this.#run(message.stream, message.readable.getReader(), message.writable.getWriter());
      case "frame":
        this.#stream = Math.max(this.#stream, message.stream);
        return this.#replace(message.stream, message.picture);
      case "stop":
        if (this.#stream === message.stream) this.#stream = 0;
    }
  }

  async #run(
    stream: number,
    reader: ReadableStreamDefaultReader<VideoFrame>,
    writer: WritableStreamDefaultWriter<VideoFrame>,
  ): Promise<void> {
    try {
      while (this.#stream === stream) {
        const { value: frame, done } = await reader.read();
        if (done) break;
        const startMs = performance.now();
        const { timestamp, displayWidth, displayHeight } = frame;
        try {
          const canvas = this.#compose(frame, displayWidth, displayHeight);
          const isTaken = writer.write(new VideoFrame(canvas, { timestamp, alpha: "discard" })).then(
            () => true,
            () => false,
          );
          // its track was stopped meanwhile
          if (!(await isTaken)) break;
        } finally {
          frame.close();
        }
        this.#count(startMs);
      }
    } finally {
      reader.cancel().catch(() => undefined);
      writer.close().catch(() => undefined);
    }
  }

  #replace(stream: number, picture: ImageBitmap): void {
    if (stream === this.#stream) {
      const startMs = performance.now();
      const canvas = this.#compose(picture, picture.width, picture.height);
      const made = canvas.transferToImageBitmap();
      tell({ type: "frame", stream, picture: made }, [made]);
      this.#count(startMs);
    }
    picture.close();
  }

  #compose(frame: CanvasImageSource, width: number, height: number): OffscreenCanvas {
    if (!this.#compositor) throw new Error("not loaded");
    return this.#compositor.compose(frame, width, height);
  }

  #count(startMs: number): void {
    const nowMs = performance.now();
    this.#frames += 1;
    this.#busyMs += nowMs - startMs;
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < WORK_INTERVAL_MS) return;
    tell({ type: "work", work: { frames: this.#frames, busyMs: this.#busyMs, elapsedMs } });
    this.#frames = this.#busyMs = 0;
    this.#sinceMs = nowMs;
  }
}

async function openSegmenter(folder: string): Promise<Segment> {
  const segmenter = await ImageSegmenter.createFromOptions(
    {
      wasmLoaderPath: `${folder}/vision_wasm_internal.js`,
      wasmBinaryPath: `${folder}/vision_wasm_internal.wasm`,
    },
    {
      // on a CPU 5 ms for a frame; a GPU gains nothing with a network this small
      baseOptions: { modelAssetPath: `${folder}/selfie_segmentation.tflite`, delegate: "CPU" },
      runningMode: "VIDEO",
      outputConfidenceMasks: true,
      outputCategoryMask: false,
    },
  );
  return (picture) => {
    let mask: Float32Array | undefined;
    segmenter.segmentForVideo(picture, performance.now(), ({ confidenceMasks }) => {
      mask = confidenceMasks?.[0]?.getAsFloat32Array();
    });
    if (!mask) throw new Error("no mask");
    return mask;
  };
}

function tell(message: FromWorker, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

const thread = new BackgroundThread();
addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  thread.receive(data).catch((error: unknown) => tell({ type: "failed", reason: String(error) }));
});
