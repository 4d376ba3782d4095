import { bytesOf, dayOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { LiveRoom } from "../session/live_room.ts";
import { hrefOf } from "../session/router.ts";

/** The newest recordings of a room. */
export function RoomRecordings({ live }: { readonly live: LiveRoom }) {
  const recordings = live.recordings.value;
  return (
    <section class="panel" aria-labelledby="its-recordings">
      <h2 id="its-recordings">{text.liveRoom.recordings}</h2>
      {recordings.length === 0 && <p class="hint">{text.liveRoom.noRecordings}</p>}
      <ul class="brief">
        {recordings.map((one) => (
          <li key={one.recordingId} data-status={one.status}>
            <span>{dayOf(one.startDate ?? one.createdDate ?? Date.now())}</span>
            <span class="hint">
              {text.recordings.states[one.status ?? ""]}
              {one.size ? ` · ${bytesOf(one.size)}` : ""}
            </span>
          </li>
        ))}
      </ul>
      {recordings.length > 0 && (
        <p>
          <a href={hrefOf("recordings", live.name)}>{text.liveRoom.allRecordings}</a>
        </p>
      )}
    </section>
  );
}
