import { signal } from "@preact/signals-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LobbyDecision } from "../src/api/lobby.ts";
import { AppError, type Cause } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { Chat } from "../src/session/chat.ts";
import { LocalDevice, LocalDevices } from "../src/session/devices.ts";
import type { Meeting } from "../src/session/meeting.ts";
import { MeetingPage } from "../src/session/page.ts";
import { RecordingControl } from "../src/session/recording_control.ts";
import { Recordings } from "../src/session/recordings.ts";
import { Speaker } from "../src/session/speaker.ts";
import { PageStorage } from "../src/session/storage.ts";
import { FakeApi, OPEN_ROOM } from "./fake_api.ts";
import { plainPage } from "./fake_effects.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TOKEN = `e30.${Buffer.from(JSON.stringify({ metadata: '{"livekitUrl":"ws://m","role":"publisher"}' })).toString("base64url")}.s`;

function tabStore() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

/** A room with a lobby: a ticket is good for a token once it is admitted, until it is revoked. */
class FakeLobby {
  readonly decisions = new Map<string, LobbyDecision>();
  readonly entered: string[] = [];
  readonly tokensFor: (string | undefined)[] = [];
  readonly revoked = new Set<string>();
  asked = 0;
  refusal: Cause | null = null;
  hasLobby = true;

  async enter(_link: unknown, name: string): Promise<string | null> {
    if (this.refusal) throw new AppError(this.refusal);
    if (!this.hasLobby) return null;
    const ticket = `t${this.entered.length + 1}`;
    this.entered.push(name);
    this.decisions.set(ticket, "waiting");
    return ticket;
  }

  async decision(_link: unknown, _name: string, ticket: string): Promise<LobbyDecision> {
    this.asked += 1;
    if (this.refusal) throw new AppError(this.refusal);
    const decision = this.decisions.get(ticket);
    if (!decision) throw new AppError("lobby");
    return decision;
  }

  async token(_link: unknown, _name: string, _held: string | null, ticket?: string): Promise<string> {
    this.tokensFor.push(ticket);
    const isLetIn = this.decisions.get(ticket ?? "") === "admitted" && !this.revoked.has(ticket ?? "");
    if (this.hasLobby && !isLetIn) throw new AppError("lobby");
    return TOKEN;
  }
}

function pageAt(lobby: FakeLobby, tab = tabStore()) {
  const announcer = new Announcer();
  const meeting = {
    role: signal("publisher"),
    settings: { current: signal(OPEN_ROOM) },
    recording: signal(false),
    chat: new Chat(),
    connect: async () => {},
  };
  const page = new MeetingPage({
    link: { roomName: "standup-x", secret: "s" },
    api: { role: async () => "publisher", token: (...args) => lobby.token(...args) },
    lobbyApi: lobby,
    meetingApi: new FakeApi().asApi,
    ...plainPage(),
    devices: new LocalDevices(
      undefined,
      new LocalDevice("camera", false, ""),
      new LocalDevice("microphone", false, ""),
      new Speaker("", null, () => {}),
    ),
    storage: new PageStorage(null, tab),
    recordingControl: new RecordingControl({ start: async () => {}, stop: async () => {} }),
    recordings: new Recordings({ list: async () => [], streamUrl: async () => "", delete: async () => {} }, announcer),
    announcer,
    hasWebRtc: true,
    network: { isOnline: () => true, addEventListener: () => {}, removeEventListener: () => {} },
    loadMeeting: async () => ({ prepare: () => meeting as unknown as Meeting }),
  });
  return { page, tab, view: () => page.state.value.view };
}

async function waiting(lobby = new FakeLobby(), tab = tabStore()) {
  const opened = pageAt(lobby, tab);
  await opened.page.open();
  opened.page.name.value = "Cleo";
  void opened.page.join();
  await vi.advanceTimersByTimeAsync(0);
  expect(opened.view()).toBe("lobby");
  return { ...opened, lobby };
}

