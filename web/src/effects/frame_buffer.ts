/** Makes frames of the size that a codec works on out of the audio thread's blocks: what comes out is one frame late. */
export class FrameBuffer {
  readonly #work: (frame: Float32Array) => void;
  readonly #frame: Float32Array;
  /** As many samples as may wait: a frame that is ready, and what of the last one is still to be given. */
  readonly #ready: Float32Array;
  #filled = 0;
  #from = 0;
  #count: number;

  /** @param work changes a frame in place */
  constructor(size: number, work: (frame: Float32Array) => void) {
    this.#work = work;
    this.#frame = new Float32Array(size);
    this.#ready = new Float32Array(2 * size);
    // begins with a frame of silence, so that there is always something to give
    this.#count = size;
  }

  process(input: Float32Array, output: Float32Array): void {
    for (let i = 0; i < input.length; i += 1) {
      this.#frame[this.#filled] = input[i] as number;
      this.#filled += 1;
      if (this.#filled === this.#frame.length) this.#finish();
      output[i] = this.#take();
    }
  }

  #finish(): void {
    this.#work(this.#frame);
    this.#filled = 0;
    const { length } = this.#ready;
    for (const [i, sample] of this.#frame.entries()) this.#ready[(this.#from + this.#count + i) % length] = sample;
    this.#count += this.#frame.length;
  }

  #take(): number {
    const sample = this.#ready[this.#from] as number;
    this.#from = (this.#from + 1) % this.#ready.length;
    this.#count -= 1;
    return sample;
  }
}
