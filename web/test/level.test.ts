import { expect, test } from "vitest";
import { levelOf, SilenceDetector } from "../src/session/level.ts";

const zeros = new Float32Array(64);
const noise = zeros.map((_, i) => (i % 2 ? 1e-4 : -1e-4));

test("a microphone that gives nothing but zeros is noticed after some seconds", () => {
  const detector = new SilenceDetector();
  expect(detector.hear(zeros, 0)).toBe(false);
  expect(detector.hear(zeros, 4900)).toBe(false);
  expect(detector.hear(zeros, 5000)).toBe(true);
  expect(detector.hear(noise, 5250)).toBe(false);
});

test("a user who says nothing for long still makes the microphone's own noise", () => {
  const detector = new SilenceDetector();
  for (let ms = 0; ms < 60_000; ms += 250) expect(detector.hear(noise, ms)).toBe(false);
});

test("a time in which nothing could be heard does not count", () => {
  const detector = new SilenceDetector();
  detector.hear(zeros, 0);
  detector.reset();
  expect(detector.hear(zeros, 6000)).toBe(false);
});

test("the level grows with loudness", () => {
  expect(levelOf(zeros)).toBe(0);
  expect(levelOf(noise)).toBeLessThan(levelOf(zeros.map(() => 0.1)));
});
