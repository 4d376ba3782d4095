import { signal } from "@preact/signals-core";

/** An event of the server's stream: what happened, and to what. */
export interface ConsoleEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

type Open = (lastEventId: string, signal: AbortSignal) => Promise<ReadableStream<string>>;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** The server says something every 15 s; a connection that is silent for longer has died unnoticed. */
const SILENCE_MS = 40_000;

/**
 * The one stream of what changes on the server. It is opened again after a break, from the last event on, so that
 * nothing is missed and nothing is polled for.
 */
export class Events {
  /** Whether the stream is open; null before the first try. */
  readonly connected = signal<boolean | null>(null);
  readonly #open: Open;
  readonly #listeners = new Set<(event: ConsoleEvent) => void>();
  #lastEventId = "";
  #abort: AbortController | null = null;
  #wake: (() => void) | null = null;

  constructor(open: Open) {
    this.#open = open;
  }

  /** Returns what ends it. */
  listen(listener: (event: ConsoleEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Reads until `stop`. */
  async run(): Promise<void> {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    let waitMs = FIRST_WAIT_MS;
    while (!abort.signal.aborted) {
      const opened = await this.#read(abort.signal).catch(() => false);
      if (abort.signal.aborted) return;
      this.connected.value = false;
      waitMs = opened ? FIRST_WAIT_MS : Math.min(waitMs * 2, LONGEST_WAIT_MS);
      await this.#pause(waitMs);
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#lastEventId = "";
    this.connected.value = null;
    this.retry();
  }

  /** Tries again at once. */
  retry(): void {
    this.#wake?.();
  }

  /** Returns whether it was open before it ended. */
  async #read(stop: AbortSignal): Promise<boolean> {
    const silence = new AbortController();
    const stream = await this.#open(this.#lastEventId, AbortSignal.any([stop, silence.signal]));
    const reader = stream.getReader();
    this.connected.value = true;
    const parser = new EventParser();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return true;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const event of parser.parse(value)) this.#tell(event);
        this.#lastEventId = parser.lastEventId || this.#lastEventId;
      }
    } catch {
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(event: ConsoleEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Reads `text/event-stream` (WHATWG HTML, section 9.2.6), in pieces of any size. */
export class EventParser {
  lastEventId = "";
  #rest = "";
  #name = "";
  #data: string[] = [];

  parse(piece: string): ConsoleEvent[] {
    const lines = (this.#rest + piece).split(/\r\n|\n/);
    this.#rest = lines.pop() ?? "";
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ConsoleEvent[] {
    if (line === "") return this.#dispatch();
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (field === "event") this.#name = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id") this.lastEventId = value;
    return [];
  }

  #dispatch(): ConsoleEvent[] {
    const [name, text] = [this.#name, this.#data.join("\n")];
    this.#name = "";
    this.#data = [];
    if (text === "") return [];
    try {
      return [{ name: name || "message", data: JSON.parse(text) as Record<string, unknown> }];
    } catch {
      return [];
    }
  }
}
