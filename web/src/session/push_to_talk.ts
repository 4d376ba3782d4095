import type { LiveDevice } from "./local_media.ts";

/** A muted microphone that is on for as long as something is held. */
export class PushToTalk {
  readonly #microphone: Pick<LiveDevice, "on" | "wanted">;
  readonly #set: (on: boolean) => Promise<void>;
  #isHeld = false;

  constructor(microphone: Pick<LiveDevice, "on" | "wanted">, set: (on: boolean) => Promise<void>) {
    this.#microphone = microphone;
    this.#set = set;
  }

  /** @returns whether it is held; a microphone that is on, or opening, stays as it is. */
  press(): boolean {
    if (this.#isHeld) return true;
    if (this.#microphone.on.value || this.#microphone.wanted) return false;
    this.#isHeld = true;
    void this.#set(true);
    return true;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    void this.#set(false);
  }
}
