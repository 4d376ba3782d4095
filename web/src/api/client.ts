import createClient, { type Client } from "openapi-fetch";
import { AppError, type Cause } from "../app_error.ts";
import type { paths } from "./schema.d.ts";

export const BASE_PATH = "/meet/internal-api/v1";

/** Our server's internal API; paths, parameters and bodies have the types of its document. */
export type ApiClient = Client<paths>;

/** What each refusal means to the user, by its code or else by its HTTP status. */
export type Causes = Readonly<Partial<Record<number | string, Cause>>>;

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

export function apiClient(origin: string, fetch: typeof globalThis.fetch): ApiClient {
  return createClient<paths>({
    baseUrl: origin + BASE_PATH,
    fetch: (request) =>
      fetch(request).catch((cause: unknown) => {
        throw new AppError("server_unreachable", { cause });
      }),
  });
}

/** The body of an answer. @throws AppError */
export async function answerOf<T>(asked: Promise<Answer<T>>, causes: Causes): Promise<T | undefined> {
  const { data, error, response } = await asked.catch((cause: unknown) => {
    throw cause instanceof AppError ? cause : new AppError("unexpected", { cause });
  });
  if (!response.ok) throw new AppError(causeOf(error, response.status, causes));
  return data;
}

function causeOf(error: unknown, status: number, causes: Causes): Cause {
  const code = codeOf(error);
  return (Object.hasOwn(causes, code) ? causes[code] : causes[status]) ?? "unexpected";
}

/** The stable code of a refusal; empty where something else than our server has answered. */
function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : "";
  return typeof code === "string" ? code : "";
}

export function bearer(token: string | null): { readonly authorization?: string } {
  return token ? { authorization: `Bearer ${token}` } : {};
}
