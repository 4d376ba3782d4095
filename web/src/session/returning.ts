/** How long the page tries to come back by itself. */
const RETURN_WITHIN_MS = 10 * 60_000;

/** How often it tries where the browser says that there is a network: the server, or the way to it, is what is gone. */
const TRY_EVERY_MS = 10_000;

/** The part of the browser that knows of the network. */
export interface NetworkLike {
  readonly isOnline: () => boolean;
  readonly addEventListener: (type: "online", act: () => void) => void;
  readonly removeEventListener: (type: "online", act: () => void) => void;
}

/** The result of one try: back, worth another one, or over. */
export type Try = "done" | "again" | "over";

/** Tries until it works: at once when the network returns, and now and then while the browser believes in it. */
export class Returning {
  readonly #network: NetworkLike;
  #wake = (): void => {};
  #stopped = false;

  constructor(network: NetworkLike) {
    this.#network = network;
  }

  /** @returns false when the time is over, and when it was stopped. */
  async run(attempt: () => Promise<Try>): Promise<boolean> {
    const endsAtMs = Date.now() + RETURN_WITHIN_MS;
    const onOnline = () => this.#wake();
    this.#network.addEventListener("online", onOnline);
    try {
      while (!this.#stopped && Date.now() < endsAtMs) {
        const result = this.#network.isOnline() ? await attempt() : "again";
        if (result !== "again") return true;
        await this.#pause();
      }
      return false;
    } finally {
      this.#network.removeEventListener("online", onOnline);
    }
  }

  tryNow(): void {
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  #pause(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, TRY_EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
