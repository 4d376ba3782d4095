import { type Signal, signal } from "@preact/signals-core";
import { ConnectionState, LocalAudioTrack, type LocalTrack, LocalVideoTrack, type Room, Track } from "livekit-client";
import type { Cause } from "../app_error.ts";
import type { DetachedTrack, DeviceKind } from "./devices.ts";
import { deviceCause } from "./refusals.ts";

/** What failed: a device, or (null) something else, and why. */
export interface MediaFailure {
  readonly device: DeviceKind | null;
  readonly cause: Cause;
  /** The device that was chosen and did not open, where another one is in use. */
  readonly chosenId?: string;
}

/** The device's own track, before anything is done to it. */
export function sourceOf(track: LocalTrack): MediaStreamTrack {
  return (track.getProcessor?.() as { source?: MediaStreamTrack } | undefined)?.source ?? track.mediaStreamTrack;
}

/** What is done to a device's track between the device and the others. */
export interface TrackEffect {
  /** For a track that the SDK is to open. */
  captureOptions(): Promise<object | undefined>;
  apply(track: LocalAudioTrack | LocalVideoTrack): Promise<void>;
}

interface Source {
  readonly source: Track.Source.Camera | Track.Source.Microphone;
  readonly isOn: (room: Room) => boolean;
  readonly setOn: (room: Room, on: boolean, options?: object) => Promise<unknown>;
  /** Whether others may see it only with its effect. */
  readonly isPrivate: boolean;
  readonly wrap: (track: MediaStreamTrack) => LocalAudioTrack | LocalVideoTrack;
}

const SOURCES: Readonly<Record<DeviceKind, Source>> = {
  camera: {
    source: Track.Source.Camera,
    isOn: ({ localParticipant }) => localParticipant.isCameraEnabled,
    setOn: ({ localParticipant }, on, options) => localParticipant.setCameraEnabled(on, options),
    isPrivate: true,
    wrap: (track) => new LocalVideoTrack(track, track.getConstraints(), false),
  },
  microphone: {
    source: Track.Source.Microphone,
    isOn: ({ localParticipant }) => localParticipant.isMicrophoneEnabled,
    setOn: ({ localParticipant }, on, options) => localParticipant.setMicrophoneEnabled(on, options),
    isPrivate: false,
    wrap: (track) => new LocalAudioTrack(track, track.getConstraints(), false),
  },
};

/**
 * The user's camera or microphone in the meeting. Changes happen one after the other, so that there is never a second
 * track of it: one that the form is still opening comes first, and a button pressed meanwhile says what is wanted then.
 */
export class LiveDevice {
  readonly kind: DeviceKind;
  readonly on = signal(false);
  readonly #room: Room;
  readonly #failure: Signal<MediaFailure | null>;
  readonly #effect: TrackEffect;
  #wanted = false;
  /** How often the user has said what is wanted, and how many changes are under way. */
  #choices = 0;
  #changing = 0;
  #changes: Promise<void> = Promise.resolve();

  constructor(kind: DeviceKind, room: Room, failure: Signal<MediaFailure | null>, effect: TrackEffect) {
    this.kind = kind;
    this.#effect = effect;
    this.#room = room;
    this.#failure = failure;
  }

