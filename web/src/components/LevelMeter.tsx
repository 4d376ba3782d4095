import { useEffect, useRef } from "preact/hooks";
import { text } from "../i18n/index.ts";
import { watchLevel } from "../session/level.ts";

/** Shows the microphone level, so that users see before joining that they will be heard. */
export function LevelMeter({ track }: { readonly track: MediaStreamTrack | null }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const meter = ref.current;
    if (!meter || !track) return;
    const show = (level: number) => {
      meter.style.setProperty("--level", level.toFixed(2));
      meter.ariaValueNow = level.toFixed(2);
    };
    const stop = watchLevel(track, show);
    return () => {
      stop();
      show(0);
    };
  }, [track]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers draw a <meter> that has a style differently, or hardly at all
    <div
      ref={ref}
      class="level"
      role="meter"
      aria-label={text.device.level}
      aria-valuemin={0}
      aria-valuemax={1}
      aria-valuenow={0}
    />
  );
}
