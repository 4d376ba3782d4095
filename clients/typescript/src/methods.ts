// The methods of the client. Generated from the public API's document by `python -m tools.clients`.

import type { Caller, CallOptions, PageOptions } from "./calls.ts";
import type {
  ChatMessage,
  ChatPreferences,
  LobbyDecision,
  LobbyGuest,
  LobbyPreferences,
  LobbyTicket,
  MediaPreferences,
  Participant,
  Recording,
  RecordingPreferences,
  Role,
  Room,
  RoomPreferences,
  Token,
  VirtualBackgroundPreferences,
} from "./models.ts";

/** Rooms, and what concerns everyone in them. */
export class Rooms {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Create a room. */
  create(
    expirationDate: number | Date,
    options: {
      readonly roomNamePrefix?: string;
      readonly maxParticipants?: number;
      readonly preferences?: RoomPreferences;
    } = {},
    call: CallOptions = {},
  ): Promise<Room> {
    return this.#caller.call("POST", "/rooms", { body: { expirationDate, ...options }, keyed: true, ...call });
  }

  /** List rooms that have not expired; asks for a page when it is needed. */
  list(call: PageOptions = {}): AsyncGenerator<Room, void, undefined> {
    return this.#caller.pages("GET", "/rooms", call);
  }

  /** Get a room. */
  get(roomName: string, call: CallOptions = {}): Promise<Room> {
    return this.#caller.call("GET", `/rooms/${this.#caller.segment(roomName)}`, { ...call });
  }

  /** Change what a room allows, also during a meeting. */
  update(
    roomName: string,
    options: {
      readonly chatPreferences?: ChatPreferences;
      readonly recordingPreferences?: RecordingPreferences;
      readonly virtualBackgroundPreferences?: VirtualBackgroundPreferences;
      readonly lobbyPreferences?: LobbyPreferences;
      readonly mediaPreferences?: MediaPreferences;
    } = {},
    call: CallOptions = {},
  ): Promise<Room> {
    return this.#caller.call("PUT", `/rooms/${this.#caller.segment(roomName)}`, { body: { ...options }, ...call });
  }

  /** Delete a room and end its meeting. */
  delete(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", `/rooms/${this.#caller.segment(roomName)}`, { ...call });
  }

  /** Give a room new links; the old ones stop working. */
  rotateLinks(roomName: string, call: CallOptions = {}): Promise<Room> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/rotate-links`, { ...call });
  }

  /** End the meeting, keep the room. */
  end(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/end`, { ...call });
  }

  /** Lock a room: only moderators, and participants who have been in it, get in. */
  lock(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("PUT", `/rooms/${this.#caller.segment(roomName)}/lock`, { ...call });
  }

  /** Open a locked room. */
  unlock(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", `/rooms/${this.#caller.segment(roomName)}/lock`, { ...call });
  }

  /** Lower all hands. */
  lowerAllHands(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", `/rooms/${this.#caller.segment(roomName)}/hands`, { ...call });
  }

  /** Mute every microphone but the own; only their owners can unmute them. */
  muteAll(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/mute-all`, { ...call });
  }

  /** List the newest messages of the running meeting, oldest first; none where the room keeps none. */
  messages(roomName: string, call: CallOptions = {}): Promise<readonly ChatMessage[]> {
    return this.#caller.call("GET", `/rooms/${this.#caller.segment(roomName)}/messages`, { ...call });
  }
}

/** Participants of running meetings, and their tokens. */
export class Participants {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** List who is in a room. */
  list(roomName: string, call: CallOptions = {}): Promise<readonly Participant[]> {
    return this.#caller.call("GET", `/rooms/${this.#caller.segment(roomName)}/participants`, { ...call });
  }

