import { expect, test } from "vitest";
import { type ParticipantLike, type PublicationLike, rosterOf } from "../src/session/roster.ts";

const track = { attach: (element: HTMLMediaElement) => element, detach: (element: HTMLMediaElement) => element };

function person(identity: string, change: Partial<ParticipantLike> = {}, ...publications: PublicationLike[]) {
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

test("everyone who may publish has a tile, in the order they came; viewers only count", () => {
  const roster = rosterOf([
    person("late", { joinedAt: new Date(3000) }),
    person("viewer", { permissions: { canPublish: false } }),
    person("early", { joinedAt: new Date(2000), isLocal: true }),
  ]);
  expect(roster.people.map((tile) => tile.identity)).toEqual(["early", "late"]);
  expect(roster.count).toBe(3);
});

test("a camera that is off shows no picture, and a microphone that is off or absent is silent", () => {
  const { people } = rosterOf([
    person("a", {}, camera, microphone),
    person("b", {}, { ...camera, isMuted: true }, { ...microphone, isMuted: true }),
    person("c"),
  ]);
  expect(people.map((tile) => [tile.video !== null, tile.silent])).toEqual([
    [true, false],
    [false, true],
    [false, true],
  ]);
});

test("a shared screen is a tile of its own, only once its picture is there", () => {
  expect(rosterOf([person("a", {}, screen)]).screens.map((tile) => tile.key)).toEqual(["screen:a"]);
  expect(rosterOf([person("a", {}, { ...screen, track: undefined })]).screens).toEqual([]);
});

test("one never hears oneself", () => {
  const { sounds } = rosterOf([person("me", { isLocal: true }, microphone), person("you", {}, microphone)]);
  expect(sounds.map((sound) => sound.key)).toEqual(["microphone:PA_you"]);
});

test("without a name the identity stands for it", () => {
  expect(rosterOf([person("ana", { name: "" })]).people[0]?.name).toBe("ana");
});
