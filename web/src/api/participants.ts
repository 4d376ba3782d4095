import { type Cause, Trouble } from "../trouble.ts";
import { isRole, type Role } from "./claims.ts";
import { fieldOf, type Http } from "./http.ts";

/** What a link to a meeting says: which room, and the secret that stands for a role in it. */
export interface MeetingLink {
  readonly roomName: string;
  readonly secret: string;
}

/** The internal REST API as far as somebody who joins needs it. */
export interface ParticipantsApi {
  /** Which role a link gives. @throws Trouble when the link gives none. */
  role(link: MeetingLink): Promise<Role>;
  /**
   * A participant's access token. `held` is the token this tab already has: whoever shows it is the same person,
   * so that their own name is not taken after a reload.
   * @throws Trouble
   */
  token(link: MeetingLink, participantName: string, held: string | null): Promise<string>;
}

const CAUSES: Readonly<Record<number, Cause>> = {
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
const CAUSES_OF_LINK = { ...CAUSES, 422: "link_not_valid" } as const;

export function participantsApi(http: Http): ParticipantsApi {
  return {
    async role(link) {
      const answer = await http({ method: "POST", path: "/participants/role", body: link, causes: CAUSES_OF_LINK });
      const role = fieldOf(answer, "role");
      if (!isRole(role)) throw new Trouble("unexpected");
      return role;
    },

    async token(link, participantName, held) {
      const ask = {
        method: "POST",
        path: "/participants/token",
        body: { ...link, participantName },
        causes: CAUSES,
      } as const;
      const answer = await http({ ...ask, bearer: held }).catch((error: unknown) => {
        // a held token can be out of date; without it this is simply a new person
        if (held && error instanceof Trouble && error.code === "login_needed") return http(ask);
        throw error;
      });
      const token = fieldOf(answer, "token");
      if (typeof token !== "string") throw new Trouble("unexpected");
      return token;
    },
  };
}
