import { expect, test } from "vitest";
import { hueStepOf, initialsOf, shapeFor, tileWidthFor } from "../src/session/grid.ts";

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

test("tiles are upright where most of them show an upright video", () => {
  const phone = { width: 720, height: 1280 };
  const laptop = { width: 1280, height: 720 };
  const unknown = { width: 0, height: 0 };
  expect(shapeFor(2, [phone, phone])).toBe("portrait");
  expect(shapeFor(3, [phone, phone, laptop])).toBe("portrait");
  expect(shapeFor(2, [phone, laptop])).toBe("landscape");
  expect(shapeFor(4, [phone, unknown])).toBe("landscape");
  expect(shapeFor(0, [])).toBe("landscape");
});

test.each([
  [1, { width: 800, height: 640 }, 480],
  [2, { width: 1210, height: 640 }, 480],
  [2, { width: 375, height: 500 }, 180],
])("%i upright tiles in %j are %i wide", (count, size, width) => {
  expect(tileWidthFor(count, size, GAP, "portrait")).toBe(width);
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
