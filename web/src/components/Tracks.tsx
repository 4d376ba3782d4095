import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { facingOf } from "../session/facing.ts";
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
  const isOutward = useOutward(track);
  return (
    <video ref={ref} class={mirrored && !isOutward ? "mirrored" : ""} aria-label={label} autoplay playsInline muted />
  );
}

/** Plays a remote participant's audio. */
export function AudioTrack({ track }: { readonly track: Attachable }) {
  const ref = useRef<HTMLAudioElement>(null);
  useAttached(ref, track);
  // biome-ignore lint/a11y/useMediaCaption: there are no captions of live speech
  return <audio ref={ref} autoplay />;
}

/** Whether the picture is of a camera that looks away from the user: a mirror image of that would be wrong. */
function useOutward(track: Attachable): boolean {
  const look = () => facingOf(track.getSourceTrackSettings?.() ?? {}) === "environment";
  const [isOutward, setOutward] = useState(look);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it depends on the track alone
  useEffect(() => {
    const update = () => setOutward(look());
    update();
    track.on?.("restarted", update);
    return () => void track.off?.("restarted", update);
  }, [track]);
  return isOutward;
}

function useAttached(ref: { readonly current: HTMLMediaElement | null }, track: Attachable): void {
  // at once, and not after the next frame: the first picture is waited for
  useLayoutEffect(() => {
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
  const isOutward = facingOf(track.getSettings()) === "environment";
  return <video ref={ref} class={isOutward ? "" : "mirrored"} aria-label={label} autoplay playsInline muted />;
}
