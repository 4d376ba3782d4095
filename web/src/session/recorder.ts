import { signal } from "@preact/signals-core";
import type { RecordingsApi } from "../api/recordings.ts";
import { type Cause, causeOf } from "../trouble.ts";

type Recorder = Pick<RecordingsApi, "allowed" | "start" | "stop">;

/** A moderator's button for the recording. That a recording runs is told to everybody by the meeting itself. */
export class RecorderButton {
  /** False until the room is known to allow recordings. */
  readonly offered = signal(false);
  readonly busy = signal(false);
  readonly #api: Recorder;

  constructor(api: Recorder) {
    this.#api = api;
  }

  /** Finds out whether to offer it. A room that cannot be asked gets no button. */
  async prepare(): Promise<void> {
    this.offered.value = await this.#api.allowed().catch(() => false);
  }

  /** @returns why it did not work, or null. */
  async toggle(recording: boolean): Promise<Cause | null> {
    if (this.busy.value) return null;
    this.busy.value = true;
    try {
      await (recording ? this.#api.stop() : this.#api.start());
      return null;
    } catch (error) {
      return causeOf(error);
    } finally {
      this.busy.value = false;
    }
  }
}
