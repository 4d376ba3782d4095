import { commandFor, eventsFor } from "../../embed/src/openvidu_names.ts";
import type { Bridge } from "./bridge.ts";
import { failureOf } from "./failure.ts";
import type { Trust } from "./trust.ts";

type Post = (message: unknown, origin: string) => void;

/** Pages that speak OpenVidu Meet's messages to a plain iframe: `{command, payload}` in, `{event, payload}` out. */
export class OpenViduMessages {
  readonly #bridge: Bridge;
  readonly #post: Post;
  #origin: string | null = null;

  constructor(bridge: Bridge, post: Post) {
    this.#bridge = bridge;
    this.#post = post;
  }

  /** Tells this origin of events from now on. The browser delivers them only if the page around is of that origin. */
  start(origin: string): void {
    if (this.#bridge.hasPort || this.#origin) return;
    this.#origin = origin;
    this.#post({ event: "ready", payload: {} }, origin);
    this.#bridge.listen((event, detail) => {
      for (const [name, payload] of eventsFor(event, detail)) this.#post({ event: name, payload }, origin);
    });
  }

  async receive(data: unknown, origin: string, trust: Trust): Promise<void> {
    const { command, payload } = (data ?? {}) as { readonly command?: unknown; readonly payload?: unknown };
    if (typeof command !== "string") return;
    this.start(origin);
    const call = commandFor(command, payload);
    if (!call) return;
    try {
      await this.#bridge.run(call.method, call.args, trust);
    } catch (error) {
      this.#post({ event: "error", payload: failureOf(error) }, origin);
    }
  }
}
