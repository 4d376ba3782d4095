import { effect, untracked } from "@preact/signals-core";
import { LIVE_ATTRIBUTES } from "../../embed/src/names.ts";
import type { DeviceKind } from "../session/devices.ts";
import type { MeetingPage } from "../session/page.ts";
import { setDevice, setLayout } from "./commands.ts";
import { hide } from "./hiding.ts";

/** A page that comes back after a move finds its old self still leaving: so long, and so often, it tries again. */
const RETRY_MS = 300;
const RETRIES = 20;

/** What settings change. */
export interface SettingsContext {
  readonly page: MeetingPage;
  /** Whether there is a page around: a link alone must not join, or lead away. */
  readonly isFramed: boolean;
  readonly setLanguage: (language: string) => Promise<void>;
}

type Value = string | null;
type Set = (settings: Settings, value: Value) => void;

const SETTERS: Readonly<Record<(typeof LIVE_ATTRIBUTES)[number], Set>> = {
  "participant-name": ({ context: { page } }, value) => {
    if (value && page.state.value.view !== "meeting") page.name.value = value;
  },
  "leave-redirect-url": () => {},
  lang: ({ context, isStarted }, value) => isStarted && void context.setLanguage(value ?? ""),
  theme: (_settings, value) => {
    document.documentElement.style.colorScheme = value === "light" || value === "dark" ? value : "";
  },
  camera: (settings, value) => settings.switch("camera", value),
  microphone: (settings, value) => settings.switch("microphone", value),
  "skip-prejoin": (settings) => settings.skipForm(),
  layout: ({ context: { page } }, value) => {
    if (value) setLayout(page, value);
  },
  hide: ({ context: { page } }, value) => hide(page, value ?? ""),
};

/** The settings of the page around, or of the link, as they are now. */
export class Settings {
  readonly context: SettingsContext;
  isStarted = false;
  readonly #values = new Map<string, Value>();
  readonly #isResumed: boolean;
  #retries = 0;

  constructor(context: SettingsContext, parameters: URLSearchParams) {
    this.context = context;
    this.#isResumed = parameters.has("resume");
    this.apply(Object.fromEntries(LIVE_ATTRIBUTES.map((name) => [name, parameters.get(name)])));
    this.isStarted = true;
    effect(() => {
      const { view } = context.page.state.value;
      const failed = context.page.error.value;
      untracked(() => (failed === "name_taken" ? this.#retry() : view === "prejoin" && !failed && this.skipForm()));
    });
  }

  value(name: string): Value {
    return this.#values.get(name) ?? null;
  }

  /** Takes over what has changed. What is not valid changes nothing. */
  apply(changes: Readonly<Record<string, unknown>>): void {
    for (const name of LIVE_ATTRIBUTES) {
      const value = changes[name];
      if (!(typeof value === "string" || value === null) || value === this.value(name)) continue;
      this.#values.set(name, value);
      try {
        SETTERS[name](this, value);
      } catch {
        // the attribute's value is unknown: what it would have set stays as it is
      }
    }
  }

  switch(kind: DeviceKind, value: Value): void {
    if (value !== "on" && value !== "off") return;
    const { page } = this.context;
    // a failure is told by an event
    if (this.isStarted) setDevice(page, kind, value === "on").catch(() => undefined);
    else page.devices[kind].on.value = value === "on";
  }

  /** Joins without the form, where there is a name. */
  skipForm(): void {
    const { page, isFramed } = this.context;
    const isWanted = isFramed && this.isStarted && this.value("skip-prejoin") !== null;
    if (isWanted && page.state.value.view === "prejoin" && page.name.value.trim()) void page.join();
  }

  #retry(): void {
    if (!this.#isResumed || this.#retries >= RETRIES) return;
    this.#retries += 1;
    setTimeout(() => this.skipForm(), RETRY_MS);
  }
}
