import type { Role } from "../api/claims.ts";
import type { MeetingApi } from "../api/meeting.ts";
import type { PersonAction } from "./people.ts";

type Request = (api: MeetingApi, identity: string) => Promise<void>;

const REQUESTS: Readonly<Record<PersonAction, Request>> = {
  mute: (api, identity) => api.mute(identity),
  askToUnmute: (api, identity) => api.askToUnmute(identity),
  stopCamera: (api, identity) => api.stopCamera(identity),
  lowerHand: (api, identity) => api.setHand(identity, false),
  remove: (api, identity) => api.remove(identity),
};

/** What a moderator does about the others. The server checks that he may; what it refuses is shown. */
export class Moderation {
  readonly #api: MeetingApi;
  readonly #onError: (error: unknown) => void;

  constructor(api: MeetingApi, onError: (error: unknown) => void) {
    this.#api = api;
    this.#onError = onError;
  }

  act(action: PersonAction, identity: string): Promise<void> {
    return REQUESTS[action](this.#api, identity).catch(this.#onError);
  }

  setRole(identity: string, role: Role): Promise<void> {
    return this.#api.setRole(identity, role).catch(this.#onError);
  }

  muteAll(): Promise<void> {
    return this.#api.muteAll().catch(this.#onError);
  }

  lowerAllHands(): Promise<void> {
    return this.#api.lowerAllHands().catch(this.#onError);
  }

  setLocked(locked: boolean): Promise<void> {
    return this.#api.setLocked(locked).catch(this.#onError);
  }

  /** Ends the meeting for all: the room tells every page, this one too. */
  end(): Promise<void> {
    return this.#api.end().catch(this.#onError);
  }
}
