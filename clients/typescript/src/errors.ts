/** Base of all errors of this library. */
export class TertuliaError extends Error {
  override readonly name: string = "TertuliaError";
}

/** No answer came, also not after all retries; `cause` says why. */
export class ConnectionFailed extends TertuliaError {
  override readonly name: string = "ConnectionFailed";
}

/** The server did not answer in time. */
export class TimedOut extends ConnectionFailed {
  override readonly name = "TimedOut";
}

/** An answer that is none of this API's: is the address that of a Tertulia server? */
export class UnexpectedAnswer extends TertuliaError {
  override readonly name = "UnexpectedAnswer";
}

/** What is wrong with one field of a request. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

interface Problem {
  readonly code?: string;
  readonly message?: string;
  readonly requestId?: string;
  readonly details?: readonly Partial<FieldProblem>[];
}

/**
 * A refused request. `code` is for programs and stable (`room_not_found`), `requestId` is what the server's log has as
 * well, `retryAfterS` says after how many seconds to try again.
 */
export class ApiError extends TertuliaError {
  override readonly name: string = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly requestId: string | undefined;
  readonly details: readonly FieldProblem[];
  readonly retryAfterS: number | undefined;

  constructor(status: number, body: Problem, retryAfterS?: number) {
    const code = body.code ?? `http_${status}`;
    const details = (body.details ?? []).map(({ field = "", message = "" }) => ({ field, message }));
    const fields = details.map(({ field, message }) => `; ${field}: ${message}`).join("");
    super(`${body.message ?? "The request was refused"} (${code})${fields}`);
    this.status = status;
    this.code = code;
    this.requestId = body.requestId;
    this.details = details;
    this.retryAfterS = retryAfterS;
  }
}

/** A request that the server cannot read, or a field that is wrong: see `details`. */
export class InvalidRequest extends ApiError {
  override readonly name = "InvalidRequest";
}
/** The API key is missing or wrong. */
export class Unauthenticated extends ApiError {
  override readonly name = "Unauthenticated";
}
/** The credential may not do this. */
export class Forbidden extends ApiError {
  override readonly name = "Forbidden";
}
/** There is no such room, participant or recording, or not any more. */
export class NotFound extends ApiError {
  override readonly name = "NotFound";
}
/** The state does not allow it: already recording, nobody in the room. */
export class Conflict extends ApiError {
  override readonly name = "Conflict";
}
/** Too many requests. */
export class TooManyRequests extends ApiError {
  override readonly name = "TooManyRequests";
}
/** A part of the installation cannot do it right now. */
export class Unavailable extends ApiError {
  override readonly name = "Unavailable";
}
/** A defect of the server; its log has the reason under `requestId`. */
export class ServerError extends ApiError {
  override readonly name = "ServerError";
}

type ApiErrorClass = new (status: number, body: Problem, retryAfterS?: number) => ApiError;

const BY_STATUS: Readonly<Record<number, ApiErrorClass>> = {
  400: InvalidRequest,
  401: Unauthenticated,
  403: Forbidden,
  404: NotFound,
  409: Conflict,
  413: InvalidRequest,
  415: InvalidRequest,
  422: InvalidRequest,
  429: TooManyRequests,
  502: Unavailable,
  503: Unavailable,
  504: Unavailable,
};

/** Makes the error of an answer; `body` is its JSON, or what else there was. */
export function apiError(status: number, body: unknown, retryAfterS?: number): ApiError {
  const kind = BY_STATUS[status] ?? (status >= 500 ? ServerError : ApiError);
  return new kind(status, typeof body === "object" && body !== null ? body : {}, retryAfterS);
}
