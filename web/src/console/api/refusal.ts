/** Why a request came to nothing: a code of the server's, or one of ours where the server has not answered. */
export class Refusal extends Error {
  /** The server's stable code; `offline` where it cannot be reached, `session_ended` where the login has ended. */
  readonly code: string;
  readonly status: number;
  /** What is wrong with which field of what was sent. */
  readonly fields: ReadonlyMap<string, string>;
  readonly retryAfterS: number | null;

  constructor(code: string, status = 0, more: Partial<Pick<Refusal, "message" | "fields" | "retryAfterS">> = {}) {
    super(more.message ?? code);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
    this.fields = more.fields ?? new Map();
    this.retryAfterS = more.retryAfterS ?? null;
  }
}

export function refusalFrom(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal("unexpected");
}

/** Reads the body of an error (decisions, “Both APIs”). */
export function refusalOf(body: unknown, response: Response): Refusal {
  const { code, message, details } = isRecord(body) ? body : {};
  const fields = Array.isArray(details) ? details.filter(isRecord) : [];
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new Refusal(typeof code === "string" ? code : "unexpected", response.status, {
    message: typeof message === "string" ? message : "",
    fields: new Map(fields.map((one) => [String(one.field), String(one.message)])),
    retryAfterS: Number.isNaN(retryAfter) ? null : retryAfter,
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
