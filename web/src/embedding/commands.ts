import type { MethodName } from "../../embed/src/names.ts";
import type { MeetDevice } from "../../embed/src/types.ts";
import type { MeetingApi } from "../api/meeting.ts";
import { text } from "../i18n/index.ts";
import { TEXT_LENGTH_MAX } from "../session/chat.ts";
import type { DeviceKind } from "../session/devices.ts";
import type { Meeting } from "../session/meeting.ts";
import type { MeetingPage } from "../session/page.ts";
import { setBackground } from "./background.ts";
import { HostError } from "./failure.ts";
import { participantsOf } from "./participants.ts";

/** What the commands act on. */
export interface CommandContext {
  readonly page: MeetingPage;
  readonly api: MeetingApi;
  /** Whether the user has ended the meeting for all: it is over then, and says why. */
  isEndedBySelf: boolean;
}

interface Command {
  /** Concerns others: only for pages that the server names. */
  readonly concernsOthers?: true;
  readonly run: (context: CommandContext, ...args: readonly unknown[]) => Promise<unknown>;
}

const KINDS: readonly DeviceKind[] = ["camera", "microphone"];
const LAYOUTS: readonly unknown[] = ["grid", "speaker"];

/** What a page around can ask for. */
export const COMMANDS: Readonly<Record<MethodName, Command>> = {
  meetingLeave: { run: leave },
  meetingEnd: { concernsOthers: true, run: end },
  participantKick: {
    concernsOthers: true,
    run: async ({ page, api }, identity) => api.remove(presentIn(moderated(page), identity)),
  },
  participantMute: {
    concernsOthers: true,
    async run({ page, api }, identity, kind = "microphone") {
      const name = presentIn(moderated(page), identity);
      await (kindOf(kind) === "camera" ? api.stopCamera(name) : api.mute(name));
    },
  },
  muteAll: {
    concernsOthers: true,
    async run({ page, api }) {
      moderated(page);
      await api.muteAll();
    },
  },
  setMicrophone: { run: ({ page }, on) => setDevice(page, "microphone", on) },
  setCamera: { run: ({ page }, on) => setDevice(page, "camera", on) },
  setScreenShare: { run: ({ page }, on) => setScreenShare(meetingOf(page), on) },
  setHand: { run: setHand },
  sendChat: { run: ({ page }, message) => sendChat(meetingOf(page), message) },
  startRecording: { concernsOthers: true, run: ({ page }) => record(page, true) },
  stopRecording: { concernsOthers: true, run: ({ page }) => record(page, false) },
  setLayout: { run: async ({ page }, layout) => void setLayout(page, layout) },
  setBackground: { run: ({ page }, background) => setBackground(page, background) },
  participants: { run: async ({ page }) => participantsOf(meetingOf(page).roster.value) },
  devices: { run: ({ page }) => devicesOf(page) },
  chooseDevice: { run: chooseDevice },
};

function fail(cause: HostError["code"]): never {
  throw new HostError(cause);
}

export function meetingOf({ state }: MeetingPage): Meeting {
  const { value } = state;
  return value.view === "meeting" ? value.meeting : fail("not_in_meeting");
}

/** The meeting of a moderator; the server checks it again. */
function moderated(page: MeetingPage): Meeting {
  const meeting = meetingOf(page);
  return meeting.role.value === "moderator" ? meeting : fail("not_allowed");
}

function presentIn({ roster }: Meeting, identity: unknown): string {
  if (typeof identity !== "string") return fail("bad_argument");
  return roster.value.people.some((one) => one.identity === identity) ? identity : fail("not_found");
}

function kindOf(kind: unknown): DeviceKind {
  return KINDS.find((one) => one === kind) ?? fail("bad_argument");
}

/** Without an argument, a switch is pressed. */
function wantedOf(on: unknown, isOn: boolean): boolean {
  if (on === undefined || on === null) return !isOn;
  return typeof on === "boolean" ? on : fail("bad_argument");
}

async function leave({ page }: CommandContext): Promise<void> {
  const { value } = page.state;
  if (value.view === "meeting") await value.meeting.leave();
  else if (value.view === "lobby") value.waiting.leave();
  else if (value.view === "returning") value.returning.stop();
  else fail("not_in_meeting");
}

