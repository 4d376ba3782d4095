import { FrameBuffer } from "./frame_buffer.ts";

/** What the audio thread has, which TypeScript's library for pages does not know. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: unknown): void;

interface RnNoise {
  readonly memory: WebAssembly.Memory;
  readonly __wasm_call_ctors: () => void;
  readonly malloc: (bytes: number) => number;
  readonly rnnoise_get_frame_size: () => number;
  readonly rnnoise_create: (model: number) => number;
  readonly rnnoise_process_frame: (state: number, output: number, input: number) => number;
}

const BYTES_PER_SAMPLE = 4;

/** RNNoise takes samples as 16-bit integers have them. */
const SCALE = 32768;

class NoiseWorklet extends AudioWorkletProcessor {
  #buffer: FrameBuffer;
  #isOpen = true;

  constructor({ processorOptions }: { readonly processorOptions: { readonly module: WebAssembly.Module } }) {
    super();
    const library = open(processorOptions.module);
    const size = library.rnnoise_get_frame_size();
    const state = library.rnnoise_create(0);
    const address = library.malloc(size * BYTES_PER_SAMPLE);
    this.#buffer = new FrameBuffer(size, (samples) => {
      const frame = new Float32Array(library.memory.buffer, address, size);
      for (let i = 0; i < size; i += 1) frame[i] = (samples[i] as number) * SCALE;
      library.rnnoise_process_frame(state, address, address);
      for (let i = 0; i < size; i += 1) samples[i] = (frame[i] as number) / SCALE;
    });
    this.port.onmessage = () => {
      this.#isOpen = false;
    };
    this.port.postMessage("ready");
  }

  process([input]: readonly Float32Array[][], [output]: readonly Float32Array[][]): boolean {
    const [samples] = input ?? [];
    const [target] = output ?? [];
    // a microphone that is muted gives no channel: silence
    if (samples && target) this.#buffer.process(samples, target);
    return this.#isOpen;
  }
}

function open(module: WebAssembly.Module): RnNoise {
  const memoryOf = () => new Uint8Array(library.memory.buffer);
  const instance = new WebAssembly.Instance(module, {
    env: {
      emscripten_memcpy_big: (to: number, from: number, bytes: number) => memoryOf().copyWithin(to, from, from + bytes),
      emscripten_resize_heap: () => 0,
      __assert_fail: () => {
        throw new Error("RNNoise failed");
      },
    },
  });
  const library = instance.exports as unknown as RnNoise;
  library.__wasm_call_ctors();
  return library;
}

registerProcessor("rnnoise", NoiseWorklet);
