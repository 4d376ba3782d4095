/** Everything that can go wrong for the user. The message for each is in `i18n`, in one table. */
export type Cause =
  // the link and the meeting
  | "no_link"
  | "link_not_valid"
  | "meeting_over"
  | "name_taken"
  | "name_not_valid"
  | "login_needed"
  | "too_many_tries"
  | "full"
  | "room_locked"
  | "lobby"
  | "lobby_refused"
  | "not_admitted"
  | "removed"
  | "joined_elsewhere"
  // the connection to the server
  | "server_unreachable"
  | "server_stopping"
  | "media_blocked"
  | "connection_lost"
  | "no_webrtc"
  | "unexpected"
  // devices
  | "device_denied"
  | "device_denied_by_system"
  | "device_blocked_by_page"
  | "device_missing"
  | "device_in_use"
  | "device_insecure"
  | "device_failed"
  | "background_failed"
  | "share_failed"
  | "share_refused"
  | "share_denied_by_system"
  | "share_blocked_by_page"
  // what was asked of others, or shown to them
  | "action_failed"
  // recording
  | "recording_off"
  | "recording_conflict"
  | "recording_failed"
  | "recording_gone"
  | "recording_running"
  | "recordings_unavailable"
  | "recording_unplayable";

/** A failure whose cause is known, so that it has a message for the user. */
export class AppError extends Error {
  readonly code: Cause;

  constructor(code: Cause, options?: ErrorOptions) {
    super(code, options);
    this.name = "AppError";
    this.code = code;
  }
}

export function causeOf(error: unknown): Cause {
  return error instanceof AppError ? error.code : "unexpected";
}

/** Causes after which the form stays open: they can be corrected in it, or are worth another try. */
const RECOVERABLE_IN_FORM: ReadonlySet<Cause> = new Set<Cause>([
  "name_taken",
  "name_not_valid",
  "too_many_tries",
  "server_unreachable",
  "server_stopping",
  "media_blocked",
  "full",
  "room_locked",
  "lobby",
  "unexpected",
]);

export function isRecoverableInForm(cause: Cause): boolean {
  return RECOVERABLE_IN_FORM.has(cause);
}

/** Causes after which trying the same link again makes no sense. */
const FINAL: ReadonlySet<Cause> = new Set<Cause>(["no_link", "link_not_valid", "meeting_over", "no_webrtc", "removed"]);

export function isFinal(cause: Cause): boolean {
  return FINAL.has(cause);
}