test("a guest waits, is let in, and takes the token with the ticket", async () => {
  const { lobby, view } = await waiting();
  await vi.advanceTimersByTimeAsync(6100);
  expect(lobby.asked).toBe(4);
  expect(view()).toBe("lobby");
  lobby.decisions.set("t1", "admitted");
  await vi.advanceTimersByTimeAsync(2000);
  expect(view()).toBe("meeting");
  expect(lobby.tokensFor).toEqual([undefined, "t1"]);
});

test("who is refused is told, and can ask again", async () => {
  const { page, lobby } = await waiting();
  lobby.decisions.set("t1", "refused");
  await vi.advanceTimersByTimeAsync(2000);
  expect(page.state.value).toEqual({ view: "ended", cause: "lobby_refused" });
  await page.open();
  void page.join();
  await vi.advanceTimersByTimeAsync(0);
  expect(lobby.entered).toEqual(["Cleo", "Cleo"]);
});

test("a reload goes on waiting on the same place", async () => {
  const { lobby, tab } = await waiting();
  const reloaded = pageAt(lobby, tab);
  await reloaded.page.open();
  await vi.advanceTimersByTimeAsync(0);
  expect(reloaded.view()).toBe("lobby");
  expect(reloaded.page.name.value).toBe("Cleo");
  lobby.decisions.set("t1", "admitted");
  await vi.advanceTimersByTimeAsync(2000);
  expect(reloaded.view()).toBe("meeting");
  expect(lobby.entered).toEqual(["Cleo"]);
  // the next reload is one in the meeting: the form asks first
  const again = pageAt(lobby, tab);
  await again.page.open();
  expect(again.view()).toBe("prejoin");
});

test("who leaves the lobby sees the form next, and finds the same place under the same name", async () => {
  const { page, lobby, view } = await waiting();
  const state = page.state.value;
  if (state.view === "lobby") state.waiting.leave();
  await vi.advanceTimersByTimeAsync(0);
  expect(page.state.value).toEqual({ view: "ended", cause: null });
  await page.open();
  expect(view()).toBe("prejoin");
  void page.join();
  await vi.advanceTimersByTimeAsync(0);
  expect(view()).toBe("lobby");
  expect(lobby.entered).toEqual(["Cleo"]);
});

test("a network that fails does not end the wait; a meeting that ends does", async () => {
  const { page, lobby, view } = await waiting();
  lobby.refusal = "server_unreachable";
  await vi.advanceTimersByTimeAsync(30_000);
  expect(view()).toBe("lobby");
  lobby.refusal = "meeting_over";
  await vi.advanceTimersByTimeAsync(2000);
  expect(page.state.value).toEqual({ view: "ended", cause: "meeting_over" });
});

test("a ticket from before a removal is exchanged for a new one", async () => {
  const { page, lobby, view } = await waiting();
  lobby.decisions.set("t1", "admitted");
  await vi.advanceTimersByTimeAsync(2000);
  expect(view()).toBe("meeting");
  lobby.revoked.add("t1");
  await page.open();
  void page.join();
  await vi.advanceTimersByTimeAsync(0);
  expect(view()).toBe("lobby");
  lobby.decisions.set("t2", "admitted");
  await vi.advanceTimersByTimeAsync(2000);
  expect(view()).toBe("meeting");
  expect(lobby.tokensFor.at(-1)).toBe("t2");
});

test("a guest whom the server has forgotten enters again", async () => {
  const { lobby, view } = await waiting();
  lobby.decisions.delete("t1");
  await vi.advanceTimersByTimeAsync(2000);
  expect(view()).toBe("lobby");
  expect(lobby.entered).toHaveLength(2);
});

test("a name that waits already is said in the form", async () => {
  const lobby = new FakeLobby();
  const { page, view } = pageAt(lobby);
  await page.open();
  page.name.value = "Cleo";
  lobby.refusal = "name_taken";
  await page.join();
  expect([view(), page.error.value]).toEqual(["prejoin", "name_taken"]);
});
