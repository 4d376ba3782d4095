import { useEffect, useRef } from "preact/hooks";
import type { Attachable } from "../session/roster.ts";

interface PictureProps {
  readonly track: Attachable;
  readonly mirrored: boolean;
  readonly label: string;
}

/** Shows a track of the meeting. The track is attached to the element, so that the SDK knows which size is looked at. */
export function Picture({ track, mirrored, label }: PictureProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useAttached(ref, track);
  return <video ref={ref} class={mirrored ? "mirrored" : ""} aria-label={label} autoplay playsInline muted />;
}

/** Plays somebody's sound. */
export function SoundPlayer({ track }: { readonly track: Attachable }) {
  const ref = useRef<HTMLAudioElement>(null);
  useAttached(ref, track);
  // live speech of a meeting has no captions to offer
  // biome-ignore lint/a11y/useMediaCaption: there is no text of what people say now
  return <audio ref={ref} autoplay />;
}

function useAttached(ref: { readonly current: HTMLMediaElement | null }, track: Attachable): void {
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    track.attach(element);
    return () => void track.detach(element);
  }, [ref, track]);
}

/** Shows a track of this machine that is in no meeting yet. */
export function Preview({ track, label }: { readonly track: MediaStreamTrack; readonly label: string }) {
  const ref = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.srcObject = new MediaStream([track]);
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return <video ref={ref} class="mirrored" aria-label={label} autoplay playsInline muted />;
}
