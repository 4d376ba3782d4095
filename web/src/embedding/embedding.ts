import { effect } from "@preact/signals-core";
import type { MeetingApi } from "../api/meeting.ts";
import type { MeetingLink, ParticipantsApi } from "../api/participants.ts";
import type { MeetingPage } from "../session/page.ts";
import { Bridge } from "./bridge.ts";
import type { CommandContext } from "./commands.ts";
import { followPage } from "./events.ts";
import { OpenViduMessages } from "./openvidu.ts";
import { asksForRecordings, openRecordings } from "./recordings.ts";
import { Settings } from "./settings.ts";
import { allowedOrigins, trustIn } from "./trust.ts";

/** A page around that has not said hello by then has no element: it may listen to messages. */
const HELLO_WITHIN_MS = 1000;

export interface Embedding {
  readonly page: MeetingPage;
  readonly link: MeetingLink;
  readonly api: MeetingApi;
  readonly participants: ParticipantsApi;
  readonly parameters: URLSearchParams;
  readonly early: readonly MessageEvent[];
  readonly setLanguage: (language: string) => Promise<void>;
}

/** Connects the page with the one around it, and takes over what that, or the link, wants; then opens it. */
export async function openEmbedded(embedding: Embedding): Promise<void> {
  const { page, link, api, parameters, early, setLanguage } = embedding;
  const isFramed = window.parent !== window;
  const settings = new Settings({ page, isFramed, setLanguage }, parameters);
  const context: CommandContext = { page, api, isEndedBySelf: false };
  const bridge = new Bridge(context, (changes) => settings.apply(changes));
  followPage(context, link.roomName, (name, detail) => bridge.emit(name, detail));
  if (isFramed) {
    closeWhenLeft(page, link.roomName, bridge, settings);
    listen(bridge, early);
  }
  if (asksForRecordings(parameters)) await openRecordings(embedding, parameters);
  else await page.open();
}

/** The user is done: the page around may take its space back; where it waits for a redirect, at once. */
function closeWhenLeft(page: MeetingPage, roomId: string, bridge: Bridge, settings: Settings): void {
  const redirect = () => webAddress(settings.value("leave-redirect-url"));
  const close = () => {
    bridge.emit("meetingClosed", { roomId });
    const url = redirect();
    // the element sends its whole page on
    if (url && !bridge.hasPort) location.assign(url);
  };
  page.close.value = close;
  effect(() => {
    const state = page.state.value;
    if (state.view === "ended" && state.cause === null && redirect()) queueMicrotask(close);
  });
}

function webAddress(address: string | null): string | null {
  if (!address || !URL.canParse(address)) return null;
  return /^https?:$/.test(new URL(address).protocol) ? address : null;
}

function listen(bridge: Bridge, early: readonly MessageEvent[]): void {
  const openvidu = new OpenViduMessages(bridge, (message, origin) => window.parent.postMessage(message, origin));
  const allowed = allowedOrigins(fetch.bind(globalThis));
  const trustOf = async (origin: string) => trustIn(origin, await allowed, location.origin);
  async function receive({ source, origin, data, ports }: MessageEvent): Promise<void> {
    if (source !== window.parent) return;
    const trust = await trustOf(origin);
    if (!trust.isAllowed) return;
    const [port] = ports;
    if (data?.tertulia === "hello" && port) bridge.connect(port, trust);
    else await openvidu.receive(data, origin, trust);
  }
  for (const event of early.slice()) void receive(event);
  addEventListener("message", (event) => void receive(event));
  const around = originAround();
  if (around) setTimeout(async () => (await trustOf(around)).isAllowed && openvidu.start(around), HELLO_WITHIN_MS);
}

/** Where the page around is, as the browser says: a guess that costs nothing, since messages go to that origin alone. */
function originAround(): string | null {
  const [parent] = location.ancestorOrigins ?? [];
  if (parent) return parent;
  return URL.canParse(document.referrer) ? new URL(document.referrer).origin : null;
}
