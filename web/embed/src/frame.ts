/** What a plain iframe of the meeting should allow too. */
export const ALLOW = [
  "camera",
  "microphone",
  "display-capture",
  "autoplay",
  "fullscreen",
  "picture-in-picture",
  "clipboard-write",
  "screen-wake-lock",
].join("; ");

/** An address that may be opened: http or https, and nothing that runs in the page itself. */
export function webUrl(address: string | null): URL | null {
  try {
    const url = new URL(address ?? "", document.baseURI);
    return address && /^https?:$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The page of ours that shows what the attributes ask for; the settings stand where no server sees them. */
export function pageUrl(settings: Readonly<Record<string, string | null>>): URL | null {
  const recording = webUrl(settings["recording-url"] ?? null);
  const url = recording ? new URL("/meet/v1/recording", recording) : webUrl(settings["room-url"] ?? null);
  if (!url) return null;
  const given = Object.entries(settings).flatMap(([name, value]) =>
    value === null || name === "room-url" ? [] : [[name, value]],
  );
  url.hash = new URLSearchParams(given).toString();
  return url;
}

export function frameFor(url: URL, onLoad: (page: Window) => void): HTMLIFrameElement {
  const frame = document.createElement("iframe");
  frame.allow = ALLOW;
  frame.title = document.title;
  frame.addEventListener("load", () => frame.contentWindow && onLoad(frame.contentWindow));
  frame.src = url.href;
  return frame;
}
