import {
  type ApiError,
  apiError,
  ConnectionFailed,
  NotFound,
  TertuliaError,
  TimedOut,
  UnexpectedAnswer,
} from "./errors.ts";

const BASE_PATH = "/meet/api/v1";
const FIRST_WAIT_S = 0.2;
const MAX_WAIT_S = 5;
const MAX_RETRY_AFTER_S = 60;
const UNAVAILABLE = new Set([502, 503, 504]);

/** Where the server is, and how patient its client is. */
export interface Settings {
  readonly url: string;
  readonly apiKey: string;
  /** For one attempt; 30 by default. */
  readonly timeoutS?: number;
  /** How often a request is sent again; 3 by default. */
  readonly retries?: number;
  /** In place of the platform's own `fetch`. */
  readonly fetch?: typeof fetch;
}

/** Options of one call. */
export interface CallOptions {
  /** Ends the call, also while it waits for the next attempt. */
  readonly signal?: AbortSignal;
  /** For what creates something: the same key again creates nothing twice. By default each call has a new one. */
  readonly idempotencyKey?: string;
  /** For a stream: which bytes, as in `bytes=100-`. */
  readonly range?: string;
}

/** Options of a list. */
export interface PageOptions extends CallOptions {
  /** Items of one page, 1 to 100. */
  readonly pageSize?: number;
}

interface Request extends CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly keyed?: boolean;
  readonly isStream?: boolean;
}

interface Answer {
  readonly response: Response;
  /** The body, unless it is a stream. */
  readonly text: string;
}

/** Sends calls, again where that does no harm. */
export class Caller {
  readonly #settings: Required<Settings>;

