import { useEffect, useRef } from "preact/hooks";
import type { Recording } from "../api/recordings.ts";
import { Icon, type IconName } from "../components/Icon.tsx";
import { Message } from "../components/Message.tsx";
import { clockOf, sizeOf, whenOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { isPlayable, isRunning, type Recordings } from "../session/recordings.ts";

interface RecordingsProps {
  readonly recordings: Recordings;
}

/** The room's recordings beside the meeting. What changes is told by the live region, so the list itself is silent. */
export function RecordingsPanel({ recordings }: RecordingsProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const close = () => recordings.show(false);
  return (
    <aside
      class="recordings-panel"
      aria-label={text.recordings.title}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      <header class="panel-head">
        <h2 ref={heading} tabIndex={-1}>
          {text.recordings.title}
        </h2>
        <button type="button" class="quiet" aria-label={text.controls.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <RecordingsList recordings={recordings} />
    </aside>
  );
}

/** What has been recorded in this room, newest first. */
export function RecordingsList({ recordings }: RecordingsProps) {
  const all = recordings.all.value;
  const cause = recordings.problem.value ?? recordings.unread.value;
  return (
    <>
      {cause && <Message words={text.trouble[cause]} />}
      {!all && !cause && <p class="hint">{text.recordings.loading}</p>}
      {all?.length === 0 && <p class="hint">{text.recordings.empty}</p>}
      <ul class="recording-list">
        {all?.map((recording) => (
          <RecordingItem key={recording.id} recording={recording} recordings={recordings} />
        ))}
      </ul>
    </>
  );
}

function RecordingItem({ recording, recordings }: RecordingsProps & { readonly recording: Recording }) {
  const { durationS, sizeBytes, startedAt, status } = recording;
  const when = nameOf(recording);

  async function download(): Promise<void> {
    const address = await recordings.address(recording);
    if (address) save(address, recording.filename);
  }

  return (
    <li data-status={status}>
      <h3>{startedAt ? <time dateTime={startedAt.toISOString()}>{when}</time> : when}</h3>
      <p class="recording-status">{text.recordings.status[status]}</p>
      {sizeBytes > 0 && (
        <dl>
          <dt class="heard-only">{text.recordings.duration}</dt>
          <dd data-testid="length">{clockOf(durationS)}</dd>
          <dt class="heard-only">{text.recordings.size}</dt>
          <dd>{sizeOf(sizeBytes)}</dd>
        </dl>
      )}
      <p class="recording-actions">
        {isPlayable(recording) && (
          <>
            <Action icon="play" words="play" when={when} onClick={() => void recordings.play(recording)} />
            <Action icon="download" words="download" when={when} onClick={() => void download()} />
          </>
        )}
        {!isRunning(recording) && (
          <Action icon="delete" words="delete" when={when} onClick={() => recordings.askToDelete(recording)} />
        )}
      </p>
    </li>
  );
}

interface ActionProps {
  readonly icon: IconName;
  readonly words: "play" | "download" | "delete";
  readonly when: string;
  readonly onClick: () => void;
}

function Action({ icon, words, when, onClick }: ActionProps) {
  return (
    <button type="button" class="action" aria-label={text.recordings[`${words}Of`](when)} onClick={onClick}>
      <Icon name={icon} />
      {text.recordings[words]}
    </button>
  );
}

/** What people call a recording: when it began. */
export function nameOf({ startedAt }: Recording): string {
  return startedAt ? whenOf(startedAt) : text.recordings.notStarted;
}

function save(address: string, filename: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = filename;
  link.click();
}
