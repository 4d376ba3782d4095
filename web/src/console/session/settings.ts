import { signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";
import type { ConsoleServer } from "../api/server.ts";
import type { ApiKey, NewApiKey, SettingName, SettingsChange, Settings as SettingsState } from "../api/types.ts";
import { Action } from "./action.ts";
import type { ConsoleEvent } from "./events.ts";

/** The settings that may change while the server runs, and the rest to look at. */
export class Settings {
  readonly state = signal<SettingsState | null>(null);
  readonly refusal = signal<Refusal | null>(null);
  readonly saving = new Action();
  readonly #server: ConsoleServer;

  constructor(server: ConsoleServer) {
    this.#server = server;
  }

  async refresh(): Promise<void> {
    try {
      this.state.value = await this.#server.settings();
      this.refusal.value = null;
    } catch (error) {
      this.refusal.value = refusalFrom(error);
    }
  }

  onEvent({ name }: ConsoleEvent): void {
    if (name === "settingsChanged") void this.refresh();
  }

  /** Changes some; null gives one back the value that it is configured with. */
  save(change: SettingsChange): Promise<boolean> {
    return this.saving.run(async () => {
      this.state.value = await this.#server.changeSettings(change);
    });
  }
}

/** Where the value of a changeable setting comes from: `stored` where it was changed here. */
export function sourceOf({ stored, settings }: SettingsState, name: SettingName): string {
  if (stored.includes(name)) return "stored";
  const given = settings.find(({ changeableAs, source }) => changeableAs === name && source !== "default");
  return given?.source ?? "default";
}

/** Whether the configuration holds the password, so that it cannot be changed here. */
export function isPasswordConfigured(state: SettingsState | null): boolean {
  return !!state?.settings.some(({ name, value }) => name === "TERTULIA_ADMIN_PASSWORD" && value !== "");
}

/** The API keys; a new one is shown once. */
export class ApiKeys {
  readonly keys = signal<readonly ApiKey[]>([]);
  readonly made = signal<NewApiKey | null>(null);
  readonly refusal = signal<Refusal | null>(null);
  readonly action = new Action();
  readonly #server: ConsoleServer;

  constructor(server: ConsoleServer) {
    this.#server = server;
  }

  async refresh(): Promise<void> {
    try {
      this.keys.value = await this.#server.apiKeys();
      this.refusal.value = null;
    } catch (error) {
      this.refusal.value = refusalFrom(error);
    }
  }

  onEvent({ name }: ConsoleEvent): void {
    if (name === "apiKeysChanged") void this.refresh();
  }

  create(name: string): Promise<boolean> {
    return this.#make(() => this.#server.createApiKey(name));
  }

  /** @param graceS for how long the old secret works beside the new one */
  rotate(id: string, graceS: number): Promise<boolean> {
    return this.#make(() => this.#server.rotateApiKey(id, graceS));
  }

  revoke(id: string): Promise<boolean> {
    return this.action.run(async () => {
      await this.#server.revokeApiKey(id);
      await this.refresh();
    });
  }

  #make(make: () => Promise<NewApiKey>): Promise<boolean> {
    return this.action.run(async () => {
      this.made.value = await make();
      await this.refresh();
    });
  }
}
