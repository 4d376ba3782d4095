import { expect, test } from "vitest";
import { Refusal } from "../../src/console/api/refusal.ts";
import type { Room } from "../../src/console/api/types.ts";
import { LiveRoom } from "../../src/console/session/live_room.ts";
import { FakeServer, fakeConsole } from "./fake_server.ts";

const page = (...items: object[]) => ({ items, next: null });

async function inside(server = new FakeServer(), welcomed = true) {
  const made = fakeConsole(server, welcomed);
  await made.console.open();
  await made.console.logIn("admin", "printed");
  await expect.poll(() => made.console.events.connected.value).toBe(true);
  return made;
}

test("a first start is welcomed, until there is a room or it was passed by", async () => {
  const { console, memory } = await inside(new FakeServer(), false);
  expect(console.stage.value).toBe("welcome");
  expect(console.firstPassword).toBe("printed");
  console.endWelcome();
  expect([console.stage.value, console.firstPassword, memory.done]).toEqual(["ready", "", true]);
  const server = new FakeServer();
  server.answers.rooms = page({ roomName: "a" });
  const known = await inside(server, false);
  expect(known.console.stage.value).toBe("ready");
  expect(known.console.firstPassword).toBe("");
});

test("the installation's own name and logo are known before the login, and change with the settings", async () => {
  const server = new FakeServer();
  server.answers.appearance = { name: "Example AG" };
  const { console } = fakeConsole(server);
  await console.open();
  expect([console.stage.value, console.brand.value]).toEqual(["login", { name: "Example AG", logo: "" }]);
  const own = { name: "", logo: "data:image/png;base64,eA==" };
  server.answers.settings = { values: { appearance: own }, stored: ["appearance"], settings: [] };
  await console.logIn("admin", "printed");
  await expect.poll(() => console.brand.value).toEqual(own);
});

test("a server that does not tell its name is Tertulia", async () => {
  const server = new FakeServer();
  server.refusals.appearance = new Refusal("offline");
  const { console } = fakeConsole(server);
  await console.open();
  expect([console.stage.value, console.brand.value]).toEqual(["login", { name: "", logo: "" }]);
});

test("a session that ends while the console is used is told; one that is ended by the user is not", async () => {
  const ended = await inside();
  ended.server.tell("sessionEnded");
  await expect.poll(() => ended.console.stage.value).toBe("login");
  expect(ended.console.sessionEnded.value).toBe(true);
  expect(ended.console.events.connected.value).toBeNull();
  await ended.console.logIn("admin", "again");
  expect([ended.console.stage.value, ended.console.sessionEnded.value]).toEqual(["ready", false]);
  const left = await inside();
  await left.console.logOut();
  expect([left.console.stage.value, left.console.sessionEnded.value]).toEqual(["login", false]);
});

test("the list is asked for again for what is in it, and for what is new", async () => {
  const { console, server } = await inside();
  server.answers.rooms = page({ roomName: "shown" });
  await console.rooms.list.refresh();
  const asked = () => server.asked.filter((one) => one.startsWith("rooms")).length;
  const before = asked();
  server.tell("participantJoined", { roomName: "elsewhere" });
  server.tell("participantJoined", { roomName: "shown" });
  server.tell("participantLeft", { roomName: "shown" });
  await expect.poll(asked).toBe(before + 1);
  server.tell("roomCreated", { roomName: "new" });
  await expect.poll(asked, { timeout: 3000 }).toBe(before + 2);
});

test("what the stream has missed is read again", async () => {
  const { console, server } = await inside();
  server.tell("ready", { resumed: true });
  server.tell("settingsChanged");
  await expect.poll(() => server.asked.at(-1)).toBe("settings");
  const before = server.asked.filter((one) => one.startsWith("rooms")).length;
  server.tell("ready", { resumed: false });
  await expect.poll(() => server.asked.filter((one) => one.startsWith("rooms")).length).toBe(before + 1);
  expect(console.cutOff.value).toBe(false);
});

const ROOM: Room = { roomName: "a", preferences: { chatPreferences: { enabled: true } } };

test("a change of a room shows at once, and goes back where it was refused", async () => {
  const server = new FakeServer();
  server.answers.room = ROOM;
  const live = new LiveRoom(server.asServer, "a");
  await live.refresh();
  const chat = () => live.room.value?.preferences?.chatPreferences?.enabled;
  server.refusals.changeRoom = new Refusal("store_unavailable", 503);
  const change = live.allow({ chat: false });
  expect(chat()).toBe(false);
  await change;
  expect(chat()).toBe(true);
  expect(live.action.refusal.value?.code).toBe("store_unavailable");
  const lock = live.lock(true);
  expect(live.room.value?.locked).toBe(true);
  await lock;
});

test("a room follows its events, and is told to be gone", async () => {
  const server = new FakeServer();
  server.answers.room = ROOM;
  server.answers.participants = [{ participantName: "b", joinedAt: 2 }];
  const live = new LiveRoom(server.asServer, "a");
  await live.refresh();
  server.answers.participants = [
    { participantName: "b", joinedAt: 2 },
    { participantName: "a", joinedAt: 1 },
  ];
  live.onEvent({ name: "participantJoined", data: { roomName: "other" } });
  live.onEvent({ name: "participantJoined", data: { roomName: "a" } });
  await expect.poll(() => live.participants.value.map((one) => one.participantName)).toEqual(["a", "b"]);
  server.answers.recordings = page({ recordingId: "r", status: "ACTIVE" });
  live.onEvent({ name: "recordingChanged", data: { roomName: "a" } });
  await expect.poll(() => live.running.value?.recordingId).toBe("r");
  live.onEvent({ name: "roomDeleted", data: { roomName: "a" } });
  expect(live.gone.value).toBe(true);
  live.close();
});

test("a room that never was is refused, not gone", async () => {
  const server = new FakeServer();
  server.refusals.room = new Refusal("room_not_found", 404);
  const live = new LiveRoom(server.asServer, "a");
  await live.refresh();
  expect([live.gone.value, live.refusal.value?.code]).toEqual([false, "room_not_found"]);
});

test("a recording that grows is shown without asking; one that ends is asked for", async () => {
  const { console, server } = await inside();
  const running = { recordingId: "r", status: "ACTIVE", filename: "r.mp4", size: 1 };
  server.answers.recordings = page(running, { recordingId: "s", status: "COMPLETE" });
  await console.recordings.list.refresh();
  const asked = () => server.asked.filter((one) => one.startsWith("recordings")).length;
  const before = asked();
  server.tell("recordingChanged", { recordingId: "r", status: "ACTIVE", size: 9 });
  await expect.poll(() => console.recordings.list.items.value[0]).toEqual({ ...running, size: 9 });
  console.recordings.selectFinished(true);
  expect([...console.recordings.list.selected.value]).toEqual(["s"]);
  server.tell("recordingChanged", { recordingId: "r", status: "ENDING" });
  await expect.poll(asked).toBe(before + 1);
});
