import { AppError } from "../app_error.ts";
import { type ApiClient, answerOf, type Causes } from "./client.ts";
import type { MeetingLink } from "./participants.ts";
import type { components } from "./schema.d.ts";

export type LobbyDecision = components["schemas"]["LobbyDecision"]["state"];

/** The lobby of a room, for a guest: no token is needed, and none is given. */
export interface LobbyApi {
  /**
   * Waits to be let in.
   * @returns a ticket, or null where the room has no lobby (any more).
   * @throws AppError
   */
  enter(link: MeetingLink, name: string): Promise<string | null>;
  /**
   * What was decided. A guest who stops asking has gone.
   * @throws AppError `lobby` where the guest has to enter again.
   */
  decision(link: MeetingLink, name: string, ticket: string): Promise<LobbyDecision>;
}

const CAUSES: Causes = {
  no_lobby: "lobby",
  guest_not_found: "lobby",
  401: "login_needed",
  403: "link_not_valid",
  404: "meeting_over",
  409: "name_taken",
  422: "name_not_valid",
  429: "too_many_tries",
  502: "server_unreachable",
  503: "server_stopping",
  504: "server_unreachable",
};

export function lobbyApi(client: ApiClient): LobbyApi {
  return {
    async enter({ roomName, secret }, participantName) {
      const params = { path: { roomName } };
      const entered = client.POST("/rooms/{roomName}/lobby", { params, body: { participantName, secret } });
      const answer = await answerOf(entered, CAUSES).catch((error: unknown) => {
        if (error instanceof AppError && error.code === "lobby") return null;
        throw error;
      });
      if (answer !== null && typeof answer?.lobbyTicket !== "string") throw new AppError("unexpected");
      return answer?.lobbyTicket ?? null;
    },
    async decision({ roomName }, participantName, lobbyTicket) {
      const params = { path: { roomName } };
      const asked = client.POST("/rooms/{roomName}/lobby/state", { params, body: { participantName, lobbyTicket } });
      return (await answerOf(asked, CAUSES))?.state ?? "waiting";
    },
  };
}
