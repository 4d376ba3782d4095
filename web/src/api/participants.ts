import { type Cause, Trouble } from "../trouble.ts";
import { isRole, type Role } from "./claims.ts";

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

const BASE_PATH = "/meet/internal-api/v1";

const CAUSE_BY_STATUS: Readonly<Record<number, Cause>> = {
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

export function participantsApi(fetch: typeof globalThis.fetch): ParticipantsApi {
  async function post(path: string, body: object, bearer: string | null): Promise<Record<string, unknown>> {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    const response = await fetch(BASE_PATH + path, { method: "POST", headers, body: JSON.stringify(body) }).catch(
      (cause: unknown) => {
        throw new Trouble("server_unreachable", { cause });
      },
    );
    if (!response.ok) throw new Trouble(CAUSE_BY_STATUS[response.status] ?? "unexpected");
    return (await response.json().catch((cause: unknown) => {
      throw new Trouble("unexpected", { cause });
    })) as Record<string, unknown>;
  }

  return {
    async role(link) {
      const { role } = await post("/participants/role", link, null);
      if (!isRole(role)) throw new Trouble("unexpected");
      return role;
    },

    async token(link, participantName, held) {
      const body = { ...link, participantName };
      const { token } = await post("/participants/token", body, held).catch((error: unknown) => {
        // a held token can be out of date; without it this is simply a new person
        if (held && error instanceof Trouble && error.code === "login_needed")
          return post("/participants/token", body, null);
        throw error;
      });
      if (typeof token !== "string") throw new Trouble("unexpected");
      return token;
    },
  };
}
