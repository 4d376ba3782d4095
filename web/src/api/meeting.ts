import type { Role } from "./claims.ts";
import { type ApiClient, answerOf, bearer, type Causes } from "./client.ts";
import type { components } from "./schema.d.ts";

export type Reaction = components["schemas"]["ShownReaction"]["reaction"];

/** What a room allows, and whether it is locked, as the page shows it. */
export interface RoomSettings {
  readonly chat: boolean;
  readonly chatHistory: boolean;
  readonly chatFiles: boolean;
  readonly recording: boolean;
  readonly virtualBackground: boolean;
  readonly lobby: boolean;
  readonly locked: boolean;
}

/** A guest who waits in the lobby. */
export type LobbyGuest = Readonly<components["schemas"]["LobbyGuest"]>;

/** A chat message that our server keeps. */
export type PostedMessage = Readonly<components["schemas"]["ChatMessage"]>;

/** What a participant asks of the server during a meeting. All of it throws an AppError when it is refused. */
export interface MeetingApi {
  settings(): Promise<RoomSettings>;
  setHand(name: string, raised: boolean): Promise<void>;
  react(name: string, reaction: Reaction): Promise<void>;
  /** @param messageId a new one for a new message: one that is sent again shows once. */
  postMessage(name: string, messageId: string, text: string): Promise<void>;
  /** The newest messages of this meeting, the oldest first. */
  messages(): Promise<readonly PostedMessage[]>;
  lowerAllHands(): Promise<void>;
  mute(name: string): Promise<void>;
  muteAll(): Promise<void>;
  stopCamera(name: string): Promise<void>;
  askToUnmute(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  setRole(name: string, role: Role): Promise<void>;
  setLocked(locked: boolean): Promise<void>;
  end(): Promise<void>;
  guests(): Promise<readonly LobbyGuest[]>;
  admit(name: string): Promise<void>;
  refuse(name: string): Promise<void>;
  admitAll(): Promise<void>;
}

const CAUSES: Causes = {
  401: "action_failed",
  403: "action_failed",
  404: "action_failed",
  429: "too_many_tries",
  502: "server_unreachable",
  503: "server_stopping",
  504: "server_unreachable",
};

/** @param token gives the participant's own token, whose role decides what the server permits. */
export function meetingApi(client: ApiClient, roomName: string, token: () => string | null): MeetingApi {
  const inRoom = () => ({ headers: bearer(token()), params: { path: { roomName } } });
  const about = (participantName: string) => ({
    headers: bearer(token()),
    params: { path: { roomName, participantName } },
  });
  const done = async (asked: Parameters<typeof answerOf>[0]) => void (await answerOf(asked, CAUSES));
  return {
    async settings() {
      const room = await answerOf(client.GET("/rooms/{roomName}", inRoom()), CAUSES);
      const allowed = room?.preferences;
      return {
        chat: allowed?.chatPreferences?.enabled === true,
        chatHistory: allowed?.chatPreferences?.history !== false,
        chatFiles: allowed?.chatPreferences?.files !== false,
        recording: allowed?.recordingPreferences?.enabled === true,
        virtualBackground: allowed?.virtualBackgroundPreferences?.enabled === true,
        lobby: allowed?.lobbyPreferences?.enabled === true,
        locked: room?.locked === true,
      };
    },
    setHand(name, raised) {
      const path = "/rooms/{roomName}/participants/{participantName}/hand";
      return done(raised ? client.PUT(path, about(name)) : client.DELETE(path, about(name)));
    },
    react: (name, reaction) =>
      done(
        client.POST("/rooms/{roomName}/participants/{participantName}/reactions", {
          ...about(name),
          body: { reaction },
        }),
      ),
    lowerAllHands: () => done(client.DELETE("/rooms/{roomName}/hands", inRoom())),
    mute: (name) => done(client.POST("/rooms/{roomName}/participants/{participantName}/mute", about(name))),
    muteAll: () => done(client.POST("/rooms/{roomName}/mute-all", inRoom())),
    stopCamera: (name) =>
      done(client.POST("/rooms/{roomName}/participants/{participantName}/stop-camera", about(name))),
    askToUnmute: (name) =>
      done(client.POST("/rooms/{roomName}/participants/{participantName}/ask-to-unmute", about(name))),
    remove: (participantName) =>
      done(
        client.DELETE("/participants/{participantName}", {
          headers: bearer(token()),
          params: { path: { participantName }, query: { roomName } },
        }),
      ),
    setRole: (name, role) =>
      done(client.PUT("/rooms/{roomName}/participants/{participantName}", { ...about(name), body: { role } })),
    setLocked(locked) {
      const path = "/rooms/{roomName}/lock";
      return done(locked ? client.PUT(path, inRoom()) : client.DELETE(path, inRoom()));
    },
    end: () => done(client.POST("/rooms/{roomName}/end", inRoom())),
    ...lobbyPart(client, inRoom, about, done),
    ...chatPart(client, inRoom, about, done),
  };
}

type InRoom = () => { headers: ReturnType<typeof bearer>; params: { path: { roomName: string } } };
type About = (name: string) => {
  headers: ReturnType<typeof bearer>;
  params: { path: { roomName: string; participantName: string } };
};
type Done = (asked: Parameters<typeof answerOf>[0]) => Promise<void>;
type ChatPart = Pick<MeetingApi, "postMessage" | "messages">;

function chatPart(client: ApiClient, inRoom: InRoom, about: About, done: Done): ChatPart {
  return {
    postMessage(name, messageId, text) {
      const path = "/rooms/{roomName}/participants/{participantName}/messages/{messageId}";
      const { headers, params } = about(name);
      const init = { headers, params: { path: { ...params.path, messageId } }, body: { text } };
      // those who are there may have it by the other way already: it is kept, too, if the page is left or loaded again now
      return done(client.PUT(path, { ...init, keepalive: true }));
    },
    async messages() {
      const answer = await answerOf(client.GET("/rooms/{roomName}/messages", inRoom()), CAUSES);
      return Array.isArray(answer) ? (answer as readonly PostedMessage[]) : [];
    },
  };
}

type LobbyPart = Pick<MeetingApi, "guests" | "admit" | "refuse" | "admitAll">;

function lobbyPart(client: ApiClient, inRoom: InRoom, about: About, done: Done): LobbyPart {
  const path = "/rooms/{roomName}/lobby/{participantName}";
  return {
    async guests() {
      const answer = await answerOf(client.GET("/rooms/{roomName}/lobby", inRoom()), CAUSES);
      return Array.isArray(answer) ? (answer as readonly LobbyGuest[]) : [];
    },
    admit: (name) => done(client.PUT(path, about(name))),
    refuse: (name) => done(client.DELETE(path, about(name))),
    admitAll: () => done(client.POST("/rooms/{roomName}/lobby/admit-all", inRoom())),
  };
}
