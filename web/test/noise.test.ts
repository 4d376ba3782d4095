import type { LocalAudioTrack } from "livekit-client";
import { expect, test, vi } from "vitest";
import { FrameBuffer } from "../src/effects/frame_buffer.ts";
import { type NoiseCode, NoiseSuppression } from "../src/session/noise.ts";
import { FakeLocalTrack } from "./fake_effects.ts";

const code = { openContext: () => ({}), processorOf: () => ({ name: "noise" }) } as unknown as NoiseCode;
const sdkTrack = (track: FakeLocalTrack) => track as unknown as LocalAudioTrack;

test("the browser's is the standard, and needs nothing of ours", async () => {
  const load = vi.fn();
  const noise = new NoiseSuppression("", load);
  const track = new FakeLocalTrack();
  await noise.apply(sdkTrack(track));
  expect([noise.level.value, noise.constraints(), track.done]).toEqual(["browser", { noiseSuppression: true }, []]);
  expect(load).not.toHaveBeenCalled();
});

test("one suppression at a time", async () => {
  const remembered: string[] = [];
  const noise = new NoiseSuppression(
    "browser",
    async () => code,
    (level) => void remembered.push(level),
  );
  const track = new FakeLocalTrack({ noiseSuppression: true });
  for (const level of ["strong", "strong", "off", "browser"] as const) {
    noise.choose(level);
    await noise.apply(sdkTrack(track));
  }
  expect(track.done).toEqual(["restart false", "set", "stop", "restart true"]);
  expect(remembered).toEqual(["strong", "strong", "off", "browser"]);
});

test("where the strong one does not work the browser's is used, and it is told", async () => {
  const noise = new NoiseSuppression("strong", async () => {
    throw new Error("no AudioWorklet");
  });
  const track = new FakeLocalTrack({ noiseSuppression: false });
  await noise.apply(sdkTrack(track));
  expect([noise.failed.value, noise.level.value]).toEqual([true, "browser"]);
  await noise.apply(sdkTrack(track));
  expect(track.done).toEqual(["restart true"]);
});

test.each([128, 256, 100])("blocks of %i samples become frames and come back one frame late", (block) => {
  const frames: number[] = [];
  const buffer = new FrameBuffer(480, (frame) => {
    frames.push(frame.length);
    for (const [i, sample] of frame.entries()) frame[i] = -sample;
  });
  const heard: number[] = [];
  for (let at = 0; at < 4800; at += block) {
    const output = new Float32Array(block);
    buffer.process(
      Float32Array.from({ length: block }, (_, i) => at + i + 1),
      output,
    );
    heard.push(...output);
  }
  expect(heard.slice(0, 480).every((sample) => sample === 0)).toBe(true);
  expect(heard.slice(480).every((sample, i) => sample === -(i + 1))).toBe(true);
  expect(new Set(frames)).toEqual(new Set([480]));
});
