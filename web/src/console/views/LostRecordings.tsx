import { clockOf, whenOf } from "../../i18n/format.ts";
import type { LostRecording } from "../api/types.ts";
import { bytesOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { IconButton, RefusalMessage } from "./parts.tsx";
import { repair } from "./RecordingRow.tsx";

/** Repairs, and takes back what the list has lost. */
export function LostRecordings({ console }: { readonly console: Console }) {
  const { recordings } = console;
  const lost = recordings.lost.value;
  const { repairing } = recordings;
  async function adopt(one: LostRecording): Promise<void> {
    if (await recordings.adopt(one.recordingId ?? ""))
      console.notices.show(text.recordings.adopted(one.filename ?? one.recordingId ?? ""));
  }
  return (
    <section class="panel" aria-labelledby="repair">
      <div class="panel-title">
        <h2 id="repair">{text.recordings.repair}</h2>
        <button type="button" class="small" disabled={repairing.running.value} onClick={() => void repair(console)}>
          {text.recordings.repair}
        </button>
      </div>
      <p class="hint">{text.recordings.repairHint}</p>
      <RefusalMessage refusal={repairing.refusal.value} />
      {lost.length > 0 && (
        <>
          <h3>{text.recordings.lost}</h3>
          <p class="hint">{text.recordings.lostHint}</p>
          <ul class="rows">
            {lost.map((one) => (
              <li class="row" key={one.recordingId} data-recording={one.recordingId}>
                <div class="row-main">
                  <strong>{one.filename ?? one.recordingId}</strong>
                  <p class="row-facts">
                    {one.startDate !== undefined && <span>{whenOf(new Date(one.startDate))}</span>}
                    {one.duration !== undefined && <span>{clockOf(one.duration)}</span>}
                    {one.size !== undefined && <span>{bytesOf(one.size)}</span>}
                  </p>
                </div>
                <div class="row-actions">
                  <IconButton
                    icon="rotate"
                    label={text.recordings.adoptOne(one.filename ?? "")}
                    shown={text.recordings.adopt}
                    disabled={repairing.running.value}
                    onClick={() => void adopt(one)}
                  />
                </div>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
