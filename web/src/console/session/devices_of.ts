import type { Participant } from "../api/types.ts";

type Track = NonNullable<Participant["tracks"]>[number];

/** A participant's devices, as the media server knows them. */
export interface DevicesOf {
  readonly microphone: "none" | "muted" | "on";
  readonly camera: "off" | "on";
  readonly screen: boolean;
  /** The size of the camera's picture, where it is known. */
  readonly picture: string;
}

export function devicesOf({ tracks = [] }: Participant): DevicesOf {
  const of = (source: string) => tracks.find((track) => track.source?.toLowerCase() === source);
  const [microphone, camera, screen] = [of("microphone"), of("camera"), of("screen_share")];
  return {
    microphone: !microphone ? "none" : microphone.muted ? "muted" : "on",
    camera: camera && !camera.muted ? "on" : "off",
    screen: Boolean(screen && !screen.muted),
    picture: sizeOf(camera),
  };
}

function sizeOf(track: Track | undefined): string {
  return track?.width && track.height ? `${track.width} × ${track.height}` : "";
}
