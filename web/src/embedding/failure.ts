import { AppError, type Cause } from "../app_error.ts";
import { text } from "../i18n/index.ts";

/** Failures that only those read who embed the page: in English, beside the user's in `app_error.ts`. */
const WORDS = {
  bad_argument: "An argument is missing, or is not of the type that the method takes.",
  cancelled: "The user has closed the browser's question.",
  needs_click: "Browsers share a screen only after a click: call this in a click's handler, or let the user press it.",
  no_such_method: "The meeting has no method of that name.",
  not_allowed: "The user's role, or the room, does not allow this.",
  not_found: "There is no participant, device or picture of that name.",
  not_in_meeting: "The user is not in the meeting.",
  not_supported: "This is not available in this browser or on this server.",
  origin_not_named:
    "What concerns others is only done for pages whose origin is in the server's TERTULIA_EMBED_ORIGINS: * is not enough.",
} as const;

export type HostCause = keyof typeof WORDS;

/** A method of the page around this one that fails, and why. */
export class HostError extends Error {
  readonly code: HostCause | Cause;

  constructor(code: HostCause | Cause) {
    super(code);
    this.code = code;
  }
}

export interface Failure {
  readonly cause: string;
  readonly message: string;
}

/** What the page around is told of a failure. */
export function failureOf(error: unknown): Failure {
  if (error instanceof HostError || error instanceof AppError) return failureBy(error.code);
  return failureBy("unexpected");
}

export function failureBy(cause: HostCause | Cause): Failure {
  if (cause in WORDS) return { cause, message: WORDS[cause as HostCause] };
  const { title, advice } = text.errors[cause as Cause];
  return { cause, message: `${title}. ${advice}` };
}
