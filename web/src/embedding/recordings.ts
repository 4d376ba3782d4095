import type { MeetingLink, ParticipantsApi } from "../api/participants.ts";
import type { Recording } from "../api/recordings.ts";
import { causeOf } from "../app_error.ts";
import type { MeetingPage } from "../session/page.ts";

interface RecordingsContext {
  readonly page: MeetingPage;
  readonly link: MeetingLink;
  readonly participants: ParticipantsApi;
}

/** Whether a link asks for recordings in place of the meeting. */
export function asksForRecordings(parameters: URLSearchParams): boolean {
  const only = parameters.get("show-only-recordings");
  return (only !== null && only !== "false") || parameters.has("show-recording") || parameters.has("recording-url");
}

/** Shows the room's recordings without joining, and plays the one that is asked for. */
export async function openRecordings(context: RecordingsContext, parameters: URLSearchParams): Promise<void> {
  const { page } = context;
  const { RecordingsScreen } = await import("../views/RecordingsScreen.tsx");
  const url = playable(parameters.get("recording-url"));
  if (url) {
    page.state.value = { view: "other", Screen: RecordingsScreen };
    page.recordings.playing.value = { recording: unlisted(url), url: url.href, issuedAtMs: Date.now() };
    return;
  }
  try {
    await signIn(context);
  } catch (error) {
    page.state.value = { view: "ended", cause: causeOf(error) };
    return;
  }
  page.state.value = { view: "other", Screen: RecordingsScreen };
  await page.recordings.refresh();
  const wanted = parameters.get("show-recording");
  if (!wanted) return;
  const found = page.recordings.all.value?.find(({ id }) => id === wanted);
  if (found) await page.recordings.play(found);
  else page.recordings.error.value = page.recordings.listError.value ?? "recording_gone";
}

/** The link's right, as a token: under a name that is nobody's, since nobody joins. */
async function signIn({ page, link, participants }: RecordingsContext): Promise<void> {
  const token = await participants.token(link, `recordings-${crypto.randomUUID()}`, null);
  page.storage.saveToken(link.roomName, token);
}

/** A recording of this server. */
function playable(address: string | null): URL | null {
  if (!address || !URL.canParse(address)) return null;
  const url = new URL(address);
  return url.origin === location.origin && /\/recordings\/[^/]+\/stream$/.test(url.pathname) ? url : null;
}

function unlisted(url: URL): Recording {
  const id = decodeURIComponent(/\/recordings\/([^/]+)\//.exec(url.pathname)?.[1] ?? "");
  return { id, status: "COMPLETE", filename: "", startedAt: null, durationS: 0, sizeBytes: 0 };
}
