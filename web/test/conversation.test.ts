import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import type { Meeting } from "../src/session/meeting.ts";
import { FakeApi } from "./fake_api.ts";
import { FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function joined(api = new FakeApi()) {
  const [room, announcer] = [new FakeRoom(), new Announcer()];
  const meeting = await joinedMeeting(meetingOptions({ api: api.asApi }), announcer, () => {}, room);
  await vi.advanceTimersByTimeAsync(0);
  const texts = () => meeting.chat.messages.value.map(({ text }) => text);
  const states = () => meeting.chat.messages.value.map(({ state }) => state);
  const posted = () => api.asked.filter((each) => each.startsWith("postMessage"));
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, api, meeting, texts, states, posted, said };
}

const kept = (messageId: string, participantName: string, text: string, sentAt = 1_800_000_000_000) => ({
  messageId,
  participantName,
  text,
  sentAt,
});

async function write(meeting: Meeting, text: string): Promise<void> {
  meeting.chat.draft.value = text;
  await meeting.conversation.sendDraft();
}

test("who comes later sees what was written, and how much of it is unread", async () => {
  const api = new FakeApi();
  api.kept = [kept("1", "ben", "first"), kept("2", "ana", "my own"), kept("3", "ben", "second")];
  const { meeting, texts, said } = await joined(api);
  expect(texts()).toEqual(["first", "my own", "second"]);
  expect(meeting.chat.messages.value.map(({ mine }) => mine)).toEqual([false, true, false]);
  expect(meeting.chat.unread.value).toBe(2);
  expect(said()).toContain("2 new messages");
});

test("what was missed is put where it belongs, and nothing comes twice", async () => {
  const { room, api, meeting, texts } = await joined();
  room.receive("tertulia.chat", kept("1", "ben", "first"));
  room.receive("tertulia.chat", kept("1", "ben", "first"));
  room.receive("tertulia.chat", kept("1", "cleo", "another's first"));
  room.receive("tertulia.chat", kept("4", "ben", "last"));
  api.kept = [kept("1", "ben", "first"), kept("2", "ben", "missed"), kept("4", "ben", "last")];
  room.emit("reconnected");
  await vi.advanceTimersByTimeAsync(0);
  expect(texts()).toEqual(["first", "missed", "another's first", "last"]);
  expect(meeting.chat.unread.value).toBe(4);
});

test("no participant can pretend to be another by a message of the server", async () => {
  const { room, texts } = await joined();
  room.receive("tertulia.chat", kept("1", "ben", "not ben"), { identity: "mallory" });
  room.receive("tertulia.chat", { messageId: 1, participantName: "ben", text: "half a message" });
  room.receive("tertulia.chat", { messageId: "1", participantName: "ben", text: ["x"] });
  expect(texts()).toEqual([]);
});

test("a message goes both ways under one id, and its echo is not another", async () => {
  const { room, meeting, texts, posted } = await joined();
  await write(meeting, "hello");
  const id = room.attributes[0]?.["tertulia.id"] ?? "";
  expect(posted()).toEqual([`postMessage ana ${id} hello`]);
  room.receive("tertulia.chat", kept(id, "ana", "hello"));
  expect(texts()).toEqual(["hello"]);
});

test("without a network it is sent again by itself, with the same id, and not as a stream again", async () => {
  const { room, api, meeting, posted, states } = await joined();
  api.refusal = new AppError("server_unreachable");
  await write(meeting, "hello");
  expect(states()).toEqual(["failed"]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(states()).toEqual(["failed"]);
  api.refusal = null;
  await vi.advanceTimersByTimeAsync(6000);
  expect(states()).toEqual(["sent"]);
  expect(new Set(posted()).size).toBe(1);
  expect(room.sent).toEqual(["hello"]);
});

test("messages reach the server in the order in which they were written", async () => {
  const { room, meeting, posted, states } = await joined();
  let arrive = (): void => {};
  room.sending = new Promise((resolve) => {
    arrive = resolve;
  });
  const first = write(meeting, "first");
  room.sending = Promise.resolve();
  const second = write(meeting, "second");
  await vi.advanceTimersByTimeAsync(0);
  expect(posted()).toEqual([]);
  arrive();
  await Promise.all([first, second]);
  expect(posted().map((asked) => asked.split(" ").at(-1))).toEqual(["first", "second"]);
  expect(states()).toEqual(["sent", "sent"]);
});

test("what the server refuses is not asked again and again", async () => {
  const { api, meeting, posted, states } = await joined();
  api.refusal = new AppError("action_failed");
  await write(meeting, "hello");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(posted()).toHaveLength(1);
  expect(states()).toEqual(["failed"]);
});

test("what could not be sent is sent when the connection is back", async () => {
  const { room, meeting, states, posted } = await joined();
  room.sending = Promise.reject(new Error("no connection"));
  await write(meeting, "hello");
  expect([states(), posted()]).toEqual([["failed"], []]);
  room.sending = Promise.resolve();
  room.emit("reconnected");
  await vi.advanceTimersByTimeAsync(0);
  expect(states()).toEqual(["sent"]);
  expect(room.sent).toEqual(["hello"]);
});

test("a text that is too long stays in the field", async () => {
  const { room, meeting } = await joined();
  await write(meeting, "x".repeat(4001));
  expect(room.sent).toEqual([]);
  expect(meeting.chat.draft.value).toHaveLength(4001);
  await write(meeting, "x".repeat(4000));
  expect(room.sent).toHaveLength(1);
});
