import { signal } from "@preact/signals-core";

/** How long an announcement stays for a screen reader to pick up. */
const ANNOUNCEMENT_LIFETIME_MS = 4000;

/** What of the same kind follows within this time is announced together, and at the latest after the second one. */
const GROUP_PAUSE_MS = 1000;
const GROUP_MAX_MS = 3000;

export interface Announcement {
  readonly id: number;
  readonly message: string;
}

/** What a screen reader reads out. Each announcement is an element of its own, so none replaces another. */
export class Announcer {
  readonly announcements = signal<readonly Announcement[]>([]);
  /** Whether raised hands and reactions are read out: to many users they are a nuisance. */
  readonly readsSignals = signal(false);
  #nextId = 0;
  /** What waits to be announced together, by kind. */
  readonly #groups = new Map<string, Group>();

  announce(message: string): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.announcements.value = [...this.announcements.value, { id, message }];
    setTimeout(() => {
      this.announcements.value = this.announcements.value.filter((announcement) => announcement.id !== id);
    }, ANNOUNCEMENT_LIFETIME_MS);
  }

  /**
   * Announces the first of its kind at once, and what follows closely in groups: twenty who join in a second are two
   * announcements.
   */
  announceInGroups<T>(kind: string, item: T, messageOf: (items: readonly T[]) => string): void {
    const waiting = this.#groups.get(kind);
    if (!waiting) {
      this.announce(messageOf([item]));
      this.#collect(kind);
      return;
    }
    waiting.items.push(item);
    waiting.announce = () => this.announce(messageOf(waiting.items as T[]));
    clearTimeout(waiting.timer);
    const pause = Math.min(GROUP_PAUSE_MS, Math.max(0, waiting.endsAtMs - Date.now()));
    waiting.timer = setTimeout(() => this.#finish(kind, waiting), pause);
  }

  /** Announces a hand or a reaction, for a user who wants that. */
  announceSignal<T>(kind: string, item: T, messageOf: (items: readonly T[]) => string): void {
    if (this.readsSignals.peek()) this.announceInGroups(kind, item, messageOf);
  }

  #collect(kind: string): void {
    const group: Group = { items: [], announce: () => {}, endsAtMs: Date.now() + GROUP_MAX_MS, timer: undefined };
    group.timer = setTimeout(() => this.#finish(kind, group), GROUP_PAUSE_MS);
    this.#groups.set(kind, group);
  }

  #finish(kind: string, group: Group): void {
    this.#groups.delete(kind);
    if (group.items.length === 0) return;
    group.announce();
    this.#collect(kind);
  }
}

interface Group {
  readonly items: unknown[];
  announce: () => void;
  readonly endsAtMs: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}
