import { signal } from "@preact/signals-core";
import { BASE_PATH } from "../../api/client.ts";
import { Refusal, refusalOf } from "./refusal.ts";

type Fetch = (request: Request) => Promise<Response>;

/** What several tabs of one browser share: only one of them may use a refresh token, and once. */
type Locks = Pick<LockManager, "request"> | undefined;

/**
 * The administrator's login: the access token is held in memory and sent as bearer, and is renewed by the refresh
 * cookie, which no script can read. After a reload there is no token until the first renewal.
 */
export class LoginSession {
  /** Whether the server accepts us; null before it was asked. */
  readonly loggedIn = signal<boolean | null>(null);
  readonly #origin: string;
  readonly #fetch: Fetch;
  readonly #locks: Locks;
  #token: string | null = null;
  #renewing: Promise<boolean> | null = null;

  constructor(origin: string, fetch: Fetch, locks: Locks) {
    this.#origin = origin;
    this.#fetch = fetch;
    this.#locks = locks;
  }

  /** Takes up the login that an earlier page of this browser has left. @throws Refusal `offline` */
  async resume(): Promise<void> {
    this.loggedIn.value = await this.#renew(null);
  }

  /** @throws Refusal `unauthenticated`, `too_many_attempts`, `offline` */
  async logIn(username: string, password: string): Promise<void> {
    const response = await this.#post("login", { username, password });
    if (!response.ok) throw refusalOf(await bodyOf(response), response);
    await this.#keep(response);
    this.loggedIn.value = true;
  }

  async logOut(): Promise<void> {
    const headers = this.#headers();
    this.#token = null;
    // whatever comes of it, nothing more is done with this login here
    await this.#post("logout", undefined, headers).catch(() => undefined);
    this.loggedIn.value = false;
  }

  /**
   * Sends a request of ours, with a new token where the old one has run out.
   * @throws Refusal `offline`, `session_ended`
   */
  async send(request: Request): Promise<Response> {
    const again = request.clone();
    const used = this.#token;
    const response = await this.#try(request);
    if (response.status !== 401) return response;
    if (!(await this.#renew(used))) {
      this.loggedIn.value = false;
      throw new Refusal("session_ended", 401);
    }
    return this.#try(again);
  }

  async #try(request: Request): Promise<Response> {
    if (this.#token) request.headers.set("authorization", `Bearer ${this.#token}`);
    try {
      return await this.#fetch(request);
    } catch (cause) {
      if (request.signal.aborted) throw cause;
      throw new Refusal("offline");
    }
  }

  /** @param used the token that was refused; null where there was none */
  #renew(used: string | null): Promise<boolean> {
    if (this.#token !== null && this.#token !== used) return Promise.resolve(true);
    this.#renewing ??= this.#renewAlone().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewAlone(): Promise<boolean> {
    // a refresh token that is used twice ends the session: tabs that wake up together go one after the other
    const renew = async () => {
      const response = await this.#post("refresh");
      if (response.ok) await this.#keep(response);
      else this.#token = null;
      if (response.status >= 500) throw refusalOf(await bodyOf(response), response);
      return response.ok;
    };
    return this.#locks ? await this.#locks.request("tertulia.console.refresh", renew) : await renew();
  }

  async #keep(response: Response): Promise<void> {
    const body = (await bodyOf(response)) as { accessToken?: unknown } | null;
    this.#token = typeof body?.accessToken === "string" ? body.accessToken : null;
  }

  #headers(): Record<string, string> {
    return this.#token ? { authorization: `Bearer ${this.#token}` } : {};
  }

  #post(what: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const request = new Request(`${this.#origin}${BASE_PATH}/auth/${what}`, {
      method: "POST",
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return this.#fetch(request).catch(() => {
      throw new Refusal("offline");
    });
  }
}

async function bodyOf(response: Response): Promise<unknown> {
  return response.json().catch(() => null);
}
