import type { MeetingLink } from "../api/participants.ts";

/** Reads `/meet/<roomName>/?secret=<secret>`. What is missing is empty: the server answers that the link is not valid. */
export function parseMeetingLink({ pathname, search }: Pick<Location, "pathname" | "search">): MeetingLink {
  const encoded = /\/meet\/([^/]+)/.exec(pathname)?.[1] ?? "";
  return { roomName: decoded(encoded), secret: new URLSearchParams(search).get("secret") ?? "" };
}

function decoded(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
