import { expect, test } from "vitest";
import { apiClient } from "../src/api/client.ts";
import { participantsApi } from "../src/api/participants.ts";
import type { Cause } from "../src/app_error.ts";

const LINK = { roomName: "standup-x", secret: "s3cret" };

interface Sent {
  url: string;
  body: unknown;
  authorization: string | null;
}

function apiOver(answers: (Response | Error)[], sent: Sent[] = []) {
  const client = apiClient("https://meet.example.org", async (input) => {
    const request = new Request(input);
    sent.push({ url: request.url, body: await request.json(), authorization: request.headers.get("authorization") });
    const answer = answers.shift();
    if (!answer || answer instanceof Error) throw answer ?? new Error("more requests than expected");
    return answer;
  });
  return participantsApi(client);
}

test("requests a token by link and name, and sends the one it holds", async () => {
  const sent: Sent[] = [];
  const api = apiOver([Response.json({ token: "t2" })], sent);
  await expect(api.token(LINK, "Ana", "t1")).resolves.toBe("t2");
  expect(sent).toEqual([
    {
      url: "https://meet.example.org/meet/internal-api/v1/participants/token",
      body: { ...LINK, participantName: "Ana" },
      authorization: "Bearer t1",
    },
  ]);
});

test("a held token that is out of date does not prevent joining", async () => {
  const sent: Sent[] = [];
  const api = apiOver([new Response("{}", { status: 401 }), Response.json({ token: "t2" })], sent);
  await expect(api.token(LINK, "Ana", "old")).resolves.toBe("t2");
  expect(sent.map((request) => request.authorization)).toEqual(["Bearer old", null]);
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
])("status %i means %s", async (status, code) => {
  const api = apiOver([new Response("{}", { status })]);
  await expect(api.token(LINK, "Ana", null)).rejects.toMatchObject({ code });
});

test("a server that does not answer is unreachable", async () => {
  await expect(apiOver([new TypeError("failed to fetch")]).role(LINK)).rejects.toMatchObject({
    code: "server_unreachable",
  });
});

test("an answer that is not a role is refused", async () => {
  await expect(apiOver([Response.json({ role: "god" })]).role(LINK)).rejects.toMatchObject({ code: "unexpected" });
  await expect(apiOver([new Response("<html>")]).role(LINK)).rejects.toMatchObject({ code: "unexpected" });
  await expect(apiOver([Response.json(null)]).role(LINK)).rejects.toMatchObject({ code: "unexpected" });
});

test.each<[string, Cause]>([
  ["lobby", "lobby"],
  ["room_locked", "room_locked"],
  ["something_else", "link_not_valid"],
])("the code %s says more than its status", async (code, cause) => {
  const api = apiOver([Response.json({ code, message: "no" }, { status: 403 })]);
  await expect(api.token(LINK, "Ana", null)).rejects.toMatchObject({ code: cause });
});

test("a guest who was let in shows the ticket", async () => {
  const sent: Sent[] = [];
  await apiOver([Response.json({ token: "t" })], sent).token(LINK, "Ana", null, "ticket");
  expect(sent[0]?.body).toEqual({ ...LINK, participantName: "Ana", lobbyTicket: "ticket" });
});
