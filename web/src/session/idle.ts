/** Without idle callbacks (Safari), and on a page that is never idle. */
const AT_LATEST_MS = 1000;

/**
 * Does what has time when the browser has nothing else to do: sound and pictures of others come first.
 * @param act returns what undoes it
 * @returns what stops it, before and after it was done
 */
export function whenIdle(act: () => () => void): () => void {
  let undo = (): void => {};
  const run = (): void => {
    undo = act();
  };
  const cancel = "requestIdleCallback" in globalThis ? idleCallback(run) : timeout(run);
  return () => {
    cancel();
    undo();
  };
}

function idleCallback(run: () => void): () => void {
  const handle = requestIdleCallback(run, { timeout: AT_LATEST_MS });
  return () => cancelIdleCallback(handle);
}

function timeout(run: () => void): () => void {
  const timer = setTimeout(run, AT_LATEST_MS);
  return () => clearTimeout(timer);
}
