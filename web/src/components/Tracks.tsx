import { useEffect, useRef } from "preact/hooks";
import type { Attachable } from "../session/roster.ts";

interface VideoTrackProps {
  readonly track: Attachable;
  readonly mirrored: boolean;
  readonly label: string;
}

/** Shows a track of the meeting. The track is attached to the element, so that the SDK knows the size at which it is shown. */
export function VideoTrack({ track, mirrored, label }: VideoTrackProps) {
  const ref = useRef<HTMLVideoElement>(null);
  useAttached(ref, track);
  return <video ref={ref} class={mirrored ? "mirrored" : ""} aria-label={label} autoplay playsInline muted />;
}

/** Plays a remote participant's audio. */
export function AudioTrack({ track }: { readonly track: Attachable }) {
  const ref = useRef<HTMLAudioElement>(null);
  useAttached(ref, track);
  // biome-ignore lint/a11y/useMediaCaption: there are no captions of live speech
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

/** Shows the local camera before the meeting. */
export function CameraPreview({ track, label }: { readonly track: MediaStreamTrack; readonly label: string }) {
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
