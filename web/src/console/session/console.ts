import { computed, signal } from "@preact/signals-core";
import type { LoginSession } from "../api/login.ts";
import type { ConsoleServer } from "../api/server.ts";
import type { Appearance } from "../api/types.ts";
import { Action } from "./action.ts";
import { Clock } from "./clock.ts";
import { type ConsoleEvent, Events } from "./events.ts";
import { LiveRoom } from "./live_room.ts";
import { Notices } from "./notices.ts";
import { Recordings } from "./recordings.ts";
import { Rooms } from "./rooms.ts";
import type { Router } from "./router.ts";
import { ApiKeys, Settings } from "./settings.ts";

/** The console is shown after that as Tertulia's own: it does not change before the eyes. */
const BRAND_WAIT_MS = 1500;

/** Whose installation this is; both are empty where it is shown as Tertulia's. */
export type Brand = Pick<Appearance, "name" | "logo">;

type Stage = "opening" | "unreachable" | "login" | "welcome" | "ready";

/** What is kept of the first start in this browser. */
export interface WelcomeMemory {
  isDone(): boolean;
  markDone(): void;
}

/** The console's state: who is logged in, what is shown, and what the server tells meanwhile. */
export class Console {
  readonly stage = signal<Stage>("opening");
  readonly brand = signal<Brand>({ name: "", logo: "" });
  /** Whether a login has ended while the console was in use. */
  readonly sessionEnded = signal(false);
  readonly login = new Action();
  readonly password = new Action();
  readonly notices = new Notices();
  readonly clock = new Clock();
  readonly events: Events;
  readonly rooms: Rooms;
  readonly recordings: Recordings;
  readonly settings: Settings;
  readonly apiKeys: ApiKeys;
  readonly liveRoom = signal<LiveRoom | null>(null);
  /** Whether what is shown may be out of date. */
  readonly cutOff = computed(() => this.stage.value !== "login" && this.events.connected.value === false);
  readonly router: Router;
  readonly server: ConsoleServer;
  /** The password of this login, for as long as the first start is about to change it. */
  firstPassword = "";
  readonly #session: LoginSession;
  readonly #memory: WelcomeMemory;

  constructor(session: LoginSession, server: ConsoleServer, router: Router, memory: WelcomeMemory) {
    this.#session = session;
    this.server = server;
    this.router = router;
    this.#memory = memory;
    this.events = new Events((after, stop) => server.events(after, stop));
    this.rooms = new Rooms(server);
    this.recordings = new Recordings(server);
    this.settings = new Settings(server);
    this.apiKeys = new ApiKeys(server);
    this.events.listen((event) => this.#onEvent(event));
    this.settings.state.subscribe((settings) => {
      if (settings) this.#brandAs(settings.values.appearance);
    });
    session.loggedIn.subscribe((loggedIn) => {
      if (loggedIn === false) this.#close();
    });
  }

  /** Takes up an earlier login, or asks for one. */
  async open(): Promise<void> {
    this.stage.value = "opening";
    await this.server.appearance(AbortSignal.timeout(BRAND_WAIT_MS)).then(
      (look) => this.#brandAs(look),
      () => undefined,
    );
    try {
      await this.#session.resume();
    } catch {
      this.stage.value = "unreachable";
      return;
    }
    if (this.#session.loggedIn.value) await this.#enter();
  }

  async logIn(username: string, password: string): Promise<void> {
    const done = await this.login.run(() => this.#session.logIn(username, password));
    if (!done) return;
    this.sessionEnded.value = false;
    this.firstPassword = password;
    await this.#enter();
  }

  async logOut(): Promise<void> {
    this.sessionEnded.value = false;
    this.stage.value = "login";
    await this.#session.logOut();
  }

  changePassword(current: string, next: string): Promise<boolean> {
    return this.password.run(async () => {
      await this.server.changePassword(current, next);
      // other logins have ended; this one goes on with the new password
    });
  }

  endWelcome(): void {
    this.#memory.markDone();
    this.firstPassword = "";
    this.stage.value = "ready";
  }

  /** Shows a room, and follows what happens in it until another is shown. */
  showRoom(name: string | null): void {
    if (this.liveRoom.peek()?.name === name) return;
    this.liveRoom.peek()?.close();
    this.liveRoom.value = name === null ? null : new LiveRoom(this.server, name);
    void this.liveRoom.peek()?.refresh();
  }

  #brandAs({ name = "", logo = "" }: Partial<Appearance>): void {
    this.brand.value = { name, logo };
  }

  async #enter(): Promise<void> {
    this.stage.value = (await this.#isFirstStart()) ? "welcome" : "ready";
    if (this.stage.value === "ready") this.firstPassword = "";
    void this.events.run();
    // what new rooms are like
    void this.settings.refresh();
  }

  async #isFirstStart(): Promise<boolean> {
    if (this.#memory.isDone()) return false;
    const first = { search: "", sort: "created", order: "desc", live: false } as const;
    return this.server.rooms(first, null, 1).then(
      ({ items }) => items.length === 0,
      () => false,
    );
  }

  #close(): void {
    this.events.stop();
    if (this.stage.peek() === "ready" || this.stage.peek() === "welcome") this.sessionEnded.value = true;
    this.stage.value = "login";
  }

  #onEvent(event: ConsoleEvent): void {
    if (event.name === "ready") {
      if (event.data.resumed === false) this.#refreshShown();
    } else if (event.name === "sessionEnded") {
      this.#session.loggedIn.value = false;
    } else {
      for (const part of [this.rooms, this.recordings, this.settings, this.apiKeys]) part.onEvent(event);
      this.liveRoom.peek()?.onEvent(event);
    }
  }

  /** What is shown is old: the stream has begun, or has missed something. */
  #refreshShown(): void {
    const shown: Record<string, () => unknown> = {
      rooms: () => this.liveRoom.peek()?.refresh() ?? this.rooms.list.refresh(),
      recordings: () => this.recordings.refresh(),
      settings: () => [this.settings.refresh(), this.apiKeys.refresh()],
    };
    shown[this.router.route.peek().section]?.();
  }
}
