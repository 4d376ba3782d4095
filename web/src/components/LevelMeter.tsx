import { useEffect, useRef } from "preact/hooks";
import { text } from "../i18n/index.ts";
import { watchLevel } from "../session/level.ts";

/** Shows the microphone level, so that users see before joining that they will be heard. */
export function LevelMeter({ track }: { readonly track: MediaStreamTrack | null }) {
  const ref = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const meter = ref.current;
    if (!meter || !track) return;
    const stop = watchLevel(track, (level) => {
      meter.value = level;
    });
    return () => {
      stop();
      meter.value = 0;
    };
  }, [track]);
  return <meter ref={ref} class="level" min={0} max={1} value={0} aria-label={text.device.level} />;
}
