import type { NoiseCode, NoiseProcessor } from "../session/noise.ts";
import workletAddress from "./noise_worklet.ts?worker&url";

/** What RNNoise was trained for. */
const SAMPLE_RATE_HZ = 48_000;

/** Takes the noise out of a microphone by RNNoise, in the browser's audio thread. */
export const noiseCode: NoiseCode = {
  // nothing is played by it: where a browser can do without an output, none is opened
  openContext: () => new AudioContext({ sampleRate: SAMPLE_RATE_HZ, sinkId: { type: "none" } } as AudioContextOptions),
  processorOf: (context) => {
    let close = () => {};
    const open: NoiseProcessor["init"] = async ({ track }) => {
      close();
      processor.source = track;
      const [module] = await Promise.all([compiled(), context.audioWorklet.addModule(workletAddress)]);
      const source = context.createMediaStreamSource(new MediaStream([track]));
      const node = new AudioWorkletNode(context, "rnnoise", {
        numberOfInputs: 1,
        outputChannelCount: [1],
        channelCount: 1,
        channelCountMode: "explicit",
        processorOptions: { module },
      });
      const destination = context.createMediaStreamDestination();
      source.connect(node).connect(destination);
      await Promise.all([context.resume(), ready(node)]);
      processor.processedTrack = destination.stream.getAudioTracks()[0] as MediaStreamTrack;
      close = () => {
        source.disconnect();
        node.port.postMessage("stop");
        node.disconnect();
      };
    };
    const processor: NoiseProcessor & { source?: MediaStreamTrack } = {
      name: "tertulia-noise",
      init: open,
      restart: open,
      destroy: async () => {
        close();
        await context.close();
      },
    };
    return processor;
  },
};

/** Compiled in a worker: the page itself may not compile WebAssembly, which is one thing less for an attacker. */
async function compiled(): Promise<WebAssembly.Module> {
  const worker = new Worker(new URL("./compile_worker.ts", import.meta.url));
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }) =>
        data instanceof WebAssembly.Module ? resolve(data) : reject(new Error(String(data))),
      );
      worker.addEventListener("error", () => reject(new Error("the worker did not start")));
      worker.postMessage(`${EFFECT_PATHS.rnnoise}/rnnoise_simd.wasm`);
    });
  } finally {
    worker.terminate();
  }
}

function ready(node: AudioWorkletNode): Promise<void> {
  return new Promise((resolve, reject) => {
    node.port.onmessage = ({ data }) => (data === "ready" ? resolve() : reject(new Error(String(data))));
    node.onprocessorerror = () => reject(new Error("the audio thread failed"));
  });
}
