import { signal } from "@preact/signals-core";
import type { RecordingsApi } from "../api/recordings.ts";
import { type Cause, causeOf } from "../app_error.ts";

type StartStopApi = Pick<RecordingsApi, "start" | "stop">;

/** A moderator's control of the recording. Whether one is running comes from the room (`Meeting.recording`). */
export class RecordingControl {
  /** False until the room is known to allow recordings. */
  readonly available = signal(false);
  readonly busy = signal(false);
  readonly #api: StartStopApi;

  constructor(api: StartStopApi) {
    this.#api = api;
  }

  /** @returns why it failed, or null. */
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
