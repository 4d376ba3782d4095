import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Recording, RecordingStatus, RecordingsApi } from "../api/recordings.ts";
import { text } from "../i18n/index.ts";
import { type Cause, causeOf } from "../trouble.ts";
import type { Announcer } from "./announcer.ts";

/** How often the server is asked while a recording changes: it is playable a second after its stop, and seen soon after. */
const LOOK_EVERY_MS = 1000;

/** An address is good for ten minutes; one of this age that fails is renewed, a younger one has failed for another reason. */
const ADDRESS_GOOD_FOR_MS = 9 * 60_000;

const RUNNING: ReadonlySet<RecordingStatus> = new Set<RecordingStatus>(["STARTING", "ACTIVE", "ENDING"]);
const PLAYABLE: ReadonlySet<RecordingStatus> = new Set<RecordingStatus>(["COMPLETE", "LIMITED_REACHED"]);

export function isRunning(recording: Recording): boolean {
  return RUNNING.has(recording.status);
}

export function isPlayable(recording: Recording): boolean {
  return PLAYABLE.has(recording.status);
}

export interface Playing {
  readonly recording: Recording;
  readonly address: string;
  /** When the address was given, in ms since the epoch. */
  readonly since: number;
}

type KeptRecordings = Pick<RecordingsApi, "list" | "address" | "delete">;

/** The recordings of this room, as a moderator looks at them: the list, the player, the question before deleting. */
export class Recordings {
  readonly open = signal(false);
  /** Null until the server has told them. */
  readonly all = signal<readonly Recording[] | null>(null);
  /** Why the list cannot be brought up to date now. */
  readonly unread = signal<Cause | null>(null);
  /** Why what was asked for last did not work. */
  readonly problem = signal<Cause | null>(null);
  readonly playing = signal<Playing | null>(null);
  readonly toDelete = signal<Recording | null>(null);
  readonly #api: KeptRecordings;
  readonly #announcer: Pick<Announcer, "say">;
  #looks = 0;
  #next: ReturnType<typeof setTimeout> | undefined;
  #recordingNow = false;
  #unfollow = () => {};

  constructor(api: KeptRecordings, announcer: Pick<Announcer, "say">) {
    this.#api = api;
    this.#announcer = announcer;
  }

  /** Looks now, and whenever a recording of the meeting begins or ends; a new meeting replaces the one before. */
  follow(recordingNow: ReadonlySignal<boolean>): void {
    this.#unfollow();
    this.#unfollow = effect(() => {
      this.#recordingNow = recordingNow.value;
      void this.look();
    });
  }

  show(open: boolean): void {
    this.open.value = open;
    this.problem.value = null;
    if (open) void this.look();
  }

  /** Asks the server, and again while something changes that somebody may be waiting for. */
  async look(): Promise<void> {
    clearTimeout(this.#next);
    this.#looks += 1;
    const look = this.#looks;
    const [found, cause] = await this.#api.list().then(
      (list) => [list, null] as const,
      (error: unknown) => [null, causeOf(error)] as const,
    );
    // a later look has the newer answer
    if (look !== this.#looks) return;
    this.unread.value = cause;
    if (found) {
      if (found.some((one) => isPlayable(one) && this.#wasRunning(one)))
        this.#announcer.say(text.announce.recordingReady);
      this.all.value = found;
    }
    if (this.#isWorthAnotherLook()) this.#next = setTimeout(() => void this.look(), LOOK_EVERY_MS);
  }

  async play(recording: Recording): Promise<void> {
    const address = await this.address(recording);
    if (address) this.playing.value = { recording, address, since: Date.now() };
  }

  stopPlaying(): void {
    this.playing.value = null;
  }

  /** The player cannot go on: its address has run out, or the recording cannot be played. */
  async playerFailed(): Promise<void> {
    const playing = this.playing.value;
    if (!playing) return;
    if (Date.now() - playing.since >= ADDRESS_GOOD_FOR_MS) {
      await this.play(playing.recording);
      if (!this.problem.value) return;
    } else this.problem.value = "recording_unplayable";
    this.stopPlaying();
  }

  /** @returns an address that opens this recording for ten minutes, or null when `problem` says why there is none. */
  async address(recording: Recording): Promise<string | null> {
    this.problem.value = null;
    try {
      return await this.#api.address(recording.id);
    } catch (error) {
      this.problem.value = causeOf(error);
      return null;
    }
  }

  askToDelete(recording: Recording | null): void {
    this.toDelete.value = recording;
  }

  /** Deletes what was asked about. */
  async delete(): Promise<void> {
    const recording = this.toDelete.value;
    this.toDelete.value = null;
    this.problem.value = null;
    if (!recording) return;
    try {
      await this.#api.delete(recording.id);
      this.#announcer.say(text.announce.recordingDeleted);
    } catch (error) {
      this.problem.value = causeOf(error);
    }
    await this.look();
  }

  #wasRunning(recording: Recording): boolean {
    return this.all.value?.some((before) => before.id === recording.id && isRunning(before)) ?? false;
  }

  /** While the meeting is recorded only an open list changes; after that the end is awaited, seen or not. */
  #isWorthAnotherLook(): boolean {
    const changing = this.all.value?.some(isRunning) ?? false;
    const mayLook = this.unread.value !== "not_admitted";
    return changing && mayLook && (this.open.value || !this.#recordingNow);
  }
}
