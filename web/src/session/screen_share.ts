import { type Signal, signal } from "@preact/signals-core";
import type { Room, ScreenShareCaptureOptions } from "livekit-client";
import type { MediaFailure } from "./local_media.ts";
import { shareCause } from "./refusals.ts";

/**
 * Text has to stay sharp: the hint makes the browser keep the resolution and lower the frame rate. Another tab can be
 * chosen while sharing; the page itself is not offered, a hall of mirrors. Sound is music rather than a voice.
 */
const CAPTURE: ScreenShareCaptureOptions = {
  audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false, restrictOwnAudio: true },
  contentHint: "text",
  surfaceSwitching: "include",
  selfBrowserSurface: "exclude",
  systemAudio: "include",
};

/** The user's own screen in the meeting. */
export class ScreenShare {
  readonly on = signal(false);
  readonly #room: Room;
  readonly #failure: Signal<MediaFailure | null>;

  constructor(room: Room, failure: Signal<MediaFailure | null>) {
    this.#room = room;
    this.#failure = failure;
  }

  async toggle(): Promise<void> {
    const { localParticipant: me } = this.#room;
    const askedAtMs = performance.now();
    if (this.#failure.value?.device === null) this.#failure.value = null;
    try {
      await me.setScreenShareEnabled(!me.isScreenShareEnabled, CAPTURE);
    } catch (error) {
      const cause = shareCause(error, performance.now() - askedAtMs);
      if (cause) this.#failure.value = { device: null, cause };
    }
    this.refresh();
  }

  refresh(): void {
    this.on.value = this.#room.localParticipant.isScreenShareEnabled;
  }
}
