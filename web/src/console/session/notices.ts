import { signal } from "@preact/signals-core";

const SHOWN_MS = 6000;

/** What was done, in one sentence, shown for some seconds and read out by screen readers. */
export class Notices {
  readonly current = signal("");
  #timer: ReturnType<typeof setTimeout> | undefined;

  show(sentence: string): void {
    clearTimeout(this.#timer);
    this.current.value = sentence;
    this.#timer = setTimeout(() => {
      this.current.value = "";
    }, SHOWN_MS);
  }
}
