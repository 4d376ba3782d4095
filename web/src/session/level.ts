/** How often the microphone's level is shown. */
const REFRESH_INTERVAL_MS = 60;

/** How often a microphone is listened to that should not be silent, and for how long it may be. */
const SILENCE_INTERVAL_MS = 250;
const SILENT_FOR_MS = 5000;

/** Below any microphone's own noise: nothing but zeros, or what rounding makes of them. */
const SILENCE_PEAK = 1e-5;

/** Speech at a normal distance has an RMS of about 0.1; a meter that is linear in it would hardly move. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.min(1, Math.sqrt(rms) * 1.6);
}

/** Whether a microphone has been silent for so long that it must be switched off somewhere. */
export class SilenceDetector {
  #silentSinceMs: number | null = null;

  /** @returns true while it is silent for longer than a pause. */
  hear(samples: Float32Array, nowMs: number): boolean {
    const isSilent = samples.every((sample) => Math.abs(sample) < SILENCE_PEAK);
    if (!isSilent) this.#silentSinceMs = null;
    else this.#silentSinceMs ??= nowMs;
    return this.#silentSinceMs !== null && nowMs - this.#silentSinceMs >= SILENT_FOR_MS;
  }

  /** Begins again, after a time in which nothing could be heard. */
  reset(): void {
    this.#silentSinceMs = null;
  }
}

/**
 * Watches the loudness of a microphone.
 * @param report gets a level from 0 (silent) to 1 (loud), several times a second.
 * @returns what stops watching.
 */
export function watchLevel(track: MediaStreamTrack, report: (level: number) => void): () => void {
  return listen(track, 512, REFRESH_INTERVAL_MS, (samples) => report(samples ? levelOf(samples) : 0));
}

/**
 * Watches whether a microphone gives any sound at all.
 * @param report is called when that changes.
 * @returns what stops watching.
 */
export function watchSilence(track: MediaStreamTrack, report: (isSilent: boolean) => void): () => void {
  const detector = new SilenceDetector();
  let reported = false;
  return listen(track, 2048, SILENCE_INTERVAL_MS, (samples) => {
    // browsers slow the timers of a hidden tab down, and may stop its sound
    if (!samples || document.hidden) detector.reset();
    else {
      const isSilent = detector.hear(samples, performance.now());
      if (isSilent !== reported) report(isSilent);
      reported = isSilent;
    }
  });
}

/** @param hear gets the newest samples and their rate, or null while the browser lets no sound be processed. */
export function listen(
  track: MediaStreamTrack,
  size: number,
  intervalMs: number,
  hear: (samples: Float32Array | null, sampleRateHz: number) => void,
): () => void {
  const context = contextOrNull();
  if (!context) return () => {};
  const analyser = context.createAnalyser();
  analyser.fftSize = size;
  const samples = new Float32Array(size);
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  // browsers keep sound suspended until a microphone is allowed or something is pressed
  context.resume().catch(() => undefined);
  const timer = setInterval(() => {
    if (context.state !== "running" || track.muted || track.readyState === "ended")
      return hear(null, context.sampleRate);
    analyser.getFloatTimeDomainData(samples);
    hear(samples, context.sampleRate);
  }, intervalMs);
  return () => {
    clearInterval(timer);
    context.close().catch(() => undefined);
  };
}

/** A browser may have none left (some allow six), or none at all: then nothing is shown. */
function contextOrNull(): AudioContext | null {
  try {
    return new AudioContext();
  } catch {
    return null;
  }
}
