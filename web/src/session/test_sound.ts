const NOTES_HZ = [523.25, 783.99];
const NOTE_S = 0.35;
const LOUDNESS = 0.25;

/**
 * Plays two notes; resolves when they are over.
 * @param speakerId empty for the system's own choice
 * @throws where the browser does not play there
 */
export async function playTestSound(speakerId: string): Promise<void> {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  const element = new Audio();
  try {
    element.srcObject = output.stream;
    if (speakerId) await element.setSinkId(speakerId);
    await element.play();
    await context.resume();
    await Promise.all(NOTES_HZ.map((hz, i) => play(context, output, hz, context.currentTime + i * NOTE_S)));
  } finally {
    element.srcObject = null;
    await context.close();
  }
}

/** One note that swells and fades, so that it does not click. */
function play(context: AudioContext, output: AudioNode, hz: number, startS: number): Promise<void> {
  const tone = new OscillatorNode(context, { frequency: hz });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0, startS);
  volume.gain.linearRampToValueAtTime(LOUDNESS, startS + 0.03);
  volume.gain.exponentialRampToValueAtTime(0.001, startS + NOTE_S);
  tone.connect(volume).connect(output);
  tone.start(startS);
  tone.stop(startS + NOTE_S);
  return new Promise((resolve) => {
    tone.onended = () => resolve();
  });
}
