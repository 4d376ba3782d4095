import { AppError } from "../app_error.ts";
import { isRole, type Role } from "./claims.ts";
import { type ApiClient, answerOf, bearer, type Causes } from "./client.ts";
import type { components } from "./schema.d.ts";

/** What a link to a meeting says: which room, and the secret that stands for a role in it. */
export type MeetingLink = Readonly<components["schemas"]["MeetingLink"]>;

/** The part of the internal API that joining needs. */
export interface ParticipantsApi {
  /** Which role a link gives. @throws AppError when the link gives none. */
  role(link: MeetingLink): Promise<Role>;
  /**
   * A participant's access token. `held` is the token this tab already has: it shows that the request comes from the
   * same participant, so that their own name is not taken after a reload.
   * @param lobbyTicket of a guest who was let in from the lobby
   * @throws AppError `lobby` where the participant has to wait there first.
   */
  token(link: MeetingLink, participantName: string, held: string | null, lobbyTicket?: string): Promise<string>;
}

const CAUSES: Causes = {
  lobby: "lobby",
  room_locked: "room_locked",
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

/** Without a name in the request, what is malformed in it is the link. */
const CAUSES_OF_LINK: Causes = { ...CAUSES, 422: "link_not_valid" };

export function participantsApi(client: ApiClient): ParticipantsApi {
  function requestToken(body: components["schemas"]["TokenOptions"], held: string | null) {
    return answerOf(client.POST("/participants/token", { body, headers: bearer(held) }), CAUSES);
  }

  return {
    async role(link) {
      const answer = await answerOf(client.POST("/participants/role", { body: link }), CAUSES_OF_LINK);
      if (!isRole(answer?.role)) throw new AppError("unexpected");
      return answer.role;
    },

    async token(link, participantName, held, lobbyTicket) {
      const body = { ...link, participantName, ...(lobbyTicket && { lobbyTicket }) };
      const answer = await requestToken(body, held).catch((error: unknown) => {
        // a held token can be out of date; without it this is a new participant
        if (held && error instanceof AppError && error.code === "login_needed") return requestToken(body, null);
        throw error;
      });
      if (typeof answer?.token !== "string") throw new AppError("unexpected");
      return answer.token;
    },
  };
}
