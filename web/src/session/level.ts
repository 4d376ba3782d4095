/** How often the microphone's level is shown. */
const REFRESH_INTERVAL_MS = 60;

/** Speech at a normal distance has an RMS of about 0.1; a meter that is linear in it would hardly move. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  return Math.min(1, Math.sqrt(rms) * 1.6);
}

/**
 * Watches the loudness of a microphone.
 * @param report gets a level from 0 (silent) to 1 (loud), several times a second.
 * @returns what stops watching.
 */
export function watchLevel(track: MediaStreamTrack, report: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  const samples = new Float32Array(analyser.fftSize);
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  // browsers keep sound suspended until a microphone is allowed or something is pressed
  void context.resume();
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    report(levelOf(samples));
  }, REFRESH_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    void context.close();
  };
}
