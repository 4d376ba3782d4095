import { signal } from "@preact/signals-core";

/** The time, for what counts while it is shown. It stands still while nothing does. */
export class Clock {
  readonly now = signal(Date.now());
  #users = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Returns what ends it. */
  use(): () => void {
    this.#users += 1;
    this.#timer ??= setInterval(() => {
      this.now.value = Date.now();
    }, 1000);
    return () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}
