import { expect, test } from "vitest";
import { pictureType } from "../src/session/pictures.ts";

const blob = (...parts: readonly (string | readonly number[])[]) =>
  new Blob(parts.map((part) => (typeof part === "string" ? part : Uint8Array.from(part))));

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13];

test.each([
  ["image/png", blob(PNG, "IHDR", [0, 0, 0, 4, 0, 0, 0, 3])],
  ["image/gif", blob("GIF89a", [4, 0, 3, 0])],
  ["image/jpeg", blob([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 3, 0, 4])],
  ["image/webp", blob("RIFF", [0, 0, 0, 0], "WEBPVP8 ", [0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 4, 0, 3, 0])],
  ["image/webp", blob("RIFF", [0, 0, 0, 0], "WEBPVP8X", [10, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 2, 0, 0])],
  ["image/webp", blob("RIFF", [0, 0, 0, 0], "WEBPVP8L", [10, 0, 0, 0, 0x2f, 3, 0x80, 0, 0])],
])("%s is known by its bytes", async (type, content) => {
  expect(await pictureType(content)).toBe(type);
});

test.each([
  ["a page", blob("<html><script>alert(1)</script>")],
  ["a drawing that can hold scripts", blob("<svg xmlns='http://www.w3.org/2000/svg'/>")],
  ["nothing", blob()],
  ["half a picture", blob(PNG)],
  ["a picture that would take gigabytes", blob(PNG, "IHDR", [0, 0, 0x80, 0, 0, 0, 0x80, 0])],
  ["a picture of no size", blob(PNG, "IHDR", [0, 0, 0, 0, 0, 0, 0, 3])],
  ["a JPEG without an end", blob([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0])],
])("%s is no picture", async (_what, content) => {
  expect(await pictureType(content)).toBeNull();
});
