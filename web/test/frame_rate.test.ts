import { expect, test } from "vitest";
import { FrameRateRule } from "../src/effects/frame_rate.ts";

/** Reports a second after the other; returns after how many seconds it was called slow, or null. */
function secondsUntilSlow(frames: readonly number[], busyShare = 0.95): number | null {
  const rule = new FrameRateRule();
  const at = frames.findIndex((count, i) =>
    rule.report({ frames: count, busyMs: 1000 * busyShare, elapsedMs: 1000 }, (i + 1) * 1000),
  );
  return at < 0 ? null : at + 1;
}

const times = (count: number, frames: number) => Array<number>(count).fill(frames);

test.each([
  ["14 pictures a second for five seconds are too few", times(10, 14), 5],
  ["15 are enough", times(60, 15), null],
  ["a slow moment is nothing", [30, 8, 8, 8, 8, 30, 8, 8, 8, 8, 30], null],
  ["it begins again after a good second", [8, 8, 8, 20, ...times(6, 8)], 9],
])("%s", (_name, frames, seconds) => {
  expect(secondsUntilSlow(frames)).toBe(seconds);
});

test("a camera that gives few pictures is not a slow device", () => {
  expect(secondsUntilSlow(times(60, 10), 0.3)).toBeNull();
});

test("a camera that was off meanwhile, and another background, begin again", () => {
  const rule = new FrameRateRule();
  const slow = { frames: 5, busyMs: 950, elapsedMs: 1000 };
  for (const atMs of [1000, 2000, 3000, 4000]) expect(rule.report(slow, atMs)).toBe(false);
  expect(rule.report(slow, 60_000)).toBe(false);
  for (const atMs of [61_000, 62_000, 63_000]) expect(rule.report(slow, atMs)).toBe(false);
  rule.reset();
  expect(rule.report(slow, 64_000)).toBe(false);
  for (const atMs of [65_000, 66_000, 67_000]) expect(rule.report(slow, atMs)).toBe(false);
  expect(rule.report(slow, 68_000)).toBe(true);
});