  constructor({ timeoutS = 30, retries = 3, fetch = globalThis.fetch, url, apiKey }: Settings) {
    if (!/^https?:\/\//.test(url ?? ""))
      throw new TypeError("url: the server's address, as in https://meet.example.com");
    if (!apiKey) throw new TypeError("apiKey: the key that the server's first start printed");
    const origin = url.replace(/\/+$/, "").replace(BASE_PATH, "");
    this.#settings = { timeoutS, retries, fetch: fetch.bind(globalThis), url: origin, apiKey };
  }

  /** Sends a call and reads its result. */
  async call<T>(method: string, path: string, request: Request): Promise<T> {
    const { response, text } = await this.#send(method, path, request);
    return (response.status === 204 || response.status === 404 ? undefined : json(text)) as T;
  }

  /** Yields the items of a list, page after page. */
  async *pages<T>(
    method: string,
    path: string,
    { pageSize = 100, ...call }: PageOptions,
  ): AsyncGenerator<T, void, undefined> {
    let query: Record<string, string> | undefined = { maxItems: String(pageSize) };
    while (query) {
      const { response, text }: Answer = await this.#send(method, path, { ...call, query });
      const items = json(text);
      if (!Array.isArray(items)) throw new UnexpectedAnswer("the server's answer is not a list");
      yield* items;
      const token = response.headers.get("x-next-page-token");
      query = token === null ? undefined : { ...query, nextPageToken: token };
    }
  }

  /** Answers with the response itself. A bucket that the server names is asked without our key. */
  async stream(method: string, path: string, call: CallOptions): Promise<Response> {
    const { response } = await this.#send(method, path, { ...call, isStream: true });
    const where = response.headers.get("location");
    if (response.status < 300 || where === null) return response;
    const { range, signal } = call;
    const there = await this.#settings.fetch(where, {
      ...(range && { headers: { range } }),
      ...(signal && { signal }),
    });
    if (!there.ok) throw apiError(there.status, {});
    return there;
  }

  /** Returns a part of a path. */
  segment(value: string): string {
    if (["", ".", ".."].includes(value)) throw new TypeError(`${JSON.stringify(value)} cannot be part of an address`);
    return encodeURIComponent(value);
  }

  async #send(method: string, path: string, request: Request): Promise<Answer> {
    const { url, retries } = this.#settings;
    const address = new URL(`${url}${BASE_PATH}${path}`);
    address.search = new URLSearchParams(request.query).toString();
    const headers = this.#headers(request);
    const isRepeatable = method !== "POST" || request.keyed === true;
    let mayBeDone = false;
    for (let made = 1; ; made++) {
      let waitS = backoffS(made);
      try {
        const answer = await this.#attempt(address, method, headers, request);
        const { ok, status, headers: got } = answer.response;
        if (ok || (request.isStream && isRedirect(status) && got.has("location"))) return answer;
        const error = errorOf(answer);
        // an attempt whose answer was lost has deleted it
        if (error instanceof NotFound && mayBeDone && method === "DELETE") return answer;
        waitS = error.retryAfterS ?? waitS;
        // a 429 comes before anything was done
        const mayRepeat = error.status === 429 || (UNAVAILABLE.has(error.status) && isRepeatable);
        if (!mayRepeat || made > retries || waitS > MAX_RETRY_AFTER_S) throw error;
      } catch (error) {
        if (error instanceof TertuliaError && !(error instanceof ConnectionFailed)) throw error;
        request.signal?.throwIfAborted();
        if (!(isRepeatable || wasNotSent(error)) || made > retries) throw error;
        mayBeDone ||= !wasNotSent(error);
      }
      await wait(waitS, request.signal);
    }
  }

  async #attempt(address: URL, method: string, headers: HeadersInit, request: Request): Promise<Answer> {
    const { timeoutS, fetch, url } = this.#settings;
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(new DOMException("", "TimeoutError")), timeoutS * 1000);
    const end = () => ending.abort(request.signal?.reason);
    request.signal?.addEventListener("abort", end, { once: true });
    try {
      request.signal?.throwIfAborted();
      const body = request.body ? { body: JSON.stringify(request.body, asJson) } : {};
      // our key follows no redirect, and cookies would change who asks
      const how = { redirect: "manual", credentials: "omit", cache: "no-store" } as const;
      const response = await fetch(address, { method, headers, ...body, ...how, signal: ending.signal });
      return { response, text: request.isStream && response.ok ? "" : await response.text() };
    } catch (cause) {
      if (request.signal?.aborted) throw cause;
      if (ending.signal.aborted) throw new TimedOut(`${url} did not answer in time`, { cause });
      throw new ConnectionFailed(`${url} cannot be reached`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #headers({ body, keyed, idempotencyKey, range }: Request): Record<string, string> {
    return {
      "x-api-key": this.#settings.apiKey,
      ...(body && { "content-type": "application/json" }),
      ...(keyed && { "idempotency-key": idempotencyKey ?? newKey() }),
      ...(range && { range }),
    };
  }
}

function asJson(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const own = this[name]; // a Date is a text already
  return own instanceof Date ? own.getTime() : value;
}

function newKey(): string {
  // unique, not secret: keys of others do not count. Node 18 has no global `crypto`, and browsers no randomUUID over http
  const parts = Array.from({ length: 4 }, () => Math.random().toString(36).slice(2, 10));
  return [Date.now().toString(36), ...parts].join("-");
}

function backoffS(made: number): number {
  const longest = Math.min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** made);
  return (longest * (1 + Math.random())) / 2;
}

/** Tells that no connection was made: undici puts the system's error into `cause`; browsers do not tell. */
function wasNotSent(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (
      "code" in each &&
      ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(String(each.code))
    )
      return true;
  }
  return false;
}

function wait(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", end, { once: true });
  });
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

function errorOf({ response, text }: Answer): ApiError {
  if (response.type === "opaqueredirect" || isRedirect(response.status)) {
    throw new UnexpectedAnswer("the server redirects: give the address that it redirects to");
  }
  const after = response.headers.get("retry-after") ?? "";
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return apiError(response.status, isJson ? json(text) : {}, /^\d+$/.test(after) ? Number(after) : undefined);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnexpectedAnswer("the server's answer is not JSON: is this a Tertulia server?", { cause });
  }
}
