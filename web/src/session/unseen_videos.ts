import { type RemoteTrack, type Room, RoomEvent, Track, TrackEvent } from "livekit-client";

/** Time for a view to show a new video. */
const SHOWN_WITHIN_MS = 500;

/**
 * Pauses videos that no tile shows: of other pages, or to save data. The SDK pauses what is no longer seen, but what was
 * never attached to an element is sent all the time.
 */
export function pauseUnseenVideos(room: Pick<Room, "on">): void {
  room.on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
    if (track.kind !== Track.Kind.Video) return;
    setTimeout(() => {
      if (track.attachedElements.length === 0) track.emit(TrackEvent.VisibilityChanged, false, track);
    }, SHOWN_WITHIN_MS);
  });
}
