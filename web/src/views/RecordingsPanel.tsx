import { useLayoutEffect, useRef } from "preact/hooks";
import type { Recording } from "../api/recordings.ts";
import { ErrorMessage } from "../components/ErrorMessage.tsx";
import { useFocusKept, useReturnFocus } from "../components/focus.ts";
import { Icon, type IconName } from "../components/Icon.tsx";
import { clockOf, sizeOf, whenOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import { isPlayable, isRunning, type Recordings } from "../session/recordings.ts";

interface RecordingsProps {
  readonly recordings: Recordings;
}

/** The room's recordings beside the meeting. Changes are read out by the live region, so the list itself is not one. */
export function RecordingsPanel({ recordings }: RecordingsProps) {
  const panel = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useReturnFocus(panel, '[data-control="recordings"]');
  useLayoutEffect(() => heading.current?.focus(), []);
  const close = () => recordings.show(false);
  return (
    <aside
      ref={panel}
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

/** The recordings of this room, newest first. */
export function RecordingsList({ recordings }: RecordingsProps) {
  const all = recordings.all.value;
  const list = useRef<HTMLUListElement>(null);
  useFocusKept(list);
  const cause = recordings.error.value ?? recordings.listError.value;
  return (
    <>
      {cause && <ErrorMessage text={text.errors[cause]} />}
      {!all && !cause && <p class="hint">{text.recordings.loading}</p>}
      {all?.length === 0 && <p class="hint">{text.recordings.empty}</p>}
      <ul ref={list} class="recording-list" tabIndex={-1} aria-label={text.recordings.title}>
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
    const url = await recordings.streamUrl(recording);
    if (url) save(url, recording.filename);
  }

  return (
    <li data-status={status}>
      <h3>{startedAt ? <time dateTime={startedAt.toISOString()}>{when}</time> : when}</h3>
      <p class="recording-status">{text.recordings.status[status]}</p>
      {sizeBytes > 0 && (
        <dl>
          <dt class="visually-hidden">{text.recordings.duration}</dt>
          <dd data-testid="length">{clockOf(durationS)}</dd>
          <dt class="visually-hidden">{text.recordings.size}</dt>
          <dd>{sizeOf(sizeBytes)}</dd>
        </dl>
      )}
      <p class="recording-actions">
        {isPlayable(recording) && (
          <>
            <Action icon="play" action="play" when={when} onClick={() => void recordings.play(recording)} />
            <Action icon="download" action="download" when={when} onClick={() => void download()} />
          </>
        )}
        {!isRunning(recording) && (
          <Action icon="delete" action="delete" when={when} onClick={() => recordings.confirmDeletion(recording)} />
        )}
      </p>
    </li>
  );
}

interface ActionProps {
  readonly icon: IconName;
  readonly action: "play" | "download" | "delete";
  readonly when: string;
  readonly onClick: () => void;
}

function Action({ icon, action, when, onClick }: ActionProps) {
  return (
    <button type="button" class="action" aria-label={text.recordings[`${action}Of`](when)} onClick={onClick}>
      <Icon name={icon} />
      {text.recordings[action]}
    </button>
  );
}

/** A recording is called by its start time. */
export function nameOf({ startedAt }: Recording): string {
  return startedAt ? whenOf(startedAt) : text.recordings.notStarted;
}

function save(url: string, filename: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
}