  /** Change a participant's role, at once and for when it comes back. */
  changeRole(roomName: string, participantName: string, role: Role, call: CallOptions = {}): Promise<Participant> {
    return this.#caller.call(
      "PUT",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}`,
      { body: { role }, ...call },
    );
  }

  /** Mute a participant's microphone; only the participant can unmute it. */
  mute(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "POST",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/mute`,
      { ...call },
    );
  }

  /** Raise a participant's hand, for all to see in its order. */
  raiseHand(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "PUT",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/hand`,
      { ...call },
    );
  }

  /** Lower a participant's hand. */
  lowerHand(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "DELETE",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/hand`,
      { ...call },
    );
  }

  /** Show a participant's reaction to all. */
  react(
    roomName: string,
    participantName: string,
    reaction: "👍" | "👎" | "👏" | "❤️" | "😂" | "😮" | "🎉",
    call: CallOptions = {},
  ): Promise<void> {
    return this.#caller.call(
      "POST",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/reactions`,
      { body: { reaction }, ...call },
    );
  }

  /** Stop a participant's camera. */
  stopCamera(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "POST",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/stop-camera`,
      { ...call },
    );
  }

  /** Ask a participant to unmute. */
  askToUnmute(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "POST",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/ask-to-unmute`,
      { ...call },
    );
  }

  /** Show a participant's message to all; with an id that is new, so that one sent again shows once. */
  postMessage(
    roomName: string,
    participantName: string,
    messageId: string,
    text: string,
    call: CallOptions = {},
  ): Promise<void> {
    return this.#caller.call(
      "PUT",
      `/rooms/${this.#caller.segment(roomName)}/participants/${this.#caller.segment(participantName)}/messages/${this.#caller.segment(messageId)}`,
      { body: { text }, ...call },
    );
  }

  /** Generate a token for a participant. */
  token(
    roomName: string,
    participantName: string,
    secret: string,
    options: { readonly lobbyTicket?: string } = {},
    call: CallOptions = {},
  ): Promise<Token> {
    return this.#caller.call("POST", "/participants/token", {
      body: { roomName, participantName, secret, ...options },
      ...call,
    });
  }

  /** Disconnect a participant from a room. */
  disconnect(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", `/participants/${this.#caller.segment(participantName)}`, {
      query: { roomName },
      ...call,
    });
  }
}

/** Guests who wait to be let in. */
export class Lobby {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Wait to be let in to a room with a lobby. */
  enter(roomName: string, participantName: string, secret: string, call: CallOptions = {}): Promise<LobbyTicket> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/lobby`, {
      body: { participantName, secret },
      ...call,
    });
  }

  /** List the guests who wait. */
  list(roomName: string, call: CallOptions = {}): Promise<readonly LobbyGuest[]> {
    return this.#caller.call("GET", `/rooms/${this.#caller.segment(roomName)}/lobby`, { ...call });
  }

  /** Ask what was decided; a guest who stops asking has gone. */
  state(
    roomName: string,
    participantName: string,
    lobbyTicket: string,
    call: CallOptions = {},
  ): Promise<LobbyDecision> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/lobby/state`, {
      body: { participantName, lobbyTicket },
      ...call,
    });
  }

  /** Let a guest in. */
  admit(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "PUT",
      `/rooms/${this.#caller.segment(roomName)}/lobby/${this.#caller.segment(participantName)}`,
      { ...call },
    );
  }

  /** Refuse a guest. */
  refuse(roomName: string, participantName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call(
      "DELETE",
      `/rooms/${this.#caller.segment(roomName)}/lobby/${this.#caller.segment(participantName)}`,
      { ...call },
    );
  }

  /** Let everyone in who waits. */
  admitAll(roomName: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("POST", `/rooms/${this.#caller.segment(roomName)}/lobby/admit-all`, { ...call });
  }
}

/** Recordings. */
export class Recordings {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Record a room; answers when the first media is written. */
  start(
    roomName: string,
    options: { readonly preset?: "720p30" | "1080p30" | "audio" } = {},
    call: CallOptions = {},
  ): Promise<Recording> {
    return this.#caller.call("POST", "/recordings", { body: { roomName, ...options }, keyed: true, ...call });
  }

  /** List recordings; asks for a page when it is needed. */
  list(call: PageOptions = {}): AsyncGenerator<Recording, void, undefined> {
    return this.#caller.pages("GET", "/recordings", call);
  }

  /** Delete several recordings, all or none. */
  deleteMany(recordingIds: readonly string[], call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", "/recordings", { body: { recordingIds }, ...call });
  }

  /** Stop a recording. */
  stop(recordingId: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("PUT", `/recordings/${this.#caller.segment(recordingId)}`, { ...call });
  }

  /** Get a recording. */
  get(recordingId: string, call: CallOptions = {}): Promise<Recording> {
    return this.#caller.call("GET", `/recordings/${this.#caller.segment(recordingId)}`, { ...call });
  }

  /** Delete a recording and its file. */
  delete(recordingId: string, call: CallOptions = {}): Promise<void> {
    return this.#caller.call("DELETE", `/recordings/${this.#caller.segment(recordingId)}`, { ...call });
  }

  /** Stream a recording, whole or one range of bytes; `body` of the answer is the MP4. */
  stream(recordingId: string, call: CallOptions = {}): Promise<Response> {
    return this.#caller.stream("GET", `/recordings/${this.#caller.segment(recordingId)}/stream`, { ...call });
  }
}
