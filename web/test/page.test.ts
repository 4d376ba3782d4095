import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import type { Role } from "../src/api/claims.ts";
import { Announcer } from "../src/session/announcer.ts";
import { LocalDevice, LocalDevices } from "../src/session/devices.ts";
import { linkOf } from "../src/session/link.ts";
import type { Meeting } from "../src/session/meeting.ts";
import { Memory } from "../src/session/memory.ts";
import { MeetingPage, titleOf } from "../src/session/page.ts";
import { RecorderButton } from "../src/session/recorder.ts";
import { Recordings } from "../src/session/recordings.ts";
import { type Cause, Trouble } from "../src/trouble.ts";

function store() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

function tokenFor(role: Role): string {
  const metadata = JSON.stringify({ livekitUrl: "ws://media", role });
  return `e30.${Buffer.from(JSON.stringify({ metadata })).toString("base64url")}.s`;
}

interface Setting {
  role?: Role;
  roleTrouble?: Cause;
  tokenTrouble?: Cause;
  connectTrouble?: Cause;
  hasWebRtc?: boolean;
  path?: string;
}

function pageIn(setting: Setting = {}) {
  const role = setting.role ?? "publisher";
  const memory = new Memory(store(), store());
  const fail = (cause: Cause | undefined) => {
    if (cause) throw new Trouble(cause);
  };
  const seen = {
    held: [] as (string | null)[],
    listed: 0,
    end: (_cause: Cause | null) => {},
    newer: (_token: string) => {},
  };
  const page = new MeetingPage({
    link: linkOf({ pathname: setting.path ?? "/meet/standup-abcdefghijklmno/", search: "?secret=s" }),
    api: {
      async role() {
        fail(setting.roleTrouble);
        return role;
      },
      async token(_link, _name, held) {
        seen.held.push(held);
        fail(setting.tokenTrouble);
        return tokenFor(role);
      },
    },
    devices: new LocalDevices(
      undefined,
      new LocalDevice("camera", false, ""),
      new LocalDevice("microphone", false, ""),
    ),
    memory,
    recorder: new RecorderButton({
      allowed: async () => true,
      start: async () => {},
      stop: async () => {},
    }),
    recordings: new Recordings(
      {
        async list() {
          seen.listed += 1;
          return [];
        },
        address: async () => "",
        delete: async () => {},
      },
      new Announcer(),
    ),
    announcer: new Announcer(),
    hasWebRtc: setting.hasWebRtc ?? true,
    loadMeeting: async () => ({
      async join(entry, _announcer, onEnd) {
        fail(setting.connectTrouble);
        seen.end = onEnd;
        seen.newer = entry.onToken;
        return { recording: signal(false) } as Meeting;
      },
    }),
  });
  return { page, memory, seen };
}

test("from the link through the form into the meeting, and out again", async () => {
  const { page, seen } = pageIn();
  await page.open();
  expect(page.state.value.at).toBe("prejoin");
  page.name.value = " Ana ";
  await page.join();
  expect(page.state.value.at).toBe("meeting");
  seen.end(null);
  expect(page.state.value).toEqual({ at: "stopped", cause: null });
});

test.each<[Role, boolean]>([
  ["moderator", true],
  ["publisher", false],
  ["viewer", false],
])("a %s is offered to record: %s", async (role, offered) => {
  const { page, seen } = pageIn({ role });
  await page.open();
  await page.join();
  expect(page.recorder.offered.value).toBe(offered);
  expect(seen.listed > 0).toBe(offered);
});

test("remembers the name on this device and the token for this tab", async () => {
  const { page, memory, seen } = pageIn();
  await page.open();
  page.name.value = "Ana";
  await page.join();
  expect(memory.preferences().name).toBe("Ana");
  seen.end(null);
  await page.open();
  await page.join();
  expect(seen.held).toEqual([null, tokenFor("publisher")]);
});

test("keeps the token that the media server refreshed, which lives longer than the first", async () => {
  const { page, memory, seen } = pageIn();
  await page.open();
  await page.join();
  seen.newer("newer");
  expect(memory.token("standup-abcdefghijklmno")).toBe("newer");
});

test.each<Cause>(["link_not_valid", "meeting_over", "login_needed", "server_unreachable"])(
  "a link that gives %s shows a page that says so, before any form",
  async (cause) => {
    const { page } = pageIn({ roleTrouble: cause });
    await page.open();
    expect(page.state.value).toEqual({ at: "stopped", cause });
  },
);

test("who opens the server's own address is told what this is, and nothing is asked", async () => {
  const { page } = pageIn({ path: "/", roleTrouble: "meeting_over" });
  await page.open();
  expect(page.state.value).toEqual({ at: "stopped", cause: "no_link" });
});

test("a browser without WebRTC is told before anything is asked", async () => {
  const { page } = pageIn({ hasWebRtc: false });
  await page.open();
  expect(page.state.value).toEqual({ at: "stopped", cause: "no_webrtc" });
});

test("a taken name keeps the form open", async () => {
  const { page } = pageIn({ tokenTrouble: "name_taken" });
  await page.open();
  await page.join();
  expect(page.state.value.at).toBe("prejoin");
  expect(page.problem.value).toBe("name_taken");
  expect(page.joining.value).toBe(false);
});

test("a full meeting keeps the form open, so that one can try again", async () => {
  const { page } = pageIn({ connectTrouble: "full" });
  await page.open();
  await page.join();
  expect(page.state.value.at).toBe("prejoin");
  expect(page.problem.value).toBe("full");
});

test("a meeting that ended while the form was open ends the form", async () => {
  const { page } = pageIn({ tokenTrouble: "meeting_over" });
  await page.open();
  await page.join();
  expect(page.state.value).toEqual({ at: "stopped", cause: "meeting_over" });
});

test.each([
  ["/meet/standup-x/", "?secret=a%2Bb", { roomName: "standup-x", secret: "a+b" }],
  ["/meet/standup-x", "", { roomName: "standup-x", secret: "" }],
  ["/meet/%E0%A4%A/", "?secret=s", { roomName: "%E0%A4%A", secret: "s" }],
  ["/", "", { roomName: "", secret: "" }],
])("the link %s%s is read", (pathname, search, link) => {
  expect(linkOf({ pathname, search })).toEqual(link);
});

test("a room's title is the prefix that people chose", () => {
  expect(titleOf("daily-standup-abcdefghijklmno")).toBe("daily-standup");
  expect(titleOf("abcdefghijklmno")).toBe("");
});
