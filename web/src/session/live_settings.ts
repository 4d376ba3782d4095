import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { MeetingApi, RoomSettings } from "../api/meeting.ts";

const KEYS: readonly (keyof RoomSettings)[] = [
  "chat",
  "chatHistory",
  "chatFiles",
  "recording",
  "virtualBackground",
  "lobby",
  "locked",
];

/** What the room allows, as it is now: asked for when the page connects, then told by the server. */
export class LiveSettings {
  readonly #current = signal<RoomSettings | null>(null);
  readonly #api: Pick<MeetingApi, "settings">;
  #changes = 0;

  constructor(api: Pick<MeetingApi, "settings">) {
    this.#api = api;
  }

  /** Null until the server has answered. */
  get current(): ReadonlySignal<RoomSettings | null> {
    return this.#current;
  }

  /** Without an answer the page keeps what it knows; the server refuses what is not allowed. */
  async load(): Promise<void> {
    const changes = this.#changes;
    const settings = await this.#api.settings().catch(() => null);
    // what was told meanwhile is newer
    if (settings && changes === this.#changes) this.#current.value = settings;
  }

  /** @returns the settings if the message has all of them. */
  receive(body: Readonly<Record<string, unknown>>): RoomSettings | null {
    if (!KEYS.every((key) => typeof body[key] === "boolean")) return null;
    this.#changes += 1;
    this.#current.value = Object.fromEntries(KEYS.map((key) => [key, body[key]])) as unknown as RoomSettings;
    return this.#current.value;
  }
}
