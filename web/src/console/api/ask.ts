import { BASE_PATH } from "../../api/client.ts";
import type { LoginSession } from "./login.ts";
import { refusalOf } from "./refusal.ts";
import type { Page } from "./types.ts";

type Query = Readonly<Record<string, string | number | undefined | null>>;

interface Asked {
  /** What is empty is left out. */
  readonly query?: Query;
  readonly body?: unknown;
  /** Another base path than the internal API's. */
  readonly base?: string;
  readonly signal?: AbortSignal;
}

/** Sends requests as the administrator who is logged in. */
export class Asker {
  readonly #origin: string;
  readonly #login: LoginSession;

  constructor(origin: string, login: LoginSession) {
    this.#origin = origin;
    this.#login = login;
  }

  /** The body of an answer; undefined where there is none. @throws Refusal */
  async ask<T = void>(method: string, path: string, asked: Asked = {}): Promise<T> {
    return (await read(await this.#send(method, path, asked))) as T;
  }

  /** A page of a list, and the token of the next one. @throws Refusal */
  async page<T>(path: string, query: Query): Promise<Page<T>> {
    const response = await this.#send("GET", path, { query });
    return { items: (await read(response)) as T[], next: response.headers.get("x-next-page-token") };
  }

  /** The text of a stream, as it comes. @throws Refusal */
  async stream(path: string, asked: Asked): Promise<ReadableStream<string>> {
    const response = await this.#send("GET", path, asked);
    if (!response.ok || !response.body) throw refusalOf(await json(response), response);
    return response.body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array<ArrayBuffer>>);
  }

  #send(method: string, path: string, { query = {}, body, base = BASE_PATH, signal }: Asked): Promise<Response> {
    const given = Object.entries(query).flatMap(([name, value]) =>
      value === undefined || value === null || value === "" ? [] : [[name, String(value)]],
    );
    const search = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
    const request = new Request(`${this.#origin}${base}${path}${search}`, {
      method,
      ...(signal && { signal }),
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    return this.#login.send(request);
  }
}

async function read(response: Response): Promise<unknown> {
  const body = response.status === 204 ? undefined : await json(response);
  if (!response.ok) throw refusalOf(body, response);
  return body;
}

async function json(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}
