/**
 * Keeps the screen on during a meeting: a user who only listens does not touch the device.
 * @returns what lets it sleep again.
 */
export function keepAwake(): () => void {
  // absent on pages that are not secure, and in some browsers
  const { wakeLock } = navigator as { readonly wakeLock?: WakeLock };
  let lock: WakeLockSentinel | null = null;
  let isOver = false;

  async function request(): Promise<void> {
    if (document.visibilityState !== "visible") return;
    // refused where the battery is low, or by the page around: the meeting goes on
    const held = await wakeLock?.request("screen").catch(() => null);
    if (isOver) await held?.release();
    else lock = held ?? null;
  }

  // browsers release it whenever the page is hidden
  const onVisible = () => void request();
  document.addEventListener("visibilitychange", onVisible);
  void request();
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", onVisible);
    lock?.release().catch(() => undefined);
  };
}
