import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import { type Participant, type Room, RoomEvent, Track, type TrackPublication } from "livekit-client";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { SaveData } from "./layout.ts";

/** What is said of a participant's own way to the server. */
export type Link = "good" | "weak" | "lost";

/** A change for the worse is told when it lasts, one for the better when it can be relied upon. */
const WORSE_AFTER_MS = 3000;
const BETTER_AFTER_MS = 10_000;

/** A picture that is held is seen at once; why is said a moment later, and the words do not come and go. */
const PAUSED_AFTER_MS = 500;
const RESUMED_AFTER_MS = 3000;

/**
 * Whose network is bad, and what was done about it: the media server reports each participant's link, and which pictures
 * it holds back because this user's is too slow for them.
 */
export class Network {
  /** The user's own. */
  readonly own: ReadonlySignal<Link>;
  /** Those of others that are not good, by identity. */
  readonly others = signal<ReadonlyMap<string, Link>>(new Map());
  /** The keys of the tiles whose pictures are paused. */
  readonly paused = signal<ReadonlySet<string>>(new Set());
  readonly saveData = signal<SaveData>("all");
  /** Whether the dialog is open. */
  readonly open = signal(false);
  readonly #link = signal<Link>("good");
  readonly #room: Room;
  readonly #links: Settling<string, Link>;
  readonly #pauses: Settling<string, boolean>;

  constructor(room: Room, announcer: Announcer) {
    this.#room = room;
    this.own = computed(() => (this.#link.value === "good" && this.paused.value.size > 0 ? "weak" : this.#link.value));
    this.#links = new Settling<string, Link>("good", (link) => (link === "good" ? BETTER_AFTER_MS : WORSE_AFTER_MS));
    this.#links.onChange = (identity, link) => this.#setLink(identity, link);
    this.#pauses = new Settling<string, boolean>(false, (isPaused) => (isPaused ? PAUSED_AFTER_MS : RESUMED_AFTER_MS));
    this.#pauses.onChange = (key, isPaused) => this.#setPaused(key, isPaused);
    let said: Link = "good";
    this.own.subscribe((own) => {
      if (own !== said && own !== "good") announcer.announce(text.views.connection.own[own]);
      said = own;
    });
    this.#listen();
  }

  /** The room whose tracks the dialog measures. */
  get room(): Pick<Room, "localParticipant" | "remoteParticipants"> {
    return this.#room;
  }

  #listen(): void {
    this.#room
      .on(RoomEvent.ConnectionQualityChanged, (quality, { identity }) => {
        this.#links.set(identity, quality === "lost" ? "lost" : quality === "poor" ? "weak" : "good");
      })
      .on(RoomEvent.TrackStreamStateChanged, (publication, state, participant) => {
        this.#pauses.set(tileKeyOf(publication, participant), state === Track.StreamState.Paused);
      })
      .on(RoomEvent.TrackUnsubscribed, (_track, publication, participant) => {
        this.#pauses.settle(tileKeyOf(publication, participant), false);
      })
      .on(RoomEvent.ParticipantDisconnected, ({ identity }) => this.#links.settle(identity, "good"))
      .on(RoomEvent.Disconnected, () => {
        this.#links.stop();
        this.#pauses.stop();
      });
  }

  #setLink(identity: string, link: Link): void {
    if (identity === this.#room.localParticipant.identity) {
      this.#link.value = link;
      return;
    }
    const others = new Map(this.others.peek());
    if (link === "good") others.delete(identity);
    else others.set(identity, link);
    this.others.value = others;
  }

  #setPaused(key: string, isPaused: boolean): void {
    const paused = new Set(this.paused.peek());
    if (isPaused) paused.add(key);
    else paused.delete(key);
    this.paused.value = paused;
  }
}

function tileKeyOf({ source }: TrackPublication, { identity }: Participant): string {
  return `${source === Track.Source.ScreenShare ? "screen_share" : "participant"}:${identity}`;
}

/** Values of which each is told when it has lasted: what flaps is not told. */
class Settling<Key, Value> {
  onChange: (key: Key, value: Value) => void = () => {};
  readonly #usual: Value;
  readonly #delayMs: (value: Value) => number;
  readonly #settled = new Map<Key, Value>();
  readonly #waiting = new Map<Key, { readonly value: Value; readonly timer: ReturnType<typeof setTimeout> }>();

  constructor(usual: Value, delayMs: (value: Value) => number) {
    this.#usual = usual;
    this.#delayMs = delayMs;
  }

  set(key: Key, value: Value): void {
    if (this.#waiting.get(key)?.value === value) return;
    this.#forget(key);
    if (value === (this.#settled.get(key) ?? this.#usual)) return;
    const timer = setTimeout(() => this.settle(key, value), this.#delayMs(value));
    this.#waiting.set(key, { value, timer });
  }

  /** Takes a value at once. */
  settle(key: Key, value: Value): void {
    this.#forget(key);
    if (value === (this.#settled.get(key) ?? this.#usual)) return;
    if (value === this.#usual) this.#settled.delete(key);
    else this.#settled.set(key, value);
    this.onChange(key, value);
  }

  stop(): void {
    for (const key of [...this.#waiting.keys()]) this.#forget(key);
  }

  #forget(key: Key): void {
    clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
  }
}
