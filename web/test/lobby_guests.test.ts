import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/session/announcer.ts";
import { FakeApi, OPEN_ROOM } from "./fake_api.ts";
import { FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const guest = (participantName: string) => ({ participantName, waitingSince: 1 });

async function joined(role = "moderator", waiting = [guest("Cleo")]) {
  const [room, api, announcer] = [new FakeRoom(), new FakeApi(), new Announcer()];
  room.localParticipant.metadata = JSON.stringify({ role });
  api.room = { ...OPEN_ROOM, lobby: true };
  api.waiting = waiting;
  const meeting = await joinedMeeting(meetingOptions({ api: api.asApi }), announcer, () => {}, room);
  await vi.advanceTimersByTimeAsync(0);
  const names = () => meeting.guests.waiting.value.map(({ participantName }) => participantName);
  const asked = () => api.asked.filter((request) => request === "guests").length;
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, api, meeting, names, asked, said };
}

test("a moderator sees who waits, and is told of those who come", async () => {
  const { room, api, meeting, names, said } = await joined();
  expect(names()).toEqual(["Cleo"]);
  expect(said()).toContain("1 person waits to be let in");
  meeting.notices.dismiss("lobby");
  api.waiting = [guest("Cleo"), guest("Dan")];
  room.receive("tertulia.lobby", {}, { identity: "mallory" });
  await vi.advanceTimersByTimeAsync(0);
  expect(names()).toEqual(["Cleo"]);
  room.receive("tertulia.lobby", {});
  await vi.advanceTimersByTimeAsync(0);
  expect(names()).toEqual(["Cleo", "Dan"]);
  expect(meeting.notices.all.value).toEqual([{ kind: "lobby", count: 2 }]);
});

test("a notice that was dismissed stays away until another guest comes", async () => {
  const { room, api, meeting } = await joined("moderator", [guest("Cleo"), guest("Dan")]);
  meeting.notices.dismiss("lobby");
  api.waiting = [guest("Dan")];
  room.receive("tertulia.lobby", {});
  await vi.advanceTimersByTimeAsync(0);
  expect(meeting.notices.all.value).toEqual([]);
});

test("decisions go to the server, and the list is looked at again", async () => {
  const { api, meeting, names } = await joined("moderator", [guest("Cleo"), guest("Dan")]);
  api.waiting = [guest("Dan")];
  await meeting.guests.admit("Cleo");
  expect(names()).toEqual(["Dan"]);
  api.waiting = [];
  await meeting.guests.refuse("Dan");
  expect(meeting.notices.all.value).toEqual([]);
  await meeting.guests.admitAll();
  const decisions = api.asked.filter((request) => !/^(guests|settings)/.test(request));
  expect(decisions).toEqual(["admit Cleo", "refuse Dan", "admitAll"]);
});

test("guests who go without a word are noticed, and an empty lobby is not asked for", async () => {
  const { api, names, asked } = await joined();
  api.waiting = [];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(names()).toEqual([]);
  const before = asked();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked()).toBe(before);
});

test("names of guests are for moderators: who is none does not ask, who becomes one does", async () => {
  const { room, names, asked } = await joined("publisher");
  room.receive("tertulia.lobby", {});
  await vi.advanceTimersByTimeAsync(20_000);
  expect([asked(), names()]).toEqual([0, []]);
  room.localParticipant.metadata = JSON.stringify({ role: "moderator" });
  room.emit("participantMetadataChanged", "", room.localParticipant);
  await vi.advanceTimersByTimeAsync(0);
  expect(names()).toEqual(["Cleo"]);
  room.localParticipant.metadata = JSON.stringify({ role: "viewer" });
  room.emit("participantMetadataChanged", "", room.localParticipant);
  await expect.poll(names).toEqual([]);
});

test("after the meeting nothing is asked", async () => {
  const { room, asked } = await joined();
  room.emit("disconnected", undefined);
  const before = asked();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked()).toBe(before);
});
