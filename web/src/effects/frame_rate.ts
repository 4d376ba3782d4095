import type { Work } from "./protocol.ts";

/** Fewer pictures a second no longer look live. */
const FRAMES_PER_S_MIN = 15;

/** A stretch in which the processor was busy for less than this had no more frames to work on: the camera is slow. */
const BUSY_SHARE_MIN = 0.7;

/** Joining and sharing take a moment in which everything is slow. */
const SLOW_FOR_MS = 5000;

/** Work is told every second; after a pause (a camera that is off) the time begins again. */
const PAUSE_MS = 3000;

/** Whether a device is too slow for what it does to its camera's picture. */
export class FrameRateRule {
  #slowSinceMs: number | null = null;
  #lastMs = 0;

  /** @returns true while it has been too slow for some seconds. */
  report({ frames, busyMs, elapsedMs }: Work, nowMs: number): boolean {
    const isSlow = (frames * 1000) / elapsedMs < FRAMES_PER_S_MIN && busyMs / elapsedMs > BUSY_SHARE_MIN;
    if (!isSlow || nowMs - this.#lastMs > PAUSE_MS) this.#slowSinceMs = null;
    this.#lastMs = nowMs;
    if (isSlow) this.#slowSinceMs ??= nowMs - elapsedMs;
    return this.#slowSinceMs !== null && nowMs - this.#slowSinceMs >= SLOW_FOR_MS;
  }

  /** Begins again: with another background the work is another. */
  reset(): void {
    this.#slowSinceMs = null;
  }
}
