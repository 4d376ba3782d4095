/** One address a line. */
export function originsOf(lines: string): string[] {
  return lines
    .split(/\s+/)
    .map((line) => line.trim().replace(/\/$/, ""))
    .filter(Boolean);
}

/** The first line that is not the address of a site; null where all are. */
export function badOriginIn(lines: string): string | null {
  return originsOf(lines).find((one) => one !== "*" && !isOrigin(one)) ?? null;
}

function isOrigin(text: string): boolean {
  try {
    const url = new URL(text);
    return (url.protocol === "https:" || url.protocol === "http:") && url.origin === text.toLowerCase();
  } catch {
    return false;
  }
}
