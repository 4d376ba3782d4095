/** How often the detector is to be given samples, and for how much time a frame stands on a machine that is late. */
export const SPEECH_INTERVAL_MS = 50;
const FRAME_MAX_MS = 120;

/** What is heard within this time decides, and how much of it has to be voiced. */
const WINDOW_MS = 1200;
const VOICED_MS = 250;

/** Vowels repeat at the pitch of the voice; noise does not repeat, or (hum, a fan) does so at one loudness. */
const PITCH_MIN_HZ = 75;
const PITCH_MAX_HZ = 400;
const PERIODICITY_MIN = 0.55;

/** Syllables: loudness falls and rises again by this much. A machine that starts only rises. */
const SWING_MIN_DB = 5;
/** Smaller steps from frame to frame are those of noise. */
const STEP_MIN_DB = 1;

/** A vowel fills a frame; of a click, most of it is silent. */
const QUARTER_MIN = 0.05;

/** What is softer than this is not said into this microphone; and speech is this much louder than the room. */
const QUIET_DB = -48;
const ABOVE_ROOM_DB = 8;

/** The room is as loud as its quietest moment of the last seconds. */
const ROOM_WINDOW_MS = 4000;

/** Pitch is looked for at about this sample rate. */
const ANALYSED_HZ = 8000;

interface Frame {
  readonly atMs: number;
  readonly lengthMs: number;
  readonly levelDb: number;
  readonly isVoiced: boolean;
}

/** Whether there is speech in what a microphone hears, and not only noise. Nothing of the sound is kept. */
export class SpeechDetector {
  #frames: Frame[] = [];

  /** @returns true while there is speech. */
  hear(samples: Float32Array, sampleRateHz: number, nowMs: number): boolean {
    const levelDb = levelDbOf(samples);
    const isVoiced = levelDb > QUIET_DB && isFilled(samples) && periodicityOf(samples, sampleRateHz) > PERIODICITY_MIN;
    this.#frames = this.#frames.filter(({ atMs }) => nowMs - atMs < ROOM_WINDOW_MS);
    const lengthMs = Math.min(FRAME_MAX_MS, nowMs - (this.#frames.at(-1)?.atMs ?? nowMs - SPEECH_INTERVAL_MS));
    this.#frames.push({ atMs: nowMs, lengthMs, levelDb, isVoiced });
    const roomDb = Math.min(...this.#frames.map((frame) => frame.levelDb));
    const isLoudVoice = (frame: Frame) => frame.isVoiced && frame.levelDb > roomDb + ABOVE_ROOM_DB;
    const recent = this.#frames.filter(({ atMs }) => nowMs - atMs < WINDOW_MS);
    const voicedMs = recent.filter(isLoudVoice).reduce((sum, frame) => sum + frame.lengthMs, 0);
    if (voicedMs < VOICED_MS) return false;
    return swingDbOf(recent.slice(recent.findIndex(isLoudVoice), recent.findLastIndex(isLoudVoice) + 1)) > SWING_MIN_DB;
  }

  /** Begins again, after a time in which nothing could be heard. */
  reset(): void {
    this.#frames = [];
  }
}

function levelDbOf(samples: Float32Array): number {
  return 10 * Math.log10(energyOf(samples) / Math.max(1, samples.length) + 1e-12);
}

/** How far loudness falls in all, or rises, whichever is less. */
function swingDbOf(frames: readonly Frame[]): number {
  const steps = frames.slice(1).map(({ levelDb }, i) => levelDb - (frames[i]?.levelDb ?? levelDb));
  const sum = (some: readonly number[]) => some.reduce((all, step) => all + Math.abs(step), 0);
  return Math.min(sum(steps.filter((step) => step <= -STEP_MIN_DB)), sum(steps.filter((step) => step >= STEP_MIN_DB)));
}

function isFilled(samples: Float32Array): boolean {
  const length = Math.floor(samples.length / 4);
  const quarters = [0, 1, 2, 3].map((i) => energyOf(samples.subarray(i * length, (i + 1) * length)));
  return Math.min(...quarters) > QUARTER_MIN * Math.max(...quarters);
}

function energyOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum;
}

/** The highest normalised autocorrelation at the pitches of voices: 1 for what repeats exactly, about 0 for noise. */
function periodicityOf(samples: Float32Array, sampleRateHz: number): number {
  const step = Math.max(1, Math.round(sampleRateHz / ANALYSED_HZ));
  const low = lowered(samples, step);
  const rateHz = sampleRateHz / step;
  const last = Math.min(Math.floor(rateHz / PITCH_MIN_HZ), Math.floor(low.length / 2));
  let best = 0;
  for (let lag = Math.floor(rateHz / PITCH_MAX_HZ); lag <= last; lag += 1) best = Math.max(best, correlation(low, lag));
  return best;
}

/** Fewer samples, each the mean of `step`, around zero. */
function lowered(samples: Float32Array, step: number): Float32Array {
  const low = new Float32Array(Math.floor(samples.length / step));
  let sum = 0;
  for (let i = 0; i < low.length; i += 1) {
    let mean = 0;
    for (let j = 0; j < step; j += 1) mean += (samples[i * step + j] ?? 0) / step;
    low[i] = mean;
    sum += mean;
  }
  const offset = sum / Math.max(1, low.length);
  return low.map((sample) => sample - offset);
}

function correlation(samples: Float32Array, lag: number): number {
  let product = 0;
  let here = 0;
  let there = 0;
  for (let i = lag; i < samples.length; i += 1) {
    const a = samples[i] ?? 0;
    const b = samples[i - lag] ?? 0;
    product += a * b;
    here += a * a;
    there += b * b;
  }
  return product / (Math.sqrt(here * there) + 1e-9);
}
