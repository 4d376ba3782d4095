import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../components/Dialog.tsx";
import { bytesOf, numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { isRunning } from "../session/live_room.ts";
import { Confirm } from "./Confirm.tsx";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { ListTools, Pager, Selection } from "./Lists.tsx";
import { LostRecordings } from "./LostRecordings.tsx";
import { Empty, Loading, RefusalMessage } from "./parts.tsx";
import { RecordingRow } from "./RecordingRow.tsx";

type Props = { readonly console: Console };

/** All recordings, a page at a time; those of one room where the address names it. */
export function RecordingsView({ console }: Props) {
  const { recordings } = console;
  const { list } = recordings;
  const [deleting, setDeleting] = useState<readonly string[]>([]);
  const room = console.router.route.value.item;
  useEffect(() => {
    void list.change({ search: room ?? "" });
    void recordings.refreshRest();
  }, [list, recordings, room]);
  const items = list.items.value;
  const selected = [...list.selected.value];
  const finished = items.filter((one) => !isRunning(one)).length;
  const { search, status } = list.filter.value;
  return (
    <>
      <header class="screen-head">
        <h1>{text.recordings.title}</h1>
        <FreeDisk console={console} />
      </header>
      <Tools console={console} />
      <RefusalMessage refusal={list.refusal.value ?? (deleting.length > 0 ? null : recordings.action.refusal.value)} />
      {!list.loaded.value && !list.refusal.value && <Loading />}
      {list.loaded.value && items.length === 0 && (
        <Empty
          title={search || status ? text.recordings.notFound : text.recordings.none}
          {...(!search && !status && { advice: text.recordings.noneAdvice })}
        />
      )}
      {items.length > 0 && (
        <section class="panel list-panel" aria-label={text.recordings.list} aria-busy={list.loading.value}>
          <Selection
            all={text.rooms.selectAll}
            count={selected.length}
            of={finished}
            onAll={(on) => recordings.selectFinished(on)}
          >
            <button type="button" class="small danger" onClick={() => setDeleting(selected)}>
              {text.rooms.deleteSelected}
            </button>
          </Selection>
          <ul class="rows">
            {items.map((one) => (
              <RecordingRow
                key={one.recordingId}
                console={console}
                recording={one}
                onDelete={() => setDeleting([one.recordingId ?? ""])}
              />
            ))}
          </ul>
        </section>
      )}
      <Pager list={list} />
      <LostRecordings console={console} />
      {deleting.length > 0 && <Delete console={console} ids={deleting} onClose={() => setDeleting([])} />}
      {recordings.playing.value && <Player console={console} />}
    </>
  );
}

function FreeDisk({ console }: Props) {
  const disk = console.recordings.disk.value;
  if (disk?.free === undefined || disk.total === undefined) return null;
  const used = disk.total - disk.free;
  return (
    <div class="free-disk">
      <meter
        aria-label={text.recordings.disk}
        min={0}
        max={disk.total}
        high={disk.total * 0.9}
        optimum={0}
        value={used}
      />
      <span>{text.recordings.free(bytesOf(disk.free), bytesOf(disk.total))}</span>
    </div>
  );
}

function Tools({ console }: Props) {
  const { list } = console.recordings;
  return (
    <ListTools
      list={list}
      searchLabel={text.recordings.search}
      sortLabel={text.recordings.sortBy}
      sorts={text.recordings.sorts}
    >
      <select
        aria-label={text.recordings.status}
        value={list.filter.value.status}
        onChange={(event) => void list.change({ status: event.currentTarget.value as "" })}
      >
        <option value="">{text.recordings.any}</option>
        {Object.entries(text.recordings.states).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </ListTools>
  );
}

interface DeleteProps extends Props {
  readonly ids: readonly string[];
  readonly onClose: () => void;
}

function Delete({ console, ids, onClose }: DeleteProps) {
  const { recordings } = console;
  async function confirm(): Promise<void> {
    if (!(await recordings.deleteMany(ids))) return;
    console.notices.show(text.recordings.deleted(ids.length, numberOf(ids.length)));
    onClose();
  }
  return (
    <Confirm
      title={text.recordings.deleteTitle(ids.length, numberOf(ids.length))}
      words={text.recordings.deleteWords}
      action={text.recordings.remove}
      doing={recordings.action}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  );
}

/** The browser's own player, which seeks by ranges of the file. */
function Player({ console }: Props) {
  const { playing } = console.recordings;
  const [failed, setFailed] = useState(false);
  const { recording, url } = playing.value ?? {};
  return (
    <Dialog
      wide
      title={recording?.roomId ?? ""}
      onClose={() => {
        playing.value = null;
      }}
    >
      {/* biome-ignore lint/a11y/useMediaCaption: there are no captions of live speech */}
      <video class="player" controls autoplay playsInline src={url} onError={() => setFailed(true)} />
      {failed && (
        <p class="message" role="alert">
          {text.recordings.unplayable}
        </p>
      )}
      <p>
        <a class="button" href={url} download={recording?.filename}>
          <ConsoleIcon name="download" />
          {text.recordings.download}
        </a>
      </p>
    </Dialog>
  );
}
