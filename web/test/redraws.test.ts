import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import { Layout } from "../src/session/layout.ts";
import { type ParticipantLike, rosterOf } from "../src/session/roster.ts";
import { ParticipantTile } from "../src/views/ParticipantTile.tsx";

/** A meeting of so many, as the SDK tells of it. */
function crowd(count: number, ...speakers: readonly string[]): readonly ParticipantLike[] {
  return Array.from({ length: count }, (_, i) => ({
    identity: `p${i}`,
    sid: `PA_${i}`,
    isLocal: i === 0,
    isSpeaking: speakers.includes(`p${i}`),
    joinedAt: new Date(i),
    trackPublications: new Map(),
  }));
}

test.each([
  [25, "p3", "p17"],
  [40, "p3", "p38"],
])("of %i participants, a change of speakers redraws at most two tiles and moves none", (count, first, second) => {
  const roster = signal(rosterOf(crowd(count, first)));
  const layout = new Layout(roster);
  type Props = ConstructorParameters<typeof ParticipantTile>[0] & object;
  const drawn = () =>
    layout.arrangement.value.tiles.map((tile) => ({ tile, isPinned: false, isMovable: false }) as unknown as Props);
  const before = new Map(drawn().map((props) => [props.tile.key, props]));
  const places = [...before.keys()];

  roster.value = rosterOf(crowd(count, second));
  const after = drawn();
  const redrawn = after.filter((next) => {
    const props = before.get(next.tile.key);
    return !props || new ParticipantTile(props).shouldComponentUpdate(next);
  });
  expect(redrawn.map(({ tile }) => tile.name).sort()).toEqual([second, first].sort());
  const moved = after.filter(({ tile }, place) => before.has(tile.key) && places[place] !== tile.key);
  expect(moved).toEqual([]);
});
