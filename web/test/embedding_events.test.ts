import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import type { LeftReason } from "../embed/src/types.ts";
import type { Cause } from "../src/app_error.ts";
import type { CommandContext } from "../src/embedding/commands.ts";
import { followPage } from "../src/embedding/events.ts";

function aMeeting() {
  const device = () => ({ on: signal(false) });
  return {
    role: signal("moderator"),
    roster: signal({
      people: [{ identity: "ana", name: "Ana", isLocal: true, hand: 0 }],
      participants: [],
      screenShares: [],
    }),
    microphone: device(),
    camera: device(),
    screenShare: device(),
    hand: { raised: signal(false) },
    recording: signal(false),
    error: signal(null),
    reactions: { shown: signal([]) },
    chat: { messages: signal([]) },
    notices: { all: signal([]) },
  };
}

/** A page that is in the meeting, and what its surroundings are told from then on. */
function aPage(isEndedBySelf = false) {
  const meeting = aMeeting();
  const state = signal<object>({ view: "meeting", meeting });
  const devices = { camera: { error: signal(null) }, microphone: { error: signal(null) } };
  const context = { page: { state, error: signal(null), devices }, isEndedBySelf: false };
  const told: [string, object][] = [];
  followPage(context as unknown as CommandContext, "standup", (name, detail) => told.push([name, detail]));
  context.isEndedBySelf = isEndedBySelf;
  return {
    meeting,
    told,
    end: (cause: Cause | null) => {
      state.value = { view: "ended", cause };
    },
  };
}

const REASONS: readonly (readonly [Cause | null, LeftReason])[] = [
  [null, "voluntary_leave"],
  ["removed", "participant_kicked"],
  ["meeting_over", "meeting_ended"],
  ["joined_elsewhere", "duplicate_identity"],
  ["server_stopping", "server_shutdown"],
  ["server_unreachable", "network_disconnect"],
  ["media_blocked", "network_disconnect"],
  ["connection_lost", "network_disconnect"],
  ["full", "unknown"],
];

test.each(REASONS)("%s: the meeting was left for %s", (cause, reason) => {
  const { told, end } = aPage();
  end(cause);
  expect(told[0]).toEqual(["meetingJoined", { roomId: "standup", participantIdentity: "ana", role: "moderator" }]);
  expect(told[1]).toEqual(["meetingLeft", { roomId: "standup", participantIdentity: "ana", reason }]);
  // who left is told no error; all others why
  expect(told.slice(2).map(([name, detail]) => [name, (detail as { cause?: string }).cause])).toEqual(
    cause === null ? [] : [["error", cause]],
  );
});

test("who has ended the meeting for all is told no error", () => {
  const { told, end } = aPage(true);
  end("meeting_over");
  expect(told.slice(1)).toEqual([
    ["meetingLeft", { roomId: "standup", participantIdentity: "ana", reason: "meeting_ended_by_self" }],
  ]);
});

test("what happened before the user came is no event, what follows the end neither", () => {
  const { meeting, told, end } = aPage();
  meeting.hand.raised.value = true;
  end(null);
  meeting.hand.raised.value = false;
  expect(told.map(([name]) => name)).toEqual(["meetingJoined", "handChanged", "meetingLeft"]);
});
