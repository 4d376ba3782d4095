import { expect, test } from "vitest";
import { type ParticipantLike, type PublicationLike, rosterOf } from "../src/session/roster.ts";

const track = { attach: (element: HTMLMediaElement) => element, detach: (element: HTMLMediaElement) => element };

function participant(identity: string, change: Partial<ParticipantLike> = {}, ...publications: PublicationLike[]) {
  return {
    identity,
    sid: `PA_${identity}`,
    isLocal: false,
    isSpeaking: false,
    joinedAt: new Date(1000),
    permissions: { canPublish: true },
    trackPublications: new Map(publications.map((publication) => [publication.source, publication])),
    ...change,
  } satisfies ParticipantLike;
}

const camera = { source: "camera", isMuted: false, track };
const microphone = { source: "microphone", isMuted: false, track };
const screen = { source: "screen_share", isMuted: false, track };

test("participants who may publish have a tile, in the order they joined; viewers only count", () => {
  const roster = rosterOf([
    participant("late", { joinedAt: new Date(3000) }),
    participant("viewer", { permissions: { canPublish: false } }),
    participant("early", { joinedAt: new Date(2000), isLocal: true }),
  ]);
  expect(roster.participants.map((tile) => tile.identity)).toEqual(["early", "late"]);
  expect(roster.count).toBe(3);
});

test("a camera that is off shows no video; a microphone that is off or absent is muted", () => {
  const { participants } = rosterOf([
    participant("a", {}, camera, microphone),
    participant("b", {}, { ...camera, isMuted: true }, { ...microphone, isMuted: true }),
    participant("c"),
  ]);
  expect(participants.map((tile) => [tile.video !== null, tile.muted])).toEqual([
    [true, false],
    [false, true],
    [false, true],
  ]);
});

test("a shared screen is a tile of its own, once its video has arrived", () => {
  expect(rosterOf([participant("a", {}, screen)]).screenShares.map((tile) => tile.key)).toEqual(["screen_share:a"]);
  expect(rosterOf([participant("a", {}, { ...screen, track: undefined })]).screenShares).toEqual([]);
});

test("the local audio is not played", () => {
  const { audioTracks } = rosterOf([
    participant("me", { isLocal: true }, microphone),
    participant("you", {}, microphone),
  ]);
  expect(audioTracks.map(({ key }) => key)).toEqual(["microphone:PA_you"]);
});

test("without a name the identity is shown", () => {
  expect(rosterOf([participant("ana", { name: "" })]).participants[0]?.name).toBe("ana");
});

test("hands have the order in which they were raised; what is no time is no hand", () => {
  const raised = (at: string) => ({ attributes: { "tertulia.hand": at } });
  const { participants } = rosterOf([
    participant("a", raised("2000")),
    participant("b", raised("1000")),
    participant("c", raised("now")),
    participant("d"),
  ]);
  expect(participants.map(({ identity, hand }) => [identity, hand])).toEqual([
    ["a", 2],
    ["b", 1],
    ["c", 0],
    ["d", 0],
  ]);
});
