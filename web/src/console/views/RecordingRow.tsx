import { useEffect } from "preact/hooks";
import { clockOf, whenOf } from "../../i18n/format.ts";
import type { Recording } from "../api/types.ts";
import { bytesOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { isRunning } from "../session/live_room.ts";
import { hrefOf } from "../session/router.ts";
import { IconButton } from "./parts.tsx";

const PLAYABLE: ReadonlySet<string> = new Set(["COMPLETE", "LIMITED_REACHED"]);

interface RecordingRowProps {
  readonly console: Console;
  readonly recording: Recording;
  readonly onDelete: () => void;
}

export function RecordingRow({ console, recording, onDelete }: RecordingRowProps) {
  const { list } = console.recordings;
  const { recordingId: id = "", status = "", roomId = "" } = recording;
  const selected = list.selected.value.has(id);
  const name = recording.filename ?? id;
  return (
    <li class={selected ? "row selected" : "row"} data-recording={id} data-status={status}>
      <input
        type="checkbox"
        aria-label={text.rooms.select(name)}
        checked={selected}
        disabled={isRunning(recording)}
        onChange={(event) => list.select(id, event.currentTarget.checked)}
      />
      <div class="row-main">
        <a class="row-name" href={hrefOf("rooms", roomId)}>
          {roomId}
        </a>
        <p class="row-facts">
          <span>{recording.startDate ? whenOf(new Date(recording.startDate)) : text.recordings.noDate}</span>
          <Length console={console} recording={recording} />
          {recording.size !== undefined && <span>{bytesOf(recording.size)}</span>}
        </p>
        <Why recording={recording} />
      </div>
      <ul class="states">
        <li class={stateClass(status)}>{text.recordings.states[status] ?? status}</li>
      </ul>
      <Actions console={console} recording={recording} onDelete={onDelete} />
    </li>
  );
}

/** How long it is; of one that runs, as it grows. */
function Length({ console, recording }: { readonly console: Console; readonly recording: Recording }) {
  const runs = recording.status === "ACTIVE" && recording.startDate !== undefined;
  useEffect(() => (runs ? console.clock.use() : undefined), [console, runs]);
  const durationS = runs ? (console.clock.now.value - (recording.startDate ?? 0)) / 1000 : recording.duration;
  return durationS === undefined ? null : <span>{clockOf(Math.max(0, durationS))}</span>;
}

function Why({ recording: { error, details } }: { readonly recording: Recording }) {
  if (!error && !details) return null;
  return (
    <p class="why">
      <strong>{text.recordings.why}:</strong> {[error, details].filter(Boolean).join(" – ")}
    </p>
  );
}

function Actions({ console, recording, onDelete }: RecordingRowProps) {
  const { recordings } = console;
  const words = text.recordings;
  const { recordingId: id = "", status = "", filename = id } = recording;
  async function download(): Promise<void> {
    const url = await recordings.downloadUrl(recording);
    if (!url) return;
    const link = document.createElement("a");
    link.href = url;
    link.download = filename;
    link.click();
  }
  if (isRunning(recording))
    return (
      <div class="row-actions">
        <IconButton
          icon="stop"
          label={words.stopOne(filename)}
          shown={words.stop}
          onClick={() => void recordings.stop(id)}
        />
      </div>
    );
  return (
    <div class="row-actions">
      {PLAYABLE.has(status) && (
        <>
          <IconButton
            icon="play"
            label={words.playOne(filename)}
            shown={words.play}
            onClick={() => void recordings.play(recording)}
          />
          <IconButton icon="download" label={words.downloadOne(filename)} onClick={() => void download()} />
        </>
      )}
      {status === "FAILED" && (
        <IconButton icon="repair" label={words.repair} shown={words.repair} onClick={() => void repair(console)} />
      )}
      <IconButton icon="delete" kind="danger" label={words.removeOne(filename)} onClick={onDelete} />
    </div>
  );
}

export async function repair(console: Console): Promise<void> {
  if (await console.recordings.repair()) console.notices.show(text.recordings.repaired);
}

function stateClass(status: string): string {
  if (status === "ACTIVE" || status === "STARTING") return "state recording";
  if (status === "FAILED" || status === "ABORTED") return "state bad";
  return "state";
}
