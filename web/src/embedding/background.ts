import { BACKGROUNDS, type BackgroundChoice } from "../session/background.ts";
import type { MeetingPage } from "../session/page.ts";
import { HostError } from "./failure.ts";

/** For pages that know no strengths. */
const BLUR = "blur";

/** Changes what stands behind the user, in the meeting or in the form before it. */
export async function setBackground(page: MeetingPage, wanted: unknown): Promise<void> {
  const { background } = page;
  const { value: state } = page.state;
  if (state.view === "ended") throw new HostError("not_in_meeting");
  const choice = choiceOf(wanted);
  if (choice !== "none") await check(page, choice);
  background.choose(choice);
  if (state.view !== "meeting") await background.shown;
  else await state.meeting.camera.applyEffect();
  const isFailed =
    background.warning.value === "background_failed" ||
    (state.view === "meeting" && state.meeting.error.value?.cause === "background_failed");
  if (isFailed) throw new HostError("background_failed");
}

function choiceOf(wanted: unknown): BackgroundChoice {
  const choice = wanted === BLUR ? "strong" : BACKGROUNDS.find((one) => one === wanted);
  if (!choice) throw new HostError("bad_argument");
  return choice;
}

/** @throws HostError where this user, room or browser has no such background. */
async function check({ background, role, state }: MeetingPage, choice: BackgroundChoice): Promise<void> {
  const { value } = state;
  const canPublish = value.view === "meeting" ? value.meeting.canPublish.value : role.value !== "viewer";
  if (!canPublish || !background.allowed.value) throw new HostError("not_allowed");
  const { isBackgroundSupported } = await import("../effects/video_stream.ts");
  if (!isBackgroundSupported()) throw new HostError("not_supported");
  if (choice !== "own") return;
  const { ownPicture } = await import("../effects/own_picture.ts");
  if (!(await ownPicture())) throw new HostError("not_found");
}
