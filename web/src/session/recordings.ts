import { computed, effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Recording, RecordingStatus, RecordingsApi } from "../api/recordings.ts";
import { type Cause, causeOf } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";

/** How often the list is polled while a recording changes: it is playable about a second after its stop. */
const POLL_INTERVAL_MS = 1000;

/** A URL is valid for ten minutes; one of this age that fails is renewed, a younger one has failed for another reason. */
const URL_LIFETIME_MS = 9 * 60_000;

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
  readonly url: string;
  /** In milliseconds since the epoch. */
  readonly issuedAtMs: number;
}

type StoredRecordingsApi = Pick<RecordingsApi, "list" | "streamUrl" | "delete">;

/** The recordings of this room for a moderator: the list, the player, the confirmation before deleting. */
export class Recordings {
  readonly open = signal(false);
  /** Null until the server has answered. */
  readonly all = signal<readonly Recording[] | null>(null);
  /** Why the list could not be refreshed. */
  readonly listError = signal<Cause | null>(null);
  /** Why the last action failed. */
  readonly error = signal<Cause | null>(null);
  readonly playing = signal<Playing | null>(null);
  readonly deleting = signal<Recording | null>(null);
  /** Whether the player or the confirmation is open. */
  readonly hasDialog = computed(() => this.playing.value !== null || this.deleting.value !== null);
  readonly #api: StoredRecordingsApi;
  readonly #announcer: Pick<Announcer, "announce">;
  #requests = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isRecording = false;
  #stopFollowing = () => {};

  constructor(api: StoredRecordingsApi, announcer: Pick<Announcer, "announce">) {
    this.#api = api;
    this.#announcer = announcer;
  }

  /** Refreshes now, and whenever a recording of the meeting starts or ends; a new meeting replaces the previous one. */
  follow(isRecording: ReadonlySignal<boolean>): void {
    this.#stopFollowing();
    this.#stopFollowing = effect(() => {
      this.#isRecording = isRecording.value;
      void this.refresh();
    });
  }

  /** Knows of no recordings any more: they are the moderators'. */
  forget(): void {
    this.#stopFollowing();
    clearTimeout(this.#timer);
    this.#requests += 1;
    this.open.value = false;
    this.all.value = null;
    this.playing.value = null;
    this.deleting.value = null;
  }

  show(open: boolean): void {
    this.open.value = open;
    this.error.value = null;
    if (open) void this.refresh();
  }

  /** Requests the list, and polls while a recording changes that the user may be waiting for. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#requests += 1;
    const request = this.#requests;
    const [found, cause] = await this.#api.list().then(
      (list) => [list, null] as const,
      (error: unknown) => [null, causeOf(error)] as const,
    );
    // a later request has the newer answer
    if (request !== this.#requests) return;
    this.listError.value = cause;
    if (found) {
      if (found.some((one) => isPlayable(one) && this.#wasRunning(one)))
        this.#announcer.announce(text.announce.recordingReady);
      this.all.value = found;
    }
    if (this.#needsPolling()) this.#timer = setTimeout(() => void this.refresh(), POLL_INTERVAL_MS);
  }

  async play(recording: Recording): Promise<void> {
    const url = await this.streamUrl(recording);
    if (url) this.playing.value = { recording, url, issuedAtMs: Date.now() };
  }

  stopPlaying(): void {
    this.playing.value = null;
  }

  /** The player failed: its URL has expired, or the recording cannot be played. */
  async playerFailed(): Promise<void> {
    const playing = this.playing.value;
    if (!playing) return;
    if (Date.now() - playing.issuedAtMs >= URL_LIFETIME_MS) {
      await this.play(playing.recording);
      if (!this.error.value) return;
    } else this.error.value = "recording_unplayable";
    this.stopPlaying();
  }

  /** @returns a URL that opens this recording for ten minutes, or null when `error` says why there is none. */
  async streamUrl(recording: Recording): Promise<string | null> {
    this.error.value = null;
    try {
      return await this.#api.streamUrl(recording.id);
    } catch (error) {
      this.error.value = causeOf(error);
      return null;
    }
  }

  confirmDeletion(recording: Recording | null): void {
    this.deleting.value = recording;
  }

  /** Deletes the recording that the user confirmed. */
  async delete(): Promise<void> {
    const recording = this.deleting.value;
    this.deleting.value = null;
    this.error.value = null;
    if (!recording) return;
    try {
      await this.#api.delete(recording.id);
      this.#announcer.announce(text.announce.recordingDeleted);
    } catch (error) {
      this.error.value = causeOf(error);
    }
    await this.refresh();
  }

  #wasRunning(recording: Recording): boolean {
    return this.all.value?.some((before) => before.id === recording.id && isRunning(before)) ?? false;
  }

  /** While the meeting is recorded only an open list is polled; after that it is polled until the recording is final. */
  #needsPolling(): boolean {
    const changing = this.all.value?.some(isRunning) ?? false;
    const isAdmitted = this.listError.value !== "not_admitted";
    return changing && isAdmitted && (this.open.value || !this.#isRecording);
  }
}
