import { Caller, type Settings } from "./calls.ts";
import { Lobby, Participants, Recordings, Rooms } from "./methods.ts";

export type { CallOptions, PageOptions, Settings } from "./calls.ts";
export * from "./errors.ts";
export type * from "./models.ts";

/** A client of a Tertulia server. */
export class Client {
  readonly rooms: Rooms;
  readonly participants: Participants;
  readonly lobby: Lobby;
  readonly recordings: Recordings;

  constructor(settings: Settings) {
    const caller = new Caller(settings);
    this.rooms = new Rooms(caller);
    this.participants = new Participants(caller);
    this.lobby = new Lobby(caller);
    this.recordings = new Recordings(caller);
  }
}
