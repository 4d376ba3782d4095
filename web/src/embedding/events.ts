import { effect, untracked } from "@preact/signals-core";
import type { ChangedBy, LeftReason, MeetEvents, MeetParticipant } from "../../embed/src/types.ts";
import type { Cause } from "../app_error.ts";
import type { Meeting } from "../session/meeting.ts";
import type { CommandContext } from "./commands.ts";
import { failureBy } from "./failure.ts";
import { localIdentity, participantsOf } from "./participants.ts";

/** Tells the page around of an event. */
export type Emit = <Name extends keyof MeetEvents>(name: Name, detail: MeetEvents[Name]) => void;

const REASONS: Readonly<Partial<Record<Cause, LeftReason>>> = {
  removed: "participant_kicked",
  meeting_over: "meeting_ended",
  joined_elsewhere: "duplicate_identity",
  server_stopping: "server_shutdown",
  server_unreachable: "network_disconnect",
  media_blocked: "network_disconnect",
  connection_lost: "network_disconnect",
};

function reasonOf(cause: Cause | null, isEndedBySelf: boolean): LeftReason {
  if (cause === null) return "voluntary_leave";
  return cause === "meeting_over" && isEndedBySelf ? "meeting_ended_by_self" : (REASONS[cause] ?? "unknown");
}

/** Follows the page, from the link to the last screen, and tells what happens. */
export function followPage(context: CommandContext, roomId: string, emit: Emit): void {
  const { page } = context;
  let joined = "";
  let stopMeeting = () => {};
  effect(() => {
    const state = page.state.value;
    untracked(() => {
      stopMeeting();
      stopMeeting = () => {};
      if (state.view === "meeting") {
        const { roster, role } = state.meeting;
        const identity = localIdentity(roster.value);
        if (!joined) emit("meetingJoined", { roomId, participantIdentity: identity, role: role.value });
        joined = identity;
        context.isEndedBySelf = false;
        stopMeeting = followMeeting(state.meeting, roomId, emit);
      }
      if (state.view !== "ended") return;
      const reason = reasonOf(state.cause, context.isEndedBySelf);
      if (joined) emit("meetingLeft", { roomId, participantIdentity: joined, reason });
      if (state.cause && reason !== "meeting_ended_by_self") emit("error", failureBy(state.cause));
      joined = "";
    });
  });
  onChange(
    () => page.error.value,
    (cause) => cause && emit("error", failureBy(cause)),
  );
  for (const kind of ["camera", "microphone"] as const)
    onChange(
      () => page.devices[kind].error.value,
      (cause) => cause && emit("error", failureBy(cause)),
    );
}

/** Everything that happens in one meeting. */
function followMeeting(meeting: Meeting, roomId: string, emit: Emit): () => void {
  const stops = [
    followParticipants(meeting, roomId, emit),
    ...(["microphone", "camera"] as const).map((kind) =>
      onChange(
        () => meeting[kind].on.value,
        (on) => emit(`${kind}Changed`, { on, by: changedBy(meeting, kind) }),
        false,
      ),
    ),
    onChange(
      () => meeting.screenShare.on.value,
      (on) => emit("screenShareChanged", { on }),
      false,
    ),
    onChange(
      () => meeting.hand.raised.value,
      (on) => emit("handChanged", { on }),
      false,
    ),
    onChange(
      () => meeting.recording.value,
      (recording) => emit("recordingChanged", { recording }),
      false,
    ),
    onChange(
      () => meeting.error.value?.cause,
      (cause) => cause && emit("error", failureBy(cause)),
    ),
    followNewest(
      () => meeting.reactions.shown.value,
      ({ identity, reaction }) => emit("reaction", { participantIdentity: identity, reaction }),
    ),
    followNewest(
      () => meeting.chat.messages.value,
      ({ file, from, mine, text }) => file || emit("chatMessage", { from, mine, text }),
    ),
    onChange(
      () => speakersOf(meeting).join("\n"),
      () => emit("activeSpeaker", { participantIdentities: speakersOf(meeting) }),
      "",
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function changedBy({ notices }: Meeting, kind: "microphone" | "camera"): ChangedBy {
  const notice = kind === "microphone" ? "muted_by_moderator" : "camera_stopped";
  return notices.all.value.some((one) => one.kind === notice) ? "moderator" : "participant";
}

function speakersOf({ roster }: Meeting): readonly string[] {
  return roster.value.participants.filter(({ speaking }) => speaking).map(({ identity }) => identity);
}

/** Calls `act` when a value is another one than before; what it does is not followed. */
function onChange<T>(read: () => T, act: (value: T) => void, before: T = read()): () => void {
  let last = before;
  return effect(() => {
    const value = read();
    if (value === last) return;
    last = value;
    untracked(() => act(value));
  });
}

/** Calls `act` for what is added to a list; its ids grow. */
function followNewest<T extends { readonly id: number }>(read: () => readonly T[], act: (item: T) => void): () => void {
  let newest = newestId(read());
  return effect(() => {
    const items = read();
    const added = items.filter(({ id }) => id > newest);
    newest = Math.max(newest, newestId(added));
    untracked(() => added.forEach(act));
  });
}

function newestId(items: readonly { readonly id: number }[]): number {
  return items.reduce((newest, { id }) => Math.max(newest, id), -1);
}

/** Who comes, goes and changes. Those who are here already when the user joins are not events. */
function followParticipants({ roster }: Meeting, roomId: string, emit: Emit): () => void {
  let known = new Map<string, MeetParticipant>(byIdentity(participantsOf(roster.value)));
  return effect(() => {
    const now = new Map(byIdentity(participantsOf(roster.value)));
    const before = known;
    known = now;
    untracked(() => {
      for (const [identity, participant] of now) compare(roomId, before.get(identity), participant, emit);
      for (const [identity, participant] of before)
        if (!now.has(identity)) emit("participantLeft", { roomId, participant });
    });
  });
}

function byIdentity(participants: readonly MeetParticipant[]): readonly (readonly [string, MeetParticipant])[] {
  return participants.map((one) => [one.identity, one]);
}

const COMPARED = ["name", "role", "microphone", "camera", "screenShare", "hand"] as const;

function compare(roomId: string, before: MeetParticipant | undefined, participant: MeetParticipant, emit: Emit): void {
  if (!before) {
    if (!participant.isLocal) emit("participantJoined", { roomId, participant });
    return;
  }
  if (COMPARED.some((key) => before[key] !== participant[key])) emit("participantChanged", { roomId, participant });
  const { identity, quality } = participant;
  if (quality && quality !== before.quality) emit("qualityChanged", { participantIdentity: identity, quality });
}
