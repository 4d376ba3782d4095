import { expect, test } from "vitest";
import { MutedSpeech } from "../src/session/muted_speech.ts";
import { SPEECH_INTERVAL_MS, SpeechDetector } from "../src/session/speech.ts";

const RATE_HZ = 48_000;
const FRAME = 2048;
const MINUTE_S = 60;

type Sound = (timeS: number) => number;

/** The same numbers in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
}

/** When speech is heard first, in seconds of the sound's own time; null if never. */
function heardAtS(sound: Sound, lengthS: number, intervalMs = SPEECH_INTERVAL_MS): number | null {
  const detector = new SpeechDetector();
  for (let endS = FRAME / RATE_HZ; endS < lengthS; endS += intervalMs / 1000) {
    const samples = Float32Array.from({ length: FRAME }, (_, i) => sound(endS - (FRAME - i) / RATE_HZ));
    if (detector.hear(samples, RATE_HZ, endS * 1000)) return endS;
  }
  return null;
}

/** Syllables of a voice that glides, as `tests/support/fake_media.py` writes them. */
function voice(pitchHz: number, loudness: number): Sound {
  return (timeS) => {
    const phase = 2 * Math.PI * (pitchHz * timeS - (25 / 0.7 / 2 / Math.PI) * Math.cos(2 * Math.PI * 0.7 * timeS));
    let vowel = 0;
    for (let harmonic = 1; harmonic < 16; harmonic += 1) vowel += Math.sin(harmonic * phase) / harmonic;
    const isPause = timeS % 2 >= 1.6;
    return isPause ? 0 : vowel * Math.max(0, Math.sin(2 * Math.PI * 3.5 * timeS)) * loudness;
  };
}

function white(loudness: number, seed = 1): Sound {
  const next = random(seed);
  return () => next() * loudness;
}

const hum: Sound = (timeS) =>
  [50, 100, 150, 200, 300].reduce((sum, hz, i) => sum + Math.sin(2 * Math.PI * hz * timeS) / (i + 1), 0) * 0.1;

/** Louder and softer, as of wind or breath. */
const gusts: Sound = (() => {
  const next = random(2);
  let slow = 0;
  return (timeS) => {
    slow = 0.9 * slow + 0.1 * next();
    return slow * (1 + Math.sin(2 * Math.PI * 0.8 * timeS)) * 0.5;
  };
})();

/** Two presses of a key in a second, each a click that rings for some milliseconds. */
const typing: Sound = (() => {
  const next = random(3);
  return (timeS) => {
    const sinceS = timeS % 0.17;
    return (Math.sin(2 * Math.PI * 1800 * timeS) + next()) * 0.5 * Math.exp(-sinceS / 0.006) + next() * 0.003;
  };
})();

/** A machine that starts after some seconds, with the tone of its motor. */
const vacuum: Sound = (() => {
  const next = random(4);
  return (timeS) => {
    if (timeS < 5) return next() * 0.002;
    const run = Math.min(1, (timeS - 5) / 0.7);
    return (
      run * (0.1 * Math.sin(2 * Math.PI * 220 * timeS) + 0.05 * Math.sin(2 * Math.PI * 440 * timeS) + next() * 0.05)
    );
  };
})();

const sum =
  (...sounds: readonly Sound[]): Sound =>
  (timeS) =>
    sounds.reduce((all, sound) => all + sound(timeS), 0);

test.each<[string, Sound]>([
  ["silence", () => 0],
  ["a quiet room", white(0.003)],
  ["loud noise", white(0.3)],
  ["mains hum", hum],
  ["wind", gusts],
  ["typing", typing],
  ["a vacuum cleaner", vacuum],
  ["a fan and its noise", sum(hum, white(0.05))],
  ["voices far away", sum(voice(140, 0.0008), white(0.002))],
])("a minute of %s is not speech", (_name, sound) => {
  expect(heardAtS(sound, MINUTE_S)).toBeNull();
});

test.each<[string, Sound]>([
  ["a deep voice", voice(110, 0.2)],
  ["a high voice", voice(240, 0.2)],
  ["a quiet voice", voice(140, 0.03)],
  ["a voice in a noisy room", sum(voice(140, 0.2), white(0.03))],
  ["a voice beside a fan", sum(voice(180, 0.5), hum)],
])("%s is noticed within 1.5 s", (_name, sound) => {
  const startS = 3;
  const room = white(0.001, 9);
  const atS = heardAtS(
    sum(room, (timeS) => (timeS < startS ? 0 : sound(timeS - startS))),
    startS + 4,
  );
  expect(atS).not.toBeNull();
  expect((atS ?? 0) - startS).toBeGreaterThan(0.2);
  expect((atS ?? 0) - startS).toBeLessThan(1.3);
});

test.each([0, 0.4, 0.9, 1.3, 1.5, 1.7])("it is noticed within 1.5 s also %s s into a sentence", (intoS) => {
  for (const startS of [0, 3]) {
    const talk: Sound = (timeS) => (timeS < startS ? 0 : voice(110, 0.2)(timeS - startS + intoS));
    expect((heardAtS(sum(white(0.001, 9), talk), startS + 2) ?? 9) - startS).toBeLessThan(1.3);
  }
});

test("a machine whose timers are late notices as soon", () => {
  const startS = 3;
  const sound = sum(white(0.001, 9), (timeS) => (timeS < startS ? 0 : voice(140, 0.2)(timeS - startS)));
  expect(heardAtS(sound, startS + 4, 110)).toBeLessThan(startS + 1.4);
});

test("a cough is not speech", () => {
  const cough = voice(200, 0.4);
  expect(heardAtS((timeS) => (timeS > 2 && timeS < 2.25 ? cough(timeS - 2) : 0), 6)).toBeNull();
});

test("what a muted user says is told once, and is over after a pause", () => {
  const told: [boolean, number][] = [];
  let nowMs = 0;
  const speech = new MutedSpeech((isSpeech) => told.push([isSpeech, nowMs]));
  const talk = sum(white(0.001, 9), (timeS) => (timeS > 1 && timeS < 5 ? voice(140, 0.2)(timeS - 1) : 0));
  for (; nowMs < 20_000; nowMs += SPEECH_INTERVAL_MS) {
    const samples = Float32Array.from({ length: FRAME }, (_, i) => talk(nowMs / 1000 - (FRAME - i) / RATE_HZ));
    speech.hear(samples, RATE_HZ, nowMs);
  }
  expect(told.map(([isSpeech]) => isSpeech)).toEqual([true, false]);
  expect(told[0]?.[1]).toBeLessThanOrEqual(2500);
  expect(told[1]?.[1]).toBeGreaterThan(10_000);
});
