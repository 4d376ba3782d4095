/** A page that is not seen has no frames, and slower timers. */
const FRAME_MS = 20;

/**
 * Does something at once, and again with the next frame if it was asked for meanwhile, however often: what comes in bursts
 * is drawn once a frame.
 */
export function oncePerFrame(act: () => void): () => void {
  let isWaiting = false;
  let isDue = false;
  function run(): void {
    isDue = false;
    isWaiting = true;
    onNextFrame(() => {
      isWaiting = false;
      if (isDue) run();
    });
    act();
  }
  return () => {
    if (isWaiting) isDue = true;
    else run();
  };
}

function onNextFrame(act: () => void): void {
  let frame = 0;
  const timer = setTimeout(() => {
    if (frame) cancelAnimationFrame(frame);
    act();
  }, FRAME_MS);
  if (!("requestAnimationFrame" in globalThis)) return;
  frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    act();
  });
}
