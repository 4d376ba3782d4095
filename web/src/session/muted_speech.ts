import { listen } from "./level.ts";
import { SPEECH_INTERVAL_MS, SpeechDetector } from "./speech.ts";

/** A pause after which what was said is over. */
const OVER_AFTER_MS = 6000;

/**
 * Listens to a microphone that is muted in the meeting, on this device only: what it hears goes nowhere and is not kept.
 * @param report is called when speech begins, and when it has been over for some seconds.
 * @returns what stops listening, and lets go of the microphone.
 */
export function watchMutedSpeech(muted: MediaStreamTrack, report: (isSpeech: boolean) => void): () => void {
  // the muted track itself is silent for everything that takes its sound
  const track = muted.clone();
  track.enabled = true;
  const speech = new MutedSpeech(report);
  const stop = listen(track, 2048, SPEECH_INTERVAL_MS, (samples, sampleRateHz) => {
    // browsers slow the timers of a hidden tab down, and nobody would see the notice
    if (!samples || document.hidden) speech.reset();
    else speech.hear(samples, sampleRateHz, performance.now());
  });
  return () => {
    stop();
    track.stop();
  };
}

/** When to tell that a muted user speaks, and when that is over. */
export class MutedSpeech {
  readonly #report: (isSpeech: boolean) => void;
  readonly #detector = new SpeechDetector();
  #heardAtMs: number | null = null;

  constructor(report: (isSpeech: boolean) => void) {
    this.#report = report;
  }

  hear(samples: Float32Array, sampleRateHz: number, nowMs: number): void {
    if (this.#detector.hear(samples, sampleRateHz, nowMs)) {
      if (this.#heardAtMs === null) this.#report(true);
      this.#heardAtMs = nowMs;
    } else if (this.#heardAtMs !== null && nowMs - this.#heardAtMs > OVER_AFTER_MS) {
      this.#heardAtMs = null;
      this.#report(false);
    }
  }

  reset(): void {
    this.#detector.reset();
  }
}
