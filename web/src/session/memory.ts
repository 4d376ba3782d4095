/** What the page remembers on this device, and what it remembers for this tab only. */
export interface Preferences {
  name: string;
  cameraOn: boolean;
  cameraId: string;
  microphoneOn: boolean;
  microphoneId: string;
  shortcutsOn: boolean;
}

const DEFAULTS: Preferences = {
  name: "",
  cameraOn: true,
  cameraId: "",
  microphoneOn: true,
  microphoneId: "",
  shortcutsOn: true,
};

const PREFERENCES_KEY = "tertulia.preferences";

/** `null` stands for a browser that keeps nothing (a foreign iframe, strict settings): the page works, it only forgets. */
export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;

export class Memory {
  readonly #device: KeyValueStore;
  readonly #tab: KeyValueStore;
  /** Where the browser keeps nothing (a foreign iframe), the page still knows its token as long as it is open. */
  readonly #tokens = new Map<string, string>();

  constructor(device: KeyValueStore, tab: KeyValueStore) {
    this.#device = device;
    this.#tab = tab;
  }

  preferences(): Preferences {
    const kept = parseObject(this.#device?.getItem(PREFERENCES_KEY) ?? null);
    const merged: Record<string, unknown> = { ...DEFAULTS };
    for (const [key, standard] of Object.entries(DEFAULTS)) {
      if (typeof kept[key] === typeof standard) merged[key] = kept[key];
    }
    return merged as unknown as Preferences;
  }

  remember(change: Partial<Preferences>): void {
    quietly(() => this.#device?.setItem(PREFERENCES_KEY, JSON.stringify({ ...this.preferences(), ...change })));
  }

  token(roomName: string): string | null {
    return this.#tokens.get(roomName) ?? this.#tab?.getItem(tokenKey(roomName)) ?? null;
  }

  keepToken(roomName: string, token: string): void {
    this.#tokens.set(roomName, token);
    quietly(() => this.#tab?.setItem(tokenKey(roomName), token));
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

function parseObject(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A full or forbidden store must not stop anybody from joining. */
function quietly(write: () => void): void {
  try {
    write();
  } catch {
    // forgetting is the worst that happens
  }
}
