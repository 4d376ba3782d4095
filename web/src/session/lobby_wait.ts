import type { LobbyApi } from "../api/lobby.ts";
import type { MeetingLink } from "../api/participants.ts";
import { causeOf } from "../app_error.ts";

/** The server forgets a guest who has not asked for 15 s. */
const ASK_EVERY_MS = 2000;

/** A place in the lobby: the ticket proves whose it is. */
export interface LobbySeat {
  readonly name: string;
  readonly ticket: string;
}

/** How the wait ended. `lost`: the server does not know the guest (any more). */
export type WaitResult = "admitted" | "refused" | "left" | "lost" | "over";

/** A guest who waits to be let in. A network that fails does not end it. */
export class LobbyWait {
  readonly #api: Pick<LobbyApi, "decision">;
  readonly #link: MeetingLink;
  #left = false;
  #wake = () => {};

  constructor(api: Pick<LobbyApi, "decision">, link: MeetingLink) {
    this.#api = api;
    this.#link = link;
  }

  async run({ name, ticket }: LobbySeat): Promise<WaitResult> {
    for (;;) {
      const result = await this.#ask(name, ticket);
      if (this.#left) return "left";
      if (result !== "waiting") return result;
      await this.#pause();
      if (this.#left) return "left";
    }
  }

  leave(): void {
    this.#left = true;
    this.#wake();
  }

  async #ask(name: string, ticket: string): Promise<WaitResult | "waiting"> {
    try {
      return await this.#api.decision(this.#link, name, ticket);
    } catch (error) {
      const cause = causeOf(error);
      if (cause === "lobby") return "lost";
      return cause === "meeting_over" ? "over" : "waiting";
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ASK_EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
