import { expect, test } from "vitest";
import { Announcer } from "../src/session/announcer.ts";
import { FakeApi, OPEN_ROOM } from "./fake_api.ts";
import { FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

async function joined(api = new FakeApi()) {
  const [room, announcer] = [new FakeRoom(), new Announcer()];
  const meeting = await joinedMeeting(meetingOptions({ api: api.asApi }), announcer, () => {}, room);
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, api, meeting, said };
}

test("what the room allows is asked for at the start, and changes at once", async () => {
  const { room, meeting, said } = await joined();
  await expect.poll(() => meeting.settings.current.value).toEqual(OPEN_ROOM);
  expect(meeting.canChat.value).toBe(true);
  room.receive("tertulia.room", { ...OPEN_ROOM, chat: false, locked: true });
  expect(meeting.canChat.value).toBe(false);
  expect(meeting.settings.current.value?.locked).toBe(true);
  room.receive("tertulia.room", OPEN_ROOM);
  expect(meeting.canChat.value).toBe(true);
  expect(said().slice(-2)).toEqual(["The room is locked", "The room is open again"]);
});

test("no participant can change it, and half a message is none", async () => {
  const { room, meeting } = await joined();
  await expect.poll(() => meeting.settings.current.value).toEqual(OPEN_ROOM);
  room.receive("tertulia.room", { ...OPEN_ROOM, locked: true }, { identity: "mallory" });
  room.receive("tertulia.room", { locked: true });
  room.receive("tertulia.room", { ...OPEN_ROOM, locked: "yes" });
  expect(meeting.settings.current.value).toEqual(OPEN_ROOM);
});

test("a change that is told while the page asks is newer than the answer", async () => {
  const { room, meeting } = await joined();
  room.receive("tertulia.room", { ...OPEN_ROOM, recording: false });
  await new Promise((resolve) => setTimeout(resolve));
  expect(meeting.settings.current.value?.recording).toBe(false);
});

test("after a reconnect it is asked for again", async () => {
  const { room, api, meeting } = await joined();
  await expect.poll(() => meeting.settings.current.value).toEqual(OPEN_ROOM);
  api.room = { ...OPEN_ROOM, chat: false };
  room.emit("reconnected");
  await expect.poll(() => meeting.canChat.value).toBe(false);
});

test("a role that changes is the page's at once", async () => {
  const { room, meeting } = await joined();
  expect(meeting.role.value).toBe("publisher");
  room.localParticipant.metadata = JSON.stringify({ role: "moderator" });
  room.emit("participantMetadataChanged", "", room.localParticipant);
  expect(meeting.role.value).toBe("moderator");
  room.localParticipant.metadata = "no JSON";
  room.emit("participantMetadataChanged", "", room.localParticipant);
  expect(meeting.role.value).toBe("moderator");
});

test("what the administrator writes to all is shown and read out; what a participant sends so is not", async () => {
  const { room, meeting, said } = await joined();
  room.receive("tertulia.notice", { message: "forged" }, { identity: "mallory" });
  room.receive("tertulia.notice", { message: "  " });
  expect(meeting.notices.all.value).toEqual([]);
  room.receive("tertulia.notice", { message: "We close in five minutes" });
  expect(meeting.notices.all.value).toEqual([{ kind: "from_console", message: "We close in five minutes" }]);
  expect(said().at(-1)).toBe("Message to all: We close in five minutes");
});
