import { signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";

/** Something that a user asks of the server: one at a time, and why it was refused. */
export class Action {
  readonly running = signal(false);
  readonly refusal = signal<Refusal | null>(null);

  /** Returns whether it was done. */
  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (this.running.value) return false;
    this.running.value = true;
    this.refusal.value = null;
    try {
      await act();
      return true;
    } catch (error) {
      this.refusal.value = refusalFrom(error);
      return false;
    } finally {
      this.running.value = false;
    }
  }
}
