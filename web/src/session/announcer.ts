import { signal } from "@preact/signals-core";

/** How long an announcement stays for a screen reader to pick up. */
const ANNOUNCEMENT_LIFETIME_MS = 4000;

export interface Announcement {
  readonly id: number;
  readonly message: string;
}

/** What a screen reader reads out. Each announcement is an element of its own, so none replaces another. */
export class Announcer {
  readonly announcements = signal<readonly Announcement[]>([]);
  #nextId = 0;

  announce(message: string): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.announcements.value = [...this.announcements.value, { id, message }];
    setTimeout(() => {
      this.announcements.value = this.announcements.value.filter((announcement) => announcement.id !== id);
    }, ANNOUNCEMENT_LIFETIME_MS);
  }
}
