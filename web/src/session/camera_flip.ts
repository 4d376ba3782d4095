import { signal } from "@preact/signals-core";
import { LocalVideoTrack, type Room, Track } from "livekit-client";
import { type Facing, facingOf, oppositeOf } from "./facing.ts";
import type { LiveDevice } from "./local_media.ts";

/** From the front camera to the one at the back, and to the front again: on phones and tablets. */
export class CameraFlip {
  readonly available = signal(false);
  readonly #room: Room;
  readonly #camera: LiveDevice;
  readonly #onSelected: (id: string) => void;

  /** @param onSelected gets the device that is in use after it. */
  constructor(room: Room, camera: LiveDevice, onSelected: (id: string) => void) {
    this.#room = room;
    this.#camera = camera;
    this.#onSelected = onSelected;
  }

  /** @param cameras how many the system has */
  refresh(cameras: number): void {
    const track = this.#track();
    this.available.value = cameras > 1 && track !== null && facingOf(track.getSourceTrackSettings()) !== null;
  }

  /** Where the other one does not open, the one before is opened again. */
  flip(): Promise<void> {
    let back = async (): Promise<void> => {};
    const flipped = async (): Promise<void> => {
      const track = this.#track();
      const facing = track && facingOf(track.getSourceTrackSettings());
      if (!facing) return;
      back = () => this.#look(track, facing);
      await this.#look(track, oppositeOf(facing));
    };
    return this.#camera.replace(flipped, () => back());
  }

  async #look(track: LocalVideoTrack, facingMode: Facing): Promise<void> {
    const { deviceId: _, ...capture } = this.#room.options.videoCaptureDefaults ?? {};
    await track.restartTrack({ ...capture, facingMode });
    this.#onSelected(track.getSourceTrackSettings().deviceId ?? "");
  }

  #track(): LocalVideoTrack | null {
    const track = this.#room.localParticipant.getTrackPublication(Track.Source.Camera)?.track;
    return this.#camera.on.value && track instanceof LocalVideoTrack ? track : null;
  }
}
