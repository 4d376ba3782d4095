import { signal } from "@preact/signals-core";
import { BASE_PATH } from "../../api/client.ts";
import type { ConsoleServer, RecordingFilter } from "../api/server.ts";
import type { LostRecording, Recording, Status } from "../api/types.ts";
import { Action } from "./action.ts";
import { Coalesced } from "./coalesced.ts";
import type { ConsoleEvent } from "./events.ts";
import { isRunning } from "./live_room.ts";
import { PAGE_ITEMS, PagedList } from "./paged_list.ts";

const REFRESH_MS = 1000;

/** The list of recordings, and what is done with them. */
export class Recordings {
  readonly list: PagedList<Recording, RecordingFilter>;
  /** Files on this machine that no entry names. */
  readonly lost = signal<readonly LostRecording[]>([]);
  readonly disk = signal<Status["disk"] | null>(null);
  /** The recording that is played, and where its file is. */
  readonly playing = signal<{ readonly recording: Recording; readonly url: string } | null>(null);
  readonly action = new Action();
  readonly repairing = new Action();
  readonly #server: ConsoleServer;
  readonly #refresh = new Coalesced(() => this.list.refresh(), REFRESH_MS);

  constructor(server: ConsoleServer) {
    this.#server = server;
    this.list = new PagedList<Recording, RecordingFilter>(
      ({ filter, after }) => server.recordings(filter, after, PAGE_ITEMS),
      (recording) => recording.recordingId ?? "",
      { search: "", status: "", sort: "created", order: "desc" },
    );
  }

  async refresh(): Promise<void> {
    await Promise.all([this.list.refresh(), this.refreshRest()]);
  }

  /** Asks again for what stands around the list. */
  async refreshRest(): Promise<void> {
    await Promise.all([this.#loadLost(), this.#loadDisk()]);
  }

  /** Selects what can be deleted. */
  selectFinished(on: boolean): void {
    this.list.selectAll(on);
    for (const one of this.list.items.value) if (isRunning(one)) this.list.select(one.recordingId ?? "", false);
  }

  onEvent({ name, data }: ConsoleEvent): void {
    if (name === "recordingChanged") {
      // a new one is somewhere in the list, which the server knows
      const known = this.list.items.value.find(({ recordingId }) => recordingId === data.recordingId);
      if (known) this.list.replace({ ...known, ...(data as Recording) });
      if (known?.status !== data.status) this.#refresh.soon();
    } else if (name === "recordingDeleted") {
      this.#refresh.soon();
    }
  }

  stop(id: string): Promise<boolean> {
    return this.#act(() => this.#server.stopRecording(id));
  }

  deleteMany(ids: readonly string[]): Promise<boolean> {
    return this.#act(() => this.#server.deleteRecordings(ids));
  }

  play(recording: Recording): Promise<boolean> {
    return this.action.run(async () => {
      this.playing.value = { recording, url: await this.#urlOf(recording) };
    });
  }

  /** Returns where the file can be downloaded for ten minutes; null where it was refused. */
  async downloadUrl(recording: Recording): Promise<string | null> {
    let url: string | null = null;
    await this.action.run(async () => {
      url = await this.#urlOf(recording);
    });
    return url;
  }

  repair(): Promise<boolean> {
    return this.repairing.run(async () => {
      await this.#server.repairRecordings();
      await this.refresh();
    });
  }

  adopt(id: string): Promise<boolean> {
    return this.repairing.run(async () => {
      await this.#server.adoptRecording(id);
      await this.refresh();
    });
  }

  async #urlOf({ recordingId: id = "" }: Recording): Promise<string> {
    const ticket = await this.#server.streamTicket(id);
    return `${BASE_PATH}/recordings/${encodeURIComponent(id)}/stream?ticket=${encodeURIComponent(ticket)}`;
  }

  async #act(act: () => Promise<unknown>): Promise<boolean> {
    const done = await this.action.run(act);
    await this.list.refresh();
    return done;
  }

  async #loadLost(): Promise<void> {
    this.lost.value = await this.#server.lostRecordings().catch(() => []);
  }

  async #loadDisk(): Promise<void> {
    this.disk.value = await this.#server.status().then(
      ({ disk }) => disk,
      () => null,
    );
  }
}
