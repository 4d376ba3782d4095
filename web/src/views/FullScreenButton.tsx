import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { text } from "../i18n/index.ts";

/** The meeting over the whole screen. Not offered where the browser or the page around forbids it (iPhones, iframes). */
export function FullScreenButton() {
  const isFull = useSignal(document.fullscreenElement !== null);
  useEffect(() => {
    const update = () => {
      isFull.value = document.fullscreenElement !== null;
    };
    document.addEventListener("fullscreenchange", update);
    return () => document.removeEventListener("fullscreenchange", update);
  }, [isFull]);
  if (!document.fullscreenEnabled) return null;
  const label = isFull.value ? text.fullScreen.leave : text.fullScreen.enter;
  const toggle = () => (isFull.value ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  return (
    <button
      type="button"
      class="quiet"
      aria-label={label}
      title={label}
      onClick={() => void toggle().catch(() => undefined)}
    >
      <Icon name={isFull.value ? "shrink" : "expand"} />
    </button>
  );
}
