import type { FromPage } from "../../embed/src/names.ts";
import { COMMANDS, type CommandContext } from "./commands.ts";
import { type Failure, failureOf, HostError } from "./failure.ts";
import type { Trust } from "./trust.ts";

/** Events that wait for a page around that listens; one that never does costs no more than this. */
const WAITING_MAX = 500;

/** The part of a MessagePort that is used. */
export interface PortLike {
  onmessage: ((event: MessageEvent) => unknown) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** Who hears of events. */
export type Listener = (event: string, detail: unknown) => void;

type Message = Readonly<Record<string, unknown>>;
type Apply = (settings: Readonly<Record<string, unknown>>) => void;

/** The connection to the page around: its commands come in, events go out. */
export class Bridge {
  readonly #context: CommandContext;
  readonly #apply: Apply;
  #waiting: (readonly [string, unknown])[] = [];
  #listener: Listener | null = null;
  #port: PortLike | null = null;

  constructor(context: CommandContext, apply: Apply) {
    this.#context = context;
    this.#apply = apply;
  }

  /** Whether the element is there: it sends its page on by itself. */
  get hasPort(): boolean {
    return this.#port !== null;
  }

  /** Takes the port of a page around that is trusted; a later one replaces it. */
  connect(port: PortLike, trust: Trust): void {
    const post = (message: FromPage) => port.postMessage(message);
    this.#port?.close();
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent) => void this.#receive(data, trust, post);
    post({ welcome: true });
    this.listen((event, detail) => post({ event, detail }));
  }

  listen(listener: Listener): void {
    this.#listener = listener;
    for (const [event, detail] of this.#waiting.splice(0)) listener(event, detail);
  }

  emit(event: string, detail: unknown): void {
    if (this.#listener) this.#listener(event, detail);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push([event, detail]);
  }

  /** Runs a method for a page around. @throws HostError or AppError */
  async run(method: unknown, args: readonly unknown[], { isNamed }: Trust): Promise<unknown> {
    const command = typeof method === "string" && Object.hasOwn(COMMANDS, method) && COMMANDS[method as never];
    if (!command) throw new HostError("no_such_method");
    const { concernsOthers, run } = command as (typeof COMMANDS)["meetingEnd"];
    if (concernsOthers && !isNamed) throw new HostError("origin_not_named");
    return run(this.#context, ...args);
  }

  async #receive(data: unknown, trust: Trust, post: (message: FromPage) => void): Promise<void> {
    if (typeof data !== "object" || data === null) return;
    const { id, method, args, set } = data as Message;
    if (typeof set === "object" && set !== null) this.#apply(set as Message);
    if (typeof id !== "number") return;
    try {
      post({ id, result: await this.run(method, Array.isArray(args) ? args : [], trust) });
    } catch (error) {
      const failed: Failure = failureOf(error);
      post({ id, error: failed });
    }
  }
}
