import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { oncePerFrame } from "../src/session/frames.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a burst is done at once, and once more when it is over", () => {
  let done = 0;
  const change = oncePerFrame(() => {
    done += 1;
  });
  for (let i = 0; i < 25; i += 1) change();
  expect(done).toBe(1);
  vi.advanceTimersByTime(100);
  expect(done).toBe(2);
  change();
  expect(done).toBe(3);
  vi.advanceTimersByTime(100);
  expect(done).toBe(3);
});

test("what goes on for long is done once a frame", () => {
  let done = 0;
  const change = oncePerFrame(() => {
    done += 1;
  });
  for (let ms = 0; ms < 200; ms += 1) {
    change();
    vi.advanceTimersByTime(1);
  }
  expect(done).toBeGreaterThan(5);
  expect(done).toBeLessThan(15);
});
