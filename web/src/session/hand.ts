import { signal } from "@preact/signals-core";
import type { MeetingApi } from "../api/meeting.ts";

/** Who has spoken for longer than this has said what the hand was raised for. */
const SPOKEN_MS = 2000;

/** A pause between words is part of speaking. */
const PAUSE_MAX_MS = 1500;

/** The user's own hand. What shows it is the room: the server keeps it. */
export class Hand {
  readonly raised = signal(false);
  readonly #api: Pick<MeetingApi, "setHand">;
  readonly #identity: () => string;
  readonly #onError: (error: unknown) => void;
  /** What the server is asked for, until the room says that it is so: a second press means the opposite. */
  #wanted: boolean | null = null;
  #isAsking = false;
  #spokenMs = 0;
  #startedAtMs: number | null = null;
  #stoppedAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: Pick<MeetingApi, "setHand">, identity: () => string, onError: (error: unknown) => void) {
    this.#api = api;
    this.#identity = identity;
    this.#onError = onError;
  }

  toggle(): Promise<void> {
    return this.set(!(this.#wanted ?? this.raised.value));
  }

  async set(raised: boolean): Promise<void> {
    this.#wanted = raised;
    if (this.#isAsking) return;
    this.#isAsking = true;
    await this.#ask(raised);
    this.#isAsking = false;
    this.#settle();
  }

  /** One request at a time: what is wanted by the time it is answered is asked for after it. */
  async #ask(raised: boolean): Promise<void> {
    try {
      await this.#api.setHand(this.#identity(), raised);
    } catch (error) {
      this.#wanted = null;
      this.#onError(error);
      return;
    }
    if (this.#wanted !== null && this.#wanted !== raised) await this.#ask(this.#wanted);
  }

  #settle(): void {
    if (!this.#isAsking && this.#wanted === this.raised.value) this.#wanted = null;
  }

  /** Takes over what the room says of the user, and lowers the hand when he has spoken. */
  refresh(raised: boolean, isSpeaking: boolean): void {
    if (raised !== this.raised.value) this.#forget();
    this.raised.value = raised;
    this.#settle();
    if (raised && isSpeaking) this.#start(Date.now());
    else this.#stop(Date.now());
  }

  #start(nowMs: number): void {
    if (this.#startedAtMs !== null) return;
    if (nowMs - this.#stoppedAtMs > PAUSE_MAX_MS) this.#spokenMs = 0;
    this.#startedAtMs = nowMs;
    this.#timer = setTimeout(() => void this.set(false), SPOKEN_MS - this.#spokenMs);
  }

  #stop(nowMs: number): void {
    if (this.#startedAtMs === null) return;
    clearTimeout(this.#timer);
    this.#spokenMs = Math.min(SPOKEN_MS, this.#spokenMs + nowMs - this.#startedAtMs);
    this.#startedAtMs = null;
    this.#stoppedAtMs = nowMs;
  }

  #forget(): void {
    this.#stop(0);
    this.#spokenMs = 0;
  }
}
