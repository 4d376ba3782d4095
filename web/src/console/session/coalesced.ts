/** Does something once for many reasons that come together, and not more often than every `everyMs`. */
export class Coalesced {
  readonly #act: () => unknown;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(act: () => unknown, everyMs: number) {
    this.#act = act;
    this.#everyMs = everyMs;
  }

  soon(): void {
    if (this.#timer !== undefined) return;
    const waitMs = Math.max(50, this.#lastMs + this.#everyMs - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lastMs = performance.now();
      this.#act();
    }, waitMs);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
