/** What the page stores on this device. */
export interface Preferences {
  name: string;
  cameraOn: boolean;
  cameraId: string;
  microphoneOn: boolean;
  microphoneId: string;
  speakerId: string;
  shortcutsOn: boolean;
  readsSignals: boolean;
  hideSelf: boolean;
  hearsMuted: boolean;
  layout: string;
  background: string;
  noise: string;
  corner: string;
  saveData: string;
}

const DEFAULTS: Preferences = {
  name: "",
  cameraOn: true,
  cameraId: "",
  microphoneOn: true,
  microphoneId: "",
  speakerId: "",
  shortcutsOn: true,
  readsSignals: false,
  hideSelf: false,
  hearsMuted: true,
  layout: "grid",
  background: "none",
  noise: "browser",
  corner: "bottom-end",
  saveData: "all",
};

const PREFERENCES_KEY = "tertulia.preferences";

/** `null` stands for a browser that stores nothing (an iframe on another site, strict settings): the page works without. */
export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;

/** A place in a lobby, which outlives a reload. */
export interface StoredSeat {
  readonly name: string;
  readonly ticket: string;
  /** Whether the page was waiting there. */
  readonly isWaiting: boolean;
}

/** Preferences of this device, and the access token of this tab. */
export class PageStorage {
  readonly #device: KeyValueStore;
  readonly #tab: KeyValueStore;
  /** Where the browser stores nothing, the page has its token as long as it is open. */
  readonly #tokens = new Map<string, string>();
  readonly #seats = new Map<string, StoredSeat>();

  constructor(device: KeyValueStore, tab: KeyValueStore) {
    this.#device = device;
    this.#tab = tab;
  }

  preferences(): Preferences {
    const saved = parseObject(this.#device?.getItem(PREFERENCES_KEY) ?? null);
    const merged: Record<string, unknown> = { ...DEFAULTS };
    for (const [key, standard] of Object.entries(DEFAULTS)) {
      if (typeof saved[key] === typeof standard) merged[key] = saved[key];
    }
    return merged as unknown as Preferences;
  }

  savePreferences(change: Partial<Preferences>): void {
    ignoringErrors(() => this.#device?.setItem(PREFERENCES_KEY, JSON.stringify({ ...this.preferences(), ...change })));
  }

  token(roomName: string): string | null {
    return this.#tokens.get(roomName) ?? this.#tab?.getItem(tokenKey(roomName)) ?? null;
  }

  saveToken(roomName: string, token: string): void {
    this.#tokens.set(roomName, token);
    ignoringErrors(() => this.#tab?.setItem(tokenKey(roomName), token));
  }

  seat(roomName: string): StoredSeat | null {
    const known = this.#seats.get(roomName);
    if (known) return known;
    const { name, ticket, isWaiting } = parseObject(this.#tab?.getItem(seatKey(roomName)) ?? null);
    if (typeof name !== "string" || typeof ticket !== "string") return null;
    return { name, ticket, isWaiting: isWaiting === true };
  }

  /** @param seat null for one that is of no use any more */
  saveSeat(roomName: string, seat: StoredSeat | null): void {
    if (seat) this.#seats.set(roomName, seat);
    else this.#seats.delete(roomName);
    ignoringErrors(() =>
      seat ? this.#tab?.setItem(seatKey(roomName), JSON.stringify(seat)) : this.#tab?.removeItem(seatKey(roomName)),
    );
  }
}

/** @returns the store, or null where the browser forbids it (reading `localStorage` itself can throw). */
export function storeOrNull(open: () => Storage): KeyValueStore {
  try {
    return open();
  } catch {
    return null;
  }
}

function tokenKey(roomName: string): string {
  return `tertulia.token.${roomName}`;
}

function seatKey(roomName: string): string {
  return `tertulia.lobby.${roomName}`;
}

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A full or forbidden store must not prevent joining. */
function ignoringErrors(write: () => void): void {
  try {
    write();
  } catch {
    // what is not stored is asked for again
  }
}
