import type { components } from "./schema.d.ts";

/** What a participant is in a room. The server decides what a role may do; the page only hides what it would refuse. */
export type Role = components["schemas"]["Role"];

/** The part of a participant's access token that the page reads. The media server checks the token; the page does not. */
export interface Claims {
  readonly livekitUrl: string;
  readonly role: Role;
}

const ROLES: readonly string[] = ["moderator", "publisher", "viewer"] satisfies Role[];

/**
 * Reads the `metadata` claim of a LiveKit access token: a JSON string `{"livekitUrl", "role"}`.
 * @throws TypeError when the token is not of that form.
 */
export function readClaims(token: string): Claims {
  const payload = asObject(token.split(".")[1] ?? "", decodeBase64Url);
  const metadata = asObject(payload.metadata, String);
  if (typeof metadata.livekitUrl !== "string" || !isRole(metadata.role)) {
    throw new TypeError("the token has no server URL or role");
  }
  return { livekitUrl: metadata.livekitUrl, role: metadata.role };
}

/** Whose token it is; empty where it cannot be read. */
export function identityOf(token: string): string {
  try {
    const { sub } = asObject(token.split(".")[1] ?? "", decodeBase64Url);
    return typeof sub === "string" ? sub : "";
  } catch {
    return "";
  }
}

export function isRole(value: unknown): value is Role {
  return typeof value === "string" && ROLES.includes(value);
}

function asObject(value: unknown, decode: (text: string) => string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(decode(String(value)));
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new TypeError("the token cannot be read", { cause });
  }
  throw new TypeError("the token does not hold an object");
}

function decodeBase64Url(text: string): string {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
