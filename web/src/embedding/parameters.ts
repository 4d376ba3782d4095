/** What a link says besides its room and secret: in its query, or behind the #, which no server sees. */
export function parametersOf({ search, hash }: Pick<Location, "search" | "hash">): URLSearchParams {
  return new URLSearchParams(`${search.slice(1)}&${hash.slice(1)}`);
}

const OF_EVERY_LINK: ReadonlySet<string> = new Set(["secret", "lang"]);

/** Whether the code for embedding is needed: in an iframe, or where a link says more than usual. */
export function isEmbedded(parameters: URLSearchParams): boolean {
  return window.parent !== window || [...parameters.keys()].some((name) => !OF_EVERY_LINK.has(name));
}

const EARLY_MAX = 100;

/** Keeps what the page around says before the code that listens is loaded. */
export function earlyMessages(): readonly MessageEvent[] {
  const early: MessageEvent[] = [];
  const isFromParent = ({ source }: MessageEvent) => source === window.parent && source !== window;
  addEventListener("message", (event) => {
    if (isFromParent(event) && early.length < EARLY_MAX) early.push(event);
  });
  return early;
}
