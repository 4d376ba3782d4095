import { useEffect, useState } from "preact/hooks";
import { lazyView } from "../../views/lazy.tsx";
import type { Room } from "../api/types.ts";
import { dayOf, numberOf } from "../i18n/format.ts";
import { text } from "../i18n/index.ts";
import type { Console } from "../session/console.ts";
import { hrefOf } from "../session/router.ts";
import { Confirm } from "./Confirm.tsx";
import { ConsoleIcon } from "./ConsoleIcon.tsx";
import { ListTools, Pager, Selection } from "./Lists.tsx";
import { Empty, IconButton, Loading, RefusalMessage } from "./parts.tsx";

const NewRoomDialog = lazyView(async () => (await import("./NewRoomDialog.tsx")).NewRoomDialog);
const LinksDialog = lazyView(async () => (await import("./Links.tsx")).LinksDialog);

export const ROOM_DIALOGS = [NewRoomDialog, LinksDialog];

type Shown = "none" | "new" | "delete" | Room;

/** All rooms, a page at a time. */
export function RoomsView({ console }: { readonly console: Console }) {
  const { list } = console.rooms;
  const [shown, setShown] = useState<Shown>("none");
  useEffect(() => {
    console.showRoom(null);
    void list.refresh();
  }, [console, list]);
  const { search, live } = list.filter.value;
  const rooms = list.items.value;
  const selected = list.selected.value;
  const close = () => setShown("none");
  return (
    <>
      <header class="screen-head">
        <h1>{text.rooms.title}</h1>
        <button type="button" class="primary" onClick={() => setShown("new")}>
          <ConsoleIcon name="add" />
          {text.rooms.create}
        </button>
      </header>
      <ListTools list={list} searchLabel={text.rooms.search} sortLabel={text.rooms.sortBy} sorts={text.rooms.sorts}>
        <label class="checkbox">
          <input
            type="checkbox"
            checked={live}
            onChange={(event) => void list.change({ live: event.currentTarget.checked })}
          />
          {text.rooms.live}
        </label>
      </ListTools>
      <RefusalMessage refusal={list.refusal.value}>
        <button type="button" onClick={() => void list.refresh()}>
          {text.retry}
        </button>
      </RefusalMessage>
      {!list.loaded.value && !list.refusal.value && <Loading />}
      {list.loaded.value && rooms.length === 0 && (
        <Empty
          title={search || live ? text.rooms.notFound : text.rooms.none}
          {...(!search && !live && { advice: text.rooms.noneAdvice })}
        />
      )}
      {rooms.length > 0 && (
        <section class="panel list-panel" aria-label={text.rooms.list} aria-busy={list.loading.value}>
          <Selection
            all={text.rooms.selectAll}
            count={selected.size}
            of={rooms.length}
            onAll={(on) => list.selectAll(on)}
          >
            <button type="button" class="small danger" onClick={() => setShown("delete")}>
              {text.rooms.deleteSelected}
            </button>
          </Selection>
          <ul class="rows">
            {rooms.map((room) => (
              <RoomRow
                key={room.roomName}
                room={room}
                selected={selected.has(room.roomName ?? "")}
                onSelect={(on) => list.select(room.roomName ?? "", on)}
                onLinks={() => setShown(room)}
              />
            ))}
          </ul>
        </section>
      )}
      <Pager list={list} />
      {shown === "new" && <NewRoomDialog console={console} onClose={close} />}
      {shown === "delete" && <DeleteRooms console={console} onClose={close} />}
      {typeof shown === "object" && <LinksDialog console={console} room={shown} onClose={close} />}
    </>
  );
}

interface RoomRowProps {
  readonly room: Room;
  readonly selected: boolean;
  readonly onSelect: (on: boolean) => void;
  readonly onLinks: () => void;
}

function RoomRow({ room, selected, onSelect, onLinks }: RoomRowProps) {
  const name = room.roomName ?? "";
  return (
    <li class={selected ? "row selected" : "row"} data-room={name}>
      <input
        type="checkbox"
        aria-label={text.rooms.select(name)}
        checked={selected}
        onChange={(event) => onSelect(event.currentTarget.checked)}
      />
      <div class="row-main">
        <a class="row-name" href={hrefOf("rooms", name)}>
          {name}
        </a>
        <p class="row-facts">
          {room.creationDate !== undefined && <span>{text.rooms.created(dayOf(room.creationDate))}</span>}
          {room.expirationDate !== undefined && <span>{text.rooms.expires(dayOf(room.expirationDate))}</span>}
        </p>
      </div>
      <RoomStates room={room} />
      <div class="row-actions">
        <IconButton icon="link" label={text.rooms.linksOf(name)} shown={text.rooms.links} onClick={onLinks} />
        <a
          class="tool"
          href={room.moderatorURL}
          target="_blank"
          rel="noopener"
          aria-label={text.rooms.joinRoom(name)}
          title={text.rooms.joinRoom(name)}
        >
          <ConsoleIcon name="open" />
          <span class="tool-text">{text.rooms.join}</span>
        </a>
      </div>
    </li>
  );
}

/** What a room is like right now. */
export function RoomStates({ room }: { readonly room: Room }) {
  const count = room.participants ?? 0;
  return (
    <ul class="states">
      {count > 0 && <li class="state live">{text.rooms.inIt(count, numberOf(count))}</li>}
      {room.recordingId && <li class="state recording">{text.rooms.recording}</li>}
      {room.locked && <li class="state">{text.rooms.locked}</li>}
      {room.preferences?.lobbyPreferences?.enabled && <li class="state">{text.rooms.lobby}</li>}
    </ul>
  );
}

function DeleteRooms({ console, onClose }: { readonly console: Console; readonly onClose: () => void }) {
  const { rooms } = console;
  const names = [...rooms.list.selected.value];
  async function confirm(): Promise<void> {
    if (!(await rooms.deleteMany(names))) return;
    console.notices.show(text.rooms.deleted(names.length, numberOf(names.length)));
    onClose();
  }
  return (
    <Confirm
      title={text.rooms.deleteTitle(names.length, numberOf(names.length))}
      words={text.rooms.deleteWords}
      action={text.rooms.deleteAction}
      doing={rooms.deleting}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      <ul class="named">
        {names.slice(0, 5).map((name) => (
          <li key={name}>{name}</li>
        ))}
        {names.length > 5 && <li>…</li>}
      </ul>
    </Confirm>
  );
}