  /** Publishes the track of the form, when the browser has opened it. */
  publish(opening: Promise<DetachedTrack>): Promise<void> {
    this.#wanted = true;
    const choices = this.#choices;
    return this.#queue(async () => {
      const { track, cause } = await opening;
      if (cause) this.fail(cause);
      if (!track) this.#wanted &&= this.#choices > choices;
      else if (this.#wanted && this.#canPublish() && !this.#isPublished()) await this.#publish(track);
      else track.stop();
    });
  }

  set(on: boolean): Promise<void> {
    this.#wanted = on;
    this.#choices += 1;
    return this.#queue(async () => {
      if (SOURCES[this.kind].isOn(this.#room) === this.#wanted) return;
      await this.#setOn(this.#wanted);
      this.#succeed();
    });
  }

  /** Makes another change of this device, after those that are under way. */
  change(act: () => Promise<unknown>): Promise<void> {
    return this.#queue(async () => {
      await act();
      this.#succeed();
    });
  }

  /**
   * Takes another device. The SDK closes the one before first: where the other does not open (another program has it),
   * the one before is opened again.
   * @param chosenId names the device in the failure, so that it can be tried again
   */
  replace(act: () => Promise<unknown>, back: () => Promise<unknown>, chosenId?: string): Promise<void> {
    return this.#queue(async () => {
      try {
        await act();
        this.#succeed();
      } catch (error) {
        await this.#reopen(back);
        this.fail(deviceCause(error, this.kind), chosenId);
      }
    });
  }

  async #reopen(back: () => Promise<unknown>): Promise<void> {
    const track = this.#track();
    if (!track || track.isMuted || sourceOf(track).readyState !== "ended") return;
    // where that fails too, it is off: nothing is sent, and the page must not say that it is on
    await back().catch(() => SOURCES[this.kind].setOn(this.#room, false));
    this.#wanted = SOURCES[this.kind].isOn(this.#room);
  }

  /** Makes what is published as its effect is now. */
  applyEffect(): Promise<void> {
    return this.#queue(() => this.#apply(this.#track()));
  }

  /** Whether it is on, or is to be as soon as the change under way is done. It keeps its value when the meeting ends. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Another hand has muted or unmuted it (a moderator, the system): so it is to stay. */
  settle(): void {
    if (this.#changing === 0 && this.#isPublished()) this.#wanted = SOURCES[this.kind].isOn(this.#room);
  }

  refresh(): void {
    this.on.value = SOURCES[this.kind].isOn(this.#room);
  }

  #queue(act: () => Promise<void>): Promise<void> {
    this.#changing += 1;
    const change = this.#changes.then(act).catch((error: unknown) => {
      this.#wanted = SOURCES[this.kind].isOn(this.#room);
      this.fail(deviceCause(error, this.kind));
    });
    this.#changes = change.then(() => {
      this.#changing -= 1;
      this.refresh();
    });
    return this.#changes;
  }

  async #setOn(on: boolean): Promise<void> {
    const isNew = on && !this.#isPublished();
    await SOURCES[this.kind].setOn(this.#room, on, isNew ? await this.#effect.captureOptions() : undefined);
    if (isNew) await this.#apply(this.#track());
  }

  async #publish(track: MediaStreamTrack): Promise<void> {
    const { source, wrap, isPrivate } = SOURCES[this.kind];
    try {
      // the SDK owns it from here: it closes the camera on mute and opens it again
      const wrapped = wrap(track);
      if (isPrivate) await this.#apply(wrapped);
      await this.#room.localParticipant.publishTrack(wrapped, { source });
      if (!isPrivate) await this.#apply(wrapped);
    } catch (error) {
      track.stop();
      throw error;
    }
  }

  #canPublish(): boolean {
    const { localParticipant, state } = this.#room;
    return state !== ConnectionState.Disconnected && (localParticipant.permissions?.canPublish ?? false);
  }

  #isPublished(): boolean {
    return this.#room.localParticipant.getTrackPublication(SOURCES[this.kind].source) !== undefined;
  }

  #track(): LocalTrack | undefined {
    return this.#room.localParticipant.getTrackPublication(SOURCES[this.kind].source)?.track;
  }

  async #apply(track: LocalTrack | undefined): Promise<void> {
    if (track instanceof LocalVideoTrack || track instanceof LocalAudioTrack) await this.#effect.apply(track);
  }

  /** Shows a failure; the meeting goes on. */
  fail(cause: Cause, chosenId?: string): void {
    this.#failure.value = { device: this.kind, cause, ...(chosenId && { chosenId }) };
  }

  #succeed(): void {
    if (this.#failure.value?.device === this.kind) this.#failure.value = null;
  }
}
