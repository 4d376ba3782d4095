import { expect, test } from "vitest";
import { PageStorage, storeOrNull } from "../src/session/storage.ts";

function storeWith(text: string) {
  return { getItem: () => text, setItem: () => {}, removeItem: () => {} };
}

test.each(["", "{", "null", "7", '{"name": 3, "cameraOn": "yes"}'])("stored values are validated: %j", (text) => {
  const { name, cameraOn } = new PageStorage(storeWith(text), null).preferences();
  expect({ name, cameraOn }).toEqual({ name: "", cameraOn: true });
});

test("in a browser that stores nothing the page has the token as long as it is open", () => {
  const forbidden = storeOrNull(() => {
    throw new Error("denied");
  });
  const storage = new PageStorage(forbidden, forbidden);
  storage.savePreferences({ name: "Ana" });
  storage.saveToken("room", "token");
  expect(storage.token("room")).toBe("token");
  expect(storage.token("another")).toBeNull();
});

test("a full store is not an obstacle", () => {
  const full = {
    ...storeWith("{}"),
    setItem: () => {
      throw new Error("quota");
    },
  };
  new PageStorage(full, full).saveToken("room", "token");
});
