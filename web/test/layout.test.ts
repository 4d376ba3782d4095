import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import { Layout, type SaveData, TILES_PER_PAGE } from "../src/session/layout.ts";
import { EMPTY_ROSTER, type Roster, type Tile } from "../src/session/roster.ts";

function tile(name: string, change: Partial<Tile> = {}): Tile {
  const key = `participant:${name}`;
  return {
    key,
    kind: "participant",
    identity: name,
    name,
    isLocal: false,
    speaking: false,
    muted: false,
    hand: 0,
    video: null,
    ...change,
  };
}

function screen(name: string): Tile {
  return tile(name, { key: `screen_share:${name}`, kind: "screen_share" });
}

/** A meeting of so many; those in `speaking` speak. */
function crowd(count: number, ...speaking: string[]): readonly Tile[] {
  const names = Array.from({ length: count }, (_, i) => `p${i}`);
  return names.map((name, i) => tile(name, { isLocal: i === 0, speaking: speaking.includes(name) }));
}

function layoutOf(participants: readonly Tile[], screenShares: readonly Tile[] = []) {
  const roster = signal<Roster>({ ...EMPTY_ROSTER, participants, screenShares });
  const layout = new Layout(roster);
  const shown = () => layout.arrangement.value.tiles.map(({ name }) => name);
  const staged = () => layout.arrangement.value.stage.map(({ name }) => name);
  const become = (tiles: readonly Tile[]) => {
    roster.value = { ...roster.value, participants: tiles };
  };
  // arranged for the first time, as a view does
  shown();
  return { layout, shown, staged, become };
}

test("a speaker on the page moves nothing", () => {
  const { shown, become } = layoutOf(crowd(20));
  const before = shown();
  become(crowd(20, "p7", "p19"));
  expect(shown()).toEqual(before);
});

test("a speaker on another page takes the place of one who is quiet, and no one else moves", () => {
  const { shown, become } = layoutOf(crowd(40, "p3"));
  const before = shown();
  expect(before).toHaveLength(TILES_PER_PAGE);
  become(crowd(40, "p33"));
  const after = shown();
  expect(after).toContain("p33");
  expect(after.filter((name, i) => name !== before[i])).toEqual(["p33"]);
  // and stays when he is quiet again
  become(crowd(40));
  expect(shown()).toEqual(after);
});

test("neither oneself nor one who has just spoken makes room", () => {
  const speakers = Array.from({ length: 24 }, (_, i) => `p${i + 1}`);
  const { shown, become } = layoutOf(crowd(40, ...speakers.slice(1)));
  become(crowd(40, "p30"));
  expect(shown()).toContain("p0");
  expect(shown()).not.toContain("p1");
});

test("pages are turned, not further than there are", () => {
  const { layout, shown } = layoutOf(crowd(60));
  layout.turn(1);
  expect(shown()[0]).toBe("p25");
  layout.turn(1);
  layout.turn(1);
  expect(layout.arrangement.value).toMatchObject({ page: 2, pages: 3 });
  expect(shown()).toHaveLength(10);
  layout.turn(-5);
  expect(layout.arrangement.value.page).toBe(0);
});

test("oneself stays on the first page, also while speaking", () => {
  const { layout, shown } = layoutOf(crowd(30, "p0"));
  layout.turn(1);
  expect(shown()).toEqual(["p25", "p26", "p27", "p28", "p29"]);
});

test("a newcomer is the last, and nobody moves", () => {
  const { shown, become } = layoutOf(crowd(3));
  become([...crowd(3), tile("early bird")].reverse());
  expect(shown()).toEqual(["p0", "p1", "p2", "early bird"]);
});

test("speaker view: who speaks is large until another one speaks", () => {
  const { layout, shown, staged, become } = layoutOf(crowd(4));
  layout.mode.value = "speaker";
  expect(staged()).toEqual(["p1"]);
  become(crowd(4, "p3"));
  expect(staged()).toEqual(["p3"]);
  become(crowd(4, "p2", "p3"));
  expect(staged()).toEqual(["p3"]);
  become(crowd(4, "p0"));
  expect(staged()).toEqual(["p3"]);
  become(crowd(4, "p2"));
  expect(staged()).toEqual(["p2"]);
  expect(shown()).toEqual(["p0", "p1", "p3"]);
});

test("what is pinned is large, before screens and speakers, until it goes", () => {
  const { layout, staged, shown, become } = layoutOf(crowd(3, "p1"), [screen("p1")]);
  expect(staged()).toEqual(["p1"]);
  layout.pin("participant:p2");
  expect(staged()).toEqual(["p2"]);
  expect(layout.arrangement.value.tiles.map(({ key }) => key)).toContain("screen_share:p1");
  become(crowd(2));
  expect(layout.arrangement.value.stage.map(({ key }) => key)).toEqual(["screen_share:p1"]);
  layout.pin("participant:p2");
  expect(layout.pinned.value).toBeNull();
  expect(shown()).toEqual(["p0", "p1"]);
});

test("oneself can be hidden", () => {
  const { layout, shown } = layoutOf(crowd(3));
  layout.hideSelf.value = true;
  expect(shown()).toEqual(["p1", "p2"]);
});

test("of two, one is in a corner; with a screen, a pin or a third one they are in the grid", () => {
  const { layout, become } = layoutOf(crowd(2));
  expect(layout.arrangement.value.isOneToOne).toBe(true);
  layout.pin("participant:p1");
  expect(layout.arrangement.value.isOneToOne).toBe(false);
  layout.pin("participant:p1");
  become(crowd(3));
  expect(layout.arrangement.value.isOneToOne).toBe(false);
  expect(layoutOf(crowd(2), [screen("p1")]).layout.arrangement.value.isOneToOne).toBe(false);
  expect(layoutOf(crowd(1)).layout.arrangement.value.isOneToOne).toBe(false);
});

test("one's own picture goes round the corners", () => {
  const { layout } = layoutOf(crowd(2));
  const corners = [1, 2, 3, 4].map(() => {
    layout.moveSelf();
    return layout.corner.value;
  });
  expect(corners).toEqual(["bottom-start", "top-start", "top-end", "bottom-end"]);
});

test("two screens are large together; one's own is not", () => {
  const own = { ...screen("p0"), isLocal: true };
  const { layout, staged } = layoutOf(crowd(3), [own, screen("p1"), screen("p2")]);
  expect(staged()).toEqual(["p1", "p2"]);
  expect(layout.arrangement.value.tiles.map(({ key }) => key)).toContain("screen_share:p0");
  expect(layoutOf(crowd(3), [own]).staged()).toEqual([]);
  layout.pin("screen_share:p2");
  expect(staged()).toEqual(["p2"]);
});

test("to save data only pinned pictures are shown, or none; one's own costs nothing", () => {
  const video = {} as unknown as NonNullable<Tile["video"]>;
  const saveData = signal<SaveData>("all");
  const filmed = [...crowd(3)].map((each) => ({ ...each, video }));
  const roster = signal<Roster>({ ...EMPTY_ROSTER, participants: filmed, screenShares: [{ ...screen("p1"), video }] });
  const layout = new Layout(roster, saveData);
  const seen = () => {
    const { stage, tiles } = layout.arrangement.value;
    return [...stage, ...tiles].filter((each) => each.video).map(({ key }) => key);
  };
  expect(seen()).toHaveLength(4);
  saveData.value = "pinned";
  expect(seen()).toEqual(["participant:p0"]);
  layout.pin("screen_share:p1");
  expect(seen()).toEqual(["screen_share:p1", "participant:p0"]);
  saveData.value = "sound";
  expect(seen()).toEqual(["participant:p0"]);
});
