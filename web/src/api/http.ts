import { type Cause, Trouble } from "../trouble.ts";

export interface Ask {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly bearer?: string | null;
  /** What each refusal means here. */
  readonly causes: Readonly<Record<number, Cause>>;
}

/** Asks our own server. @returns the decoded body, empty where there is none. @throws Trouble */
export type Http = (ask: Ask) => Promise<unknown>;

export const BASE_PATH = "/meet/internal-api/v1";

export function httpOver(fetch: typeof globalThis.fetch): Http {
  return async ({ method, path, body, bearer, causes }) => {
    const headers: Record<string, string> = {};
    if (body) headers["content-type"] = "application/json";
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    const request: RequestInit = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await fetch(BASE_PATH + path, request).catch((cause: unknown) => {
      throw new Trouble("server_unreachable", { cause });
    });
    if (!response.ok) throw new Trouble(causes[response.status] ?? "unexpected");
    if (response.status === 204) return {};
    return response.json().catch((cause: unknown) => {
      throw new Trouble("unexpected", { cause });
    });
  };
}

/** One field of a body that is not known to be anything yet. */
export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}
