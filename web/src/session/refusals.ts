import { AppError, type Cause } from "../app_error.ts";

/** What of the page around this one decides about devices. */
export interface Surroundings {
  readonly isFramed: boolean;
  /** Whether the permissions policy passes a feature on; undefined where the browser does not tell. */
  readonly allows: (feature: string) => boolean | undefined;
}

interface PolicyLike {
  allowsFeature(feature: string): boolean;
}

/** Where this page is: by itself, or in the iframe of another one. */
export function surroundings(): Surroundings {
  if (typeof document === "undefined") return { isFramed: false, allows: () => undefined };
  const { featurePolicy } = document as Document & { readonly featurePolicy?: PolicyLike };
  return {
    isFramed: globalThis.self !== globalThis.top,
    allows: (feature) => featurePolicy?.allowsFeature(feature),
  };
}

/** A refusal that comes sooner than this was nobody's click. */
const TOO_SOON_FOR_A_CLICK_MS = 100;

/** Chromium's words where the system has refused (macOS and Windows have switches of their own). */
const BY_SYSTEM = /by system/i;

/** And where the user has closed its prompt. */
const BY_USER = /by user|dismissed/i;

/**
 * Why sharing a screen did not start.
 * @param elapsedMs since it was asked for
 * @returns null when the user closed the browser's prompt: that is not a failure.
 */
export function shareCause(error: unknown, elapsedMs: number, around: Surroundings = surroundings()): Cause | null {
  if (!(error instanceof Error) || error.name !== "NotAllowedError") return "share_failed";
  if (around.allows("display-capture") === false) return "share_blocked_by_page";
  if (BY_SYSTEM.test(error.message)) return "share_denied_by_system";
  if (BY_USER.test(error.message) || elapsedMs >= TOO_SOON_FOR_A_CLICK_MS) return null;
  // a browser that does not tell of policies, in an iframe: the attribute is what is missing
  return around.isFramed && around.allows("display-capture") === undefined ? "share_blocked_by_page" : "share_refused";
}

/** Who has refused a camera or microphone. */
export function denialCause(error: Error, kind: "camera" | "microphone", around: Surroundings = surroundings()): Cause {
  if (around.allows(kind) === false) return "device_blocked_by_page";
  return BY_SYSTEM.test(error.message) ? "device_denied_by_system" : "device_denied";
}

const CAUSE_BY_ERROR: Readonly<Record<string, Cause>> = {
  NotFoundError: "device_missing",
  OverconstrainedError: "device_missing",
  NotReadableError: "device_in_use",
  AbortError: "device_in_use",
};

const DENIALS: ReadonlySet<string> = new Set(["NotAllowedError", "SecurityError"]);

/** What a failed `getUserMedia` means for the user (Media Capture and Streams, section 10.2). */
export function deviceCause(error: unknown, kind: "camera" | "microphone"): Cause {
  if (error instanceof AppError) return error.code;
  if (!(error instanceof Error)) return "device_failed";
  return DENIALS.has(error.name) ? denialCause(error, kind) : (CAUSE_BY_ERROR[error.name] ?? "device_failed");
}
