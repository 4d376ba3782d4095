import { expect, test } from "vitest";
import { apiClient } from "../src/api/client.ts";
import { meetingApi } from "../src/api/meeting.ts";
import type { Cause } from "../src/app_error.ts";

const BASE = "https://meet.example.org/meet/internal-api/v1";

function apiOver(answer: () => Response) {
  const sent: string[] = [];
  const outlivePage: string[] = [];
  const client = apiClient("https://meet.example.org", async (input) => {
    const request = new Request(input);
    const what = `${request.method} ${request.url.replace(BASE, "")}`;
    if (request.keepalive) outlivePage.push(what);
    sent.push([what, request.headers.get("authorization"), await request.text()].filter(Boolean).join(" "));
    return answer();
  });
  return { api: meetingApi(client, "standup-x", () => "tok"), sent, outlivePage };
}

test("each request has its own operation, with the participant's own token", async () => {
  const { api, sent } = apiOver(() => new Response(null, { status: 204 }));
  await api.setHand("Ana B", true);
  await api.setHand("Ana B", false);
  await api.react("Ana B", "🎉");
  await api.lowerAllHands();
  for (const act of [api.mute, api.stopCamera, api.askToUnmute, api.remove]) await act("Ben");
  await api.muteAll();
  await api.setRole("Ben", "viewer");
  await api.setLocked(true);
  await api.setLocked(false);
  await api.end();
  await api.admit("Cleo");
  await api.refuse("Cleo");
  await api.admitAll();
  expect(sent.every((request) => request.includes(" Bearer tok"))).toBe(true);
  expect(sent.map((request) => request.replace(" Bearer tok", ""))).toEqual([
    "PUT /rooms/standup-x/participants/Ana%20B/hand",
    "DELETE /rooms/standup-x/participants/Ana%20B/hand",
    'POST /rooms/standup-x/participants/Ana%20B/reactions {"reaction":"🎉"}',
    "DELETE /rooms/standup-x/hands",
    "POST /rooms/standup-x/participants/Ben/mute",
    "POST /rooms/standup-x/participants/Ben/stop-camera",
    "POST /rooms/standup-x/participants/Ben/ask-to-unmute",
    "DELETE /participants/Ben?roomName=standup-x",
    "POST /rooms/standup-x/mute-all",
    'PUT /rooms/standup-x/participants/Ben {"role":"viewer"}',
    "PUT /rooms/standup-x/lock",
    "DELETE /rooms/standup-x/lock",
    "POST /rooms/standup-x/end",
    "PUT /rooms/standup-x/lobby/Cleo",
    "DELETE /rooms/standup-x/lobby/Cleo",
    "POST /rooms/standup-x/lobby/admit-all",
  ]);
});

test("a message arrives although the page is left at once", async () => {
  const { api, sent, outlivePage } = apiOver(() => new Response(null, { status: 204 }));
  await api.postMessage("Ana", "m1", "bye");
  await api.setHand("Ana", true);
  expect(outlivePage).toEqual(["PUT /rooms/standup-x/participants/Ana/messages/m1"]);
  expect(sent[0]).toContain('{"text":"bye"}');
});

test("what the room allows is read from its preferences", async () => {
  const preferences = { chatPreferences: { enabled: true, files: false }, lobbyPreferences: { enabled: true } };
  const { api } = apiOver(() => Response.json({ preferences, locked: true }));
  const none = { recording: false, virtualBackground: false };
  await expect(api.settings()).resolves.toEqual({
    ...none,
    chat: true,
    chatHistory: true,
    chatFiles: false,
    lobby: true,
    locked: true,
  });
});

test("guests are a list, whatever comes", async () => {
  const guest = { participantName: "Cleo", waitingSince: 1 };
  await expect(apiOver(() => Response.json([guest])).api.guests()).resolves.toEqual([guest]);
  await expect(apiOver(() => Response.json(null)).api.guests()).resolves.toEqual([]);
});

test.each<[number, Cause]>([
  [403, "action_failed"],
  [404, "action_failed"],
  [429, "too_many_tries"],
  [503, "server_stopping"],
])("status %i means %s", async (status, code) => {
  const { api } = apiOver(() => Response.json({ code: "constructor" }, { status }));
  await expect(api.mute("Ben")).rejects.toMatchObject({ code });
});
