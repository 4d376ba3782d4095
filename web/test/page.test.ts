import { signal } from "@preact/signals-core";
import { afterEach, expect, test, vi } from "vitest";
import type { Role } from "../src/api/claims.ts";
import { AppError, type Cause } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { Chat } from "../src/session/chat.ts";
import { LocalDevice, LocalDevices } from "../src/session/devices.ts";
import type { Meeting } from "../src/session/meeting.ts";
import { parseMeetingLink } from "../src/session/meeting_link.ts";
import { MeetingPage, titleOf } from "../src/session/page.ts";
import { RecordingControl } from "../src/session/recording_control.ts";
import { Recordings } from "../src/session/recordings.ts";
import { Speaker } from "../src/session/speaker.ts";
import { PageStorage } from "../src/session/storage.ts";
import { FakeApi, OPEN_ROOM } from "./fake_api.ts";
import { plainPage } from "./fake_effects.ts";

afterEach(() => void vi.useRealTimers());

function store() {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

function tokenFor(role: Role): string {
  const metadata = JSON.stringify({ livekitUrl: "ws://media", role });
  return `e30.${Buffer.from(JSON.stringify({ metadata })).toString("base64url")}.s`;
}

interface Setting {
  role?: Role;
  roleError?: Cause;
  tokenError?: Cause;
  connectError?: Cause;
  hasWebRtc?: boolean;
  path?: string;
}

function noRecordings(onList: () => void): Recordings {
  const api = {
    async list() {
      onList();
      return [];
    },
    streamUrl: async () => "",
    delete: async () => {},
  };
  return new Recordings(api, new Announcer());
}

function signalsOf(role: Role) {
  return { role: signal(role), settings: { current: signal(OPEN_ROOM) } };
}

function aMeeting(role: Role, connect: Meeting["connect"]): Meeting {
  return {
    connect,
    ...signalsOf(role),
    recording: signal(false),
    camera: { wanted: false },
    microphone: { wanted: true },
    selectedDeviceId: () => "",
    chat: new Chat(),
  } as unknown as Meeting;
}

const noDevices = () =>
  new LocalDevices(
    undefined,
    new LocalDevice("camera", false, ""),
    new LocalDevice("microphone", false, ""),
    new Speaker("", null, () => {}),
  );

function pageIn(setting: Setting = {}) {
  const role = setting.role ?? "publisher";
  const storage = new PageStorage(store(), store());
  const fail = (cause: Cause | undefined) => {
    if (cause) throw new AppError(cause);
  };
  const seen = {
    held: [] as (string | null)[],
    listed: 0,
    end: (_cause: Cause | null) => {},
    joins: 0,
    /** Of each meeting that was made. */
    cameras: [] as string[],
    online: true,
    comesOnline: () => {},
    newer: (_token: string) => {},
  };
  const onOnline = (_type: "online", act: () => void) => {
    seen.comesOnline = () => {
      seen.online = true;
      act();
    };
  };
  const page = new MeetingPage({
    link: parseMeetingLink({ pathname: setting.path ?? "/meet/standup-abcdefghijklmno/", search: "?secret=s" }),
    api: {
      async role() {
        fail(setting.roleError);
        return role;
      },
      async token(_link, _name, held) {
        seen.held.push(held);
        fail(setting.tokenError);
        return tokenFor(role);
      },
    },
    meetingApi: new FakeApi().asApi,
    lobbyApi: { enter: async () => null, decision: async () => "waiting" },
    ...plainPage(),
    devices: noDevices(),
    storage,
    recordingControl: new RecordingControl({ start: async () => {}, stop: async () => {} }),
    recordings: noRecordings(() => {
      seen.listed += 1;
    }),
    announcer: new Announcer(),
    hasWebRtc: setting.hasWebRtc ?? true,
    network: { isOnline: () => seen.online, addEventListener: onOnline, removeEventListener: () => {} },
    loadMeeting: async () => ({
      prepare(options) {
        seen.cameras.push(options.deviceIds.camera);
        seen.newer = options.onTokenRefreshed;
        return aMeeting(role, async (_access, onEnd) => {
          fail(setting.connectError);
          seen.joins += 1;
          seen.end = onEnd;
        });
      },
    }),
  });
  return { page, storage, seen };
}

test("from the link through the form into the meeting, and out again", async () => {
  const { page, seen } = pageIn();
  await page.open();
  expect(page.state.value.view).toBe("prejoin");
  page.name.value = " Ana ";
  await page.join();
  expect(page.state.value.view).toBe("meeting");
  seen.end(null);
  expect(page.state.value).toEqual({ view: "ended", cause: null });
});

test("what a moderator is offered follows the role and the room", async () => {
  const { page, seen } = pageIn({ role: "publisher" });
  await page.open();
  await page.join();
  const state = page.state.value;
  if (state.view !== "meeting") throw new Error("not in the meeting");
  const { role, settings } = state.meeting as unknown as ReturnType<typeof signalsOf>;
  expect(page.recordingControl.available.value).toBe(false);
  role.value = "moderator";
  expect(page.recordingControl.available.value).toBe(true);
  expect(seen.listed).toBe(1);
  settings.current.value = { ...OPEN_ROOM, recording: false };
  expect(page.recordingControl.available.value).toBe(false);
  settings.current.value = OPEN_ROOM;
  page.recordings.show(true);
  role.value = "publisher";
  expect(page.recordingControl.available.value).toBe(false);
  expect(page.recordings.open.value).toBe(false);
  expect(page.recordings.all.value).toBeNull();
  role.value = "moderator";
  await expect.poll(() => page.recordings.all.value).toEqual([]);
});

test.each<[Role, boolean]>([
  ["moderator", true],
  ["publisher", false],
  ["viewer", false],
])("a %s can record: %s", async (role, offered) => {
  const { page, seen } = pageIn({ role });
  await page.open();
  await page.join();
  expect(page.recordingControl.available.value).toBe(offered);
  expect(seen.listed > 0).toBe(offered);
});

test("stores the name on this device and the token for this tab", async () => {
  const { page, storage, seen } = pageIn();
  await page.open();
  page.name.value = "Ana";
  await page.join();
  expect(storage.preferences().name).toBe("Ana");
  seen.end(null);
  await page.open();
  await page.join();
  expect(seen.held).toEqual([null, tokenFor("publisher")]);
});

test("another name is offered for one that is taken, and the user's own is the one that is kept", async () => {
  const setting: Setting = { tokenError: "name_taken" };
  const { page, storage } = pageIn(setting);
  await page.open();
  page.name.value = "Ana";
  await page.join();
  expect(page.offeredName.value).toBe("Ana (2)");
  await page.joinAsOffered();
  expect(page.error.value).toBe("name_taken");
  expect(page.offeredName.value).toBe("Ana (3)");
  delete setting.tokenError;
  await page.joinAsOffered();
  expect(page.state.value.view).toBe("meeting");
  expect(page.name.value).toBe("Ana (3)");
  expect(page.offeredName.value).toBeNull();
  expect(storage.preferences().name).toBe("Ana");
});

test("a name that the user chose after all is kept", async () => {
  const setting: Setting = { tokenError: "name_taken" };
  const { page, storage } = pageIn(setting);
  await page.open();
  page.name.value = "Ana";
  await page.join();
  await page.joinAsOffered();
  page.name.value = "Ana Gil";
  delete setting.tokenError;
  await page.join();
  expect(storage.preferences().name).toBe("Ana Gil");
});

test("stores the token that the media server refreshed, which is valid for longer than the first", async () => {
  const { page, storage, seen } = pageIn();
  await page.open();
  await page.join();
  seen.newer("newer");
  expect(storage.token("standup-abcdefghijklmno")).toBe("newer");
});

test.each<Cause>(["link_not_valid", "meeting_over", "login_needed", "server_unreachable"])(
  "a link that gives %s shows a page that says so, before any form",
  async (cause) => {
    const { page } = pageIn({ roleError: cause });
    await page.open();
    expect(page.state.value).toEqual({ view: "ended", cause });
  },
);

test("the server's own address explains what this is, and sends no request", async () => {
  const { page } = pageIn({ path: "/", roleError: "meeting_over" });
  await page.open();
  expect(page.state.value).toEqual({ view: "ended", cause: "no_link" });
});

test("a browser without WebRTC is reported before any request", async () => {
  const { page } = pageIn({ hasWebRtc: false });
  await page.open();
  expect(page.state.value).toEqual({ view: "ended", cause: "no_webrtc" });
});

test("a network that is gone for long: the page waits for it, and comes back with the devices as they were", async () => {
  const { page, seen } = pageIn();
  await page.open();
  await page.join();
  seen.online = false;
  seen.end("connection_lost");
  expect(page.state.value.view).toBe("returning");
  expect(seen.joins).toBe(1);
  await Promise.resolve();
  seen.comesOnline();
  await expect.poll(() => page.state.value.view).toBe("meeting");
  expect(seen.joins).toBe(2);
  expect(page.devices.camera.on.value).toBe(false);
});

test("a meeting that is over meanwhile ends the waiting", async () => {
  const setting: Setting = {};
  const { page, seen } = pageIn(setting);
  await page.open();
  await page.join();
  setting.tokenError = "meeting_over";
  seen.end("connection_lost");
  await expect.poll(() => page.state.value).toEqual({ view: "ended", cause: "meeting_over" });
});

test("a user who gives up has left", async () => {
  const { page, seen } = pageIn();
  await page.open();
  await page.join();
  seen.online = false;
  seen.end("connection_lost");
  if (page.state.value.view === "returning") page.state.value.returning.stop();
  await expect.poll(() => page.state.value).toEqual({ view: "ended", cause: null });
});

test("after ten minutes the page gives up", async () => {
  vi.useFakeTimers();
  const { page, seen } = pageIn();
  await page.open();
  await page.join();
  seen.online = false;
  seen.end("connection_lost");
  await vi.advanceTimersByTimeAsync(9 * 60_000);
  expect(page.state.value.view).toBe("returning");
  await vi.advanceTimersByTimeAsync(2 * 60_000);
  expect(page.state.value).toEqual({ view: "ended", cause: "connection_lost" });
});

test("a taken name keeps the form open", async () => {
  const { page } = pageIn({ tokenError: "name_taken" });
  await page.open();
  await page.join();
  expect(page.state.value.view).toBe("prejoin");
  expect(page.error.value).toBe("name_taken");
  expect(page.joining.value).toBe(false);
});

test("a full meeting keeps the form open for another try", async () => {
  const { page } = pageIn({ connectError: "full" });
  await page.open();
  await page.join();
  expect(page.state.value.view).toBe("prejoin");
  expect(page.error.value).toBe("full");
});

test("a meeting that ended while the form was open ends the form", async () => {
  const { page } = pageIn({ tokenError: "meeting_over" });
  await page.open();
  await page.join();
  expect(page.state.value).toEqual({ view: "ended", cause: "meeting_over" });
});

test.each([
  ["/meet/standup-x/", "?secret=a%2Bb", { roomName: "standup-x", secret: "a+b" }],
  ["/meet/standup-x", "", { roomName: "standup-x", secret: "" }],
  ["/meet/%E0%A4%A/", "?secret=s", { roomName: "%E0%A4%A", secret: "s" }],
  ["/", "", { roomName: "", secret: "" }],
])("the link %s%s is read", (pathname, search, link) => {
  expect(parseMeetingLink({ pathname, search })).toEqual(link);
});

test("a room's title is the prefix that was chosen", () => {
  expect(titleOf("daily-standup-abcdefghijklmno")).toBe("daily-standup");
  expect(titleOf("abcdefghijklmno")).toBe("");
});

test("the meeting is made while the form is shown and the page is idle, and shown when it is connected", async () => {
  vi.useFakeTimers();
  const { page, seen } = pageIn();
  await page.open();
  expect(page.upcoming.drawn.value).toBeNull();
  await vi.runAllTimersAsync();
  const { value: drawn } = page.upcoming.drawn;
  expect([drawn === null, page.state.value.view]).toEqual([false, "prejoin"]);
  page.name.value = "Ana";
  await page.join();
  expect(page.state.value).toEqual({ view: "meeting", meeting: drawn });
  expect([page.upcoming.drawn.value, seen.cameras.length]).toEqual([null, 1]);
});

test("a user who joins before the page is idle gets a meeting at once", async () => {
  const { page, seen } = pageIn();
  await page.open();
  page.name.value = "Ana";
  await page.join();
  expect([page.state.value.view, seen.cameras.length]).toEqual(["meeting", 1]);
});

test("the meeting to come is made again after another device was chosen", async () => {
  vi.useFakeTimers();
  const { page, seen } = pageIn();
  await page.open();
  await vi.runAllTimersAsync();
  page.devices.camera.selectedId.value = "other";
  expect(page.upcoming.drawn.value).toBeNull();
  await vi.runAllTimersAsync();
  page.name.value = "Ana";
  await page.join();
  expect(seen.cameras).toEqual(["", "other"]);
});

test("a name that is taken leaves the meeting to come as it is; a connection that fails has it made again", async () => {
  vi.useFakeTimers();
  const setting: Setting = { tokenError: "name_taken", connectError: "media_blocked" };
  const { page, seen } = pageIn(setting);
  await page.open();
  await vi.runAllTimersAsync();
  page.name.value = "Ana";
  await page.join();
  expect([page.state.value.view, seen.cameras.length]).toEqual(["prejoin", 1]);
  expect(page.upcoming.drawn.value).not.toBeNull();
  delete setting.tokenError;
  await page.join();
  expect([page.error.value, page.upcoming.drawn.value]).toEqual(["media_blocked", null]);
  await vi.runAllTimersAsync();
  delete setting.connectError;
  await page.join();
  expect([page.state.value.view, seen.cameras.length]).toEqual(["meeting", 2]);
});
