import { expect, test } from "vitest";
import { shortcutOf } from "../src/views/shortcuts.ts";

const key = (key: string, code: string, shiftKey = false) => ({ key, code, shiftKey });

test.each([
  ["English", key("m", "KeyM"), "m"],
  ["English, with caps lock", key("M", "KeyM"), "m"],
  ["Russian", key("ь", "KeyM"), "m"],
  ["Arabic", key("ة", "KeyM"), "m"],
  ["Greek", key("μ", "KeyM"), "m"],
  ["French: where M is printed", key("m", "Semicolon"), "m"],
  ["French: where M is on an English keyboard", key(",", "KeyM"), null],
  ["Dvorak: V is printed elsewhere", key("v", "Period"), "v"],
  ["English question mark", key("?", "Slash", true), "?"],
  ["German question mark", key("?", "Minus", true), "?"],
  ["Arabic question mark", key("؟", "Slash", true), "?"],
  ["Russian, where Shift and Slash is a comma", key(",", "Slash", true), "?"],
  ["a letter without a meaning", key("q", "KeyQ"), null],
  ["another alphabet's letter without a meaning", key("й", "KeyQ"), null],
  ["a key that is no letter", key("Enter", "Enter"), null],
])("%s", (_layout, pressed, shortcut) => {
  expect(shortcutOf(pressed)).toBe(shortcut);
});
