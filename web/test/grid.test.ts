import { expect, test } from "vitest";
import { hueStepOf, initialsOf, tileWidthFor } from "../src/session/grid.ts";

const GAP = 10;

test.each([1, 2, 3, 4, 9, 25])("%i tiles fit into the free space", (count) => {
  const size = { width: 1280, height: 700 };
  const width = tileWidthFor(count, size, GAP);
  const columns = Math.floor((size.width + GAP) / (width + GAP));
  const rows = Math.ceil(count / columns);
  expect((rows * (width * 9)) / 16 + GAP * (rows - 1)).toBeLessThanOrEqual(size.height);
});

test("two tiles are side by side on a wide screen and one above the other on a tall one", () => {
  expect(tileWidthFor(2, { width: 1210, height: 500 }, GAP)).toBe(592);
  expect(tileWidthFor(2, { width: 320, height: 600 }, GAP)).toBe(320);
});

test("a tile is never too small to recognise a face, nor wider than the screen", () => {
  expect(tileWidthFor(200, { width: 320, height: 300 }, GAP)).toBe(128);
  expect(tileWidthFor(3, { width: 90, height: 20 }, GAP)).toBe(80);
});

test.each([
  ["Ana", "A"],
  ["ana maría lópez", "AL"],
  ["  ", ""],
  ["👩‍👩‍👧 Familie", "👩‍👩‍👧F"],
  ["王小明", "王"],
])("the initials of %j are %j", (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

test("a colour is steady", () => {
  expect(hueStepOf("Ana")).toBe(hueStepOf("Ana"));
  expect(hueStepOf("")).toBeGreaterThanOrEqual(0);
});
