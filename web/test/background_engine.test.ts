import type { VideoProcessorOptions } from "livekit-client";
import { afterEach, expect, test, vi } from "vitest";
import { BackgroundEngine } from "../src/effects/background_engine.ts";
import type { FromWorker, ToWorker } from "../src/effects/protocol.ts";

/** A worker that has loaded its model at once. */
class LoadedWorker extends EventTarget {
  postMessage(message: ToWorker): void {
    const loaded: FromWorker = { type: "loaded" };
    if (message.type === "load")
      queueMicrotask(() => this.dispatchEvent(new MessageEvent("message", { data: loaded })));
  }
  terminate(): void {}
}

afterEach(() => vi.unstubAllGlobals());

test("a camera that is off gets its background when it is opened again", async () => {
  const streams: unknown[] = [];
  vi.stubGlobal("EFFECT_PATHS", { vision: "/assets/wasm/vision/" });
  vi.stubGlobal("Worker", LoadedWorker);
  vi.stubGlobal(
    "MediaStreamTrackProcessor",
    class {
      readonly readable = {};
      constructor({ track }: { track: MediaStreamTrack }) {
        if (track.readyState === "ended") throw new DOMException("Input track cannot be ended", "InvalidStateError");
        streams.push(track);
      }
    },
  );
  vi.stubGlobal(
    "MediaStreamTrackGenerator",
    class {
      readonly writable = {};
      stop(): void {}
    },
  );
  const engine = new BackgroundEngine({ onSlow: vi.fn(), onFailure: vi.fn() });
  const processor = engine.processor();
  const options = (readyState: string) => ({ track: { readyState } }) as unknown as VideoProcessorOptions;
  await processor.init(options("ended"));
  expect([streams, processor.processedTrack]).toEqual([[], undefined]);
  const opened = options("live");
  await processor.restart(opened);
  expect([streams.length, processor.processedTrack !== undefined]).toEqual([1, true]);
  expect(processor.source).toBe(opened.track);
});
