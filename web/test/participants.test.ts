import { expect, test } from "vitest";
import { httpOver } from "../src/api/http.ts";
import { participantsApi } from "../src/api/participants.ts";
import type { Cause } from "../src/trouble.ts";

const LINK = { roomName: "standup-x", secret: "s3cret" };

interface Seen {
  path: string;
  body: unknown;
  authorization: string | null;
}

function serverThat(answers: (Response | Error)[], seen: Seen[] = []) {
  return participantsApi(
    httpOver(async (input, init) => {
      const headers = new Headers(init?.headers);
      seen.push({
        path: String(input),
        body: JSON.parse(String(init?.body)),
        authorization: headers.get("authorization"),
      });
      const answer = answers.shift();
      if (!answer || answer instanceof Error) throw answer ?? new Error("asked more often than expected");
      return answer;
    }),
  );
}

test("asks for a token by link and name, and shows the one it holds", async () => {
  const seen: Seen[] = [];
  const api = serverThat([Response.json({ token: "t2" })], seen);
  await expect(api.token(LINK, "Ana", "t1")).resolves.toBe("t2");
  expect(seen).toEqual([
    {
      path: "/meet/internal-api/v1/participants/token",
      body: { ...LINK, participantName: "Ana" },
      authorization: "Bearer t1",
    },
  ]);
});

test("a held token that is out of date does not keep anybody out", async () => {
  const seen: Seen[] = [];
  const api = serverThat([new Response("{}", { status: 401 }), Response.json({ token: "t2" })], seen);
  await expect(api.token(LINK, "Ana", "old")).resolves.toBe("t2");
  expect(seen.map((request) => request.authorization)).toEqual(["Bearer old", null]);
});

test.each<[number, Cause]>([
  [401, "login_needed"],
  [403, "link_not_valid"],
  [404, "meeting_over"],
  [409, "name_taken"],
  [422, "name_not_valid"],
  [429, "too_many_tries"],
  [500, "unexpected"],
  [503, "server_stopping"],
])("status %i is told as %s", async (status, code) => {
  const api = serverThat([new Response("{}", { status })]);
  await expect(api.token(LINK, "Ana", null)).rejects.toMatchObject({ code });
});

test("a server that does not answer is told as such", async () => {
  await expect(serverThat([new TypeError("failed to fetch")]).role(LINK)).rejects.toMatchObject({
    code: "server_unreachable",
  });
});

test("an answer that is no role is not believed", async () => {
  await expect(serverThat([Response.json({ role: "god" })]).role(LINK)).rejects.toMatchObject({ code: "unexpected" });
  await expect(serverThat([new Response("<html>")]).role(LINK)).rejects.toMatchObject({ code: "unexpected" });
});
