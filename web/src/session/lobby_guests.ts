import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import type { LobbyGuest, MeetingApi } from "../api/meeting.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Notices } from "./notices.ts";

/** The server tells of those who come; those who go stop asking, which nobody tells. */
const LOOK_AGAIN_MS = 10_000;

type GuestsApi = Pick<MeetingApi, "guests" | "admit" | "refuse" | "admitAll">;

/** The guests who wait, for a moderator. */
export class LobbyGuests {
  readonly waiting = signal<readonly LobbyGuest[]>([]);
  readonly #api: GuestsApi;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #onError: (error: unknown) => void;
  #requests = 0;
  #isFollowed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(api: GuestsApi, notices: Notices, announcer: Announcer, onError: (error: unknown) => void) {
    this.#api = api;
    this.#notices = notices;
    this.#announcer = announcer;
    this.#onError = onError;
  }

  /** Looks for guests as long as that is the user's business. @returns what ends it. */
  follow(isWanted: ReadonlySignal<boolean>): () => void {
    const stop = effect(() => {
      this.#isFollowed = isWanted.value;
      if (this.#isFollowed) void this.refresh();
      else this.#forget();
    });
    return () => {
      stop();
      this.#isFollowed = false;
      this.#forget();
    };
  }

  async refresh(): Promise<void> {
    if (!this.#isFollowed) return;
    clearTimeout(this.#timer);
    this.#requests += 1;
    const request = this.#requests;
    const found = await this.#api.guests().catch(() => null);
    // a later request has the newer answer
    if (request !== this.#requests || !this.#isFollowed) return;
    if (found) this.#show(found);
    if (!found || found.length > 0) this.#timer = setTimeout(() => void this.refresh(), LOOK_AGAIN_MS);
  }

  admit(name: string): Promise<void> {
    return this.#decide(this.#api.admit(name));
  }

  refuse(name: string): Promise<void> {
    return this.#decide(this.#api.refuse(name));
  }

  admitAll(): Promise<void> {
    return this.#decide(this.#api.admitAll());
  }

  async #decide(asked: Promise<void>): Promise<void> {
    await asked.catch(this.#onError);
    await this.refresh();
  }

  #show(found: readonly LobbyGuest[]): void {
    const known = new Set(this.waiting.peek().map(({ participantName }) => participantName));
    const hasNew = found.some(({ participantName }) => !known.has(participantName));
    const isNoticed = this.#notices.all.peek().some(({ kind }) => kind === "lobby");
    this.waiting.value = found;
    if (found.length === 0) this.#notices.dismiss("lobby");
    else if (hasNew || isNoticed) this.#notices.show({ kind: "lobby", count: found.length });
    if (hasNew) this.#announcer.announce(text.notices.lobby(found.length));
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.#requests += 1;
    this.waiting.value = [];
    this.#notices.dismiss("lobby");
  }
}
