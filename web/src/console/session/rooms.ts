import type { ConsoleServer, RoomFilter } from "../api/server.ts";
import type { Room, RoomOptions } from "../api/types.ts";
import { Action } from "./action.ts";
import { Coalesced } from "./coalesced.ts";
import type { ConsoleEvent } from "./events.ts";
import { PAGE_ITEMS, PagedList } from "./paged_list.ts";

const REFRESH_MS = 1000;
/** Events after which the list can look different. */
const CHANGES: ReadonlySet<string> = new Set([
  "roomCreated",
  "roomChanged",
  "roomDeleted",
  "meetingStarted",
  "meetingEnded",
  "participantJoined",
  "participantLeft",
  "recordingChanged",
]);

/** The list of rooms, and what is done with several of them. */
export class Rooms {
  readonly list: PagedList<Room, RoomFilter>;
  readonly creating = new Action();
  readonly deleting = new Action();
  readonly #server: ConsoleServer;
  readonly #refresh = new Coalesced(() => this.list.refresh(), REFRESH_MS);

  constructor(server: ConsoleServer) {
    this.#server = server;
    this.list = new PagedList<Room, RoomFilter>(
      ({ filter, after }) => server.rooms(filter, after, PAGE_ITEMS),
      (room) => room.roomName ?? "",
      { search: "", sort: "created", order: "desc", live: false },
    );
  }

  onEvent({ name, data }: ConsoleEvent): void {
    if (!CHANGES.has(name)) return;
    const room = String(data.roomName ?? "");
    // what comes in by sort and search, the server knows
    if (name === "roomCreated" || this.list.filter.value.live || this.list.has(room)) this.#refresh.soon();
  }

  /** Returns the room; null where it was refused. */
  async create(options: RoomOptions): Promise<Room | null> {
    let room: Room | null = null;
    await this.creating.run(async () => {
      room = await this.#server.createRoom(options);
    });
    return room;
  }

  async deleteMany(names: readonly string[]): Promise<boolean> {
    const done = await this.deleting.run(() => this.#server.deleteRooms(names));
    await this.list.refresh();
    return done;
  }
}
