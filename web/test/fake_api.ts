import type { LobbyGuest, MeetingApi, PostedMessage, RoomSettings } from "../src/api/meeting.ts";

export const OPEN_ROOM: RoomSettings = {
  chat: true,
  chatHistory: true,
  chatFiles: true,
  recording: true,
  virtualBackground: true,
  lobby: false,
  locked: false,
};

/** A server that notes what it is asked, and refuses it where the test says so. */
export class FakeApi {
  readonly asked: string[] = [];
  refusal: Error | null = null;
  room: RoomSettings = OPEN_ROOM;
  waiting: readonly LobbyGuest[] = [];
  kept: readonly PostedMessage[] = [];

  get asApi(): MeetingApi {
    const answer = (name: string | symbol) => {
      if (name === "settings") return this.room;
      if (name === "messages") return this.kept;
      return name === "guests" ? this.waiting : undefined;
    };
    return new Proxy({} as MeetingApi, {
      get:
        (_target, name) =>
        async (...args: unknown[]) => {
          // each page asks for those when it connects
          if (name !== "messages") this.asked.push([String(name), ...args].join(" "));
          if (this.refusal) throw this.refusal;
          return answer(name);
        },
    });
  }
}