async function end(context: CommandContext): Promise<void> {
  moderated(context.page);
  context.isEndedBySelf = true;
  try {
    await context.api.end();
  } catch (error) {
    context.isEndedBySelf = false;
    throw error;
  }
}

/** In the meeting, and in the form before it. */
export async function setDevice(page: MeetingPage, kind: DeviceKind, on: unknown): Promise<void> {
  const { view } = page.state.value;
  if (view !== "meeting") {
    if (view === "ended") fail("not_in_meeting");
    const device = page.devices[kind];
    if (wantedOf(on, device.on.value) !== device.on.value) await page.devices.toggle(device);
    if (device.error.value) fail(device.error.value);
    return;
  }
  const meeting = meetingOf(page);
  if (!meeting.canPublish.value) fail("not_allowed");
  const device = meeting[kind];
  const wanted = wantedOf(on, device.wanted);
  if (wanted === device.wanted) return;
  await device.set(wanted);
  if (device.on.value !== wanted) fail(meeting.error.value?.cause ?? "device_failed");
  page.announcer.announce(text.announce[kind][wanted ? "on" : "off"]);
}

async function setScreenShare(meeting: Meeting, on: unknown): Promise<void> {
  if (!meeting.canPublish.value) fail("not_allowed");
  const { screenShare } = meeting;
  const wanted = wantedOf(on, screenShare.on.value);
  if (wanted === screenShare.on.value) return;
  const isClicked = navigator.userActivation?.isActive;
  await screenShare.toggle();
  if (screenShare.on.value === wanted) return;
  const cause = meeting.error.value?.cause ?? "cancelled";
  if (cause !== "share_failed" || isClicked !== false) fail(cause);
  // the user has pressed nothing in here, and has done nothing wrong
  meeting.error.value = null;
  fail("needs_click");
}

async function setHand({ page, api }: CommandContext, on: unknown): Promise<void> {
  const { hand, roster } = meetingOf(page);
  const wanted = wantedOf(on, hand.raised.value);
  const me = roster.value.people.find(({ isLocal }) => isLocal);
  if (me && wanted !== hand.raised.value) await api.setHand(me.identity, wanted);
}

async function sendChat(meeting: Meeting, message: unknown): Promise<void> {
  if (typeof message !== "string" || !message.trim() || message.trim().length > TEXT_LENGTH_MAX) fail("bad_argument");
  if (!meeting.canChat.value) fail("not_allowed");
  const { chat } = meeting;
  const before = new Set(chat.messages.value.map(({ id }) => id));
  // what the user is typing stays
  const draft = chat.draft.value;
  chat.draft.value = message;
  const sending = meeting.conversation.sendDraft();
  chat.draft.value = draft;
  await sending;
  if (chat.messages.value.some(({ id, mine, state }) => mine && state === "failed" && !before.has(id)))
    fail("server_unreachable");
}

async function record(page: MeetingPage, on: boolean): Promise<void> {
  const meeting = moderated(page);
  const { recordingControl } = page;
  if (meeting.recording.value === on) return;
  if (!recordingControl.available.value) fail("recording_off");
  if (recordingControl.busy.value) fail("recording_conflict");
  const cause = await recordingControl.toggle(!on);
  if (cause) fail(cause);
}

export function setLayout(page: MeetingPage, layout: unknown): void {
  if (typeof layout !== "string" || !LAYOUTS.includes(layout)) fail("bad_argument");
  page.wantedLayout.value = layout;
}

async function devicesOf(page: MeetingPage): Promise<readonly MeetDevice[]> {
  const { value } = page.state;
  const found = KINDS.map(async (kind) => {
    const inMeeting = value.view === "meeting" ? value.meeting : null;
    const options = (await inMeeting?.devices.options(kind)) ?? page.devices[kind].options.value;
    const selected = inMeeting?.selectedDeviceId(kind) ?? page.devices[kind].selectedId.value;
    return options.map(({ id, label }) => ({ kind, id, label, selected: id === selected }));
  });
  return (await Promise.all(found)).flat();
}

async function chooseDevice({ page }: CommandContext, kind: unknown, id: unknown): Promise<void> {
  const wanted = kindOf(kind);
  const found = (await devicesOf(page)).find((one) => one.kind === wanted && one.id === id);
  if (!found) return fail("not_found");
  const { value } = page.state;
  if (value.view === "meeting") await value.meeting.selectDevice(wanted, found.id);
  else await page.devices.select(page.devices[wanted], found.id);
}
