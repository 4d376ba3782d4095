import { signal } from "@preact/signals-core";
import type { LoginSession } from "../../src/console/api/login.ts";
import type { ConsoleServer } from "../../src/console/api/server.ts";
import { Console } from "../../src/console/session/console.ts";
import { Router } from "../../src/console/session/router.ts";

const NO_SETTINGS = { values: { appearance: {} }, stored: [], settings: [] };

/** A server that notes what it is asked, and answers what the test has put there; an empty list otherwise. */
export class FakeServer {
  readonly asked: string[] = [];
  readonly answers: Record<string, unknown> = { appearance: {}, settings: NO_SETTINGS };
  readonly refusals: Record<string, Error> = {};
  #write: (text: string) => void = () => {};

  get asServer(): ConsoleServer {
    return new Proxy({} as ConsoleServer, {
      get:
        (_target, name) =>
        (...args: unknown[]) =>
          name === "events" ? this.#stream() : this.#answer(String(name), args),
    });
  }

  /** Tells the console an event. */
  tell(name: string, data: object = {}): void {
    this.#write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #answer(name: string, args: unknown[]): Promise<unknown> {
    this.asked.push([name, ...args.filter((one) => typeof one === "string")].join(" "));
    if (this.refusals[name]) throw this.refusals[name];
    return name in this.answers ? this.answers[name] : { items: [], next: null };
  }

  async #stream(): Promise<ReadableStream<string>> {
    return new ReadableStream({
      start: (controller) => {
        this.#write = (text) => controller.enqueue(text);
      },
    });
  }
}

export function fakeSession() {
  const loggedIn = signal<boolean | null>(null);
  const session = {
    loggedIn,
    resume: async () => {
      loggedIn.value = false;
    },
    logIn: async () => {
      loggedIn.value = true;
    },
    logOut: async () => {
      loggedIn.value = false;
    },
  };
  return { loggedIn, session: session as unknown as LoginSession };
}

export function fakeConsole(server = new FakeServer(), welcomed = true) {
  const { loggedIn, session } = fakeSession();
  const place = { hash: "" };
  const router = new Router(place, { addEventListener: () => {} });
  const memory = {
    done: welcomed,
    isDone: () => memory.done,
    markDone: () => {
      memory.done = true;
    },
  };
  return { server, loggedIn, memory, console: new Console(session, server.asServer, router, memory) };
}
